"""What an earlier run left behind is stopped, and nothing else is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from script.local import ROOT, leftovers, processes
from tests.script.test_processes import SLEEP, is_running, until


@pytest.fixture
def sleeper(tmp_path):
    process = processes.start("sleeper", SLEEP, log=tmp_path / "sleeper.log")
    yield process
    processes.stop([process])


def test_stop_leftovers__process_of_the_earlier_run__is_stopped_and_named(tmp_path, sleeper):
    file = tmp_path / "processes.json"
    leftovers.write_down(file, ROOT, [sleeper])
    assert leftovers.stop_leftovers(file, ROOT) == ["sleeper"]
    assert not is_running(sleeper.popen.pid)
    assert not file.exists()


def test_stop_leftovers__repeated__is_harmless(tmp_path, sleeper):
    file = tmp_path / "processes.json"
    leftovers.write_down(file, ROOT, [sleeper])
    leftovers.stop_leftovers(file, ROOT)
    assert leftovers.stop_leftovers(file, ROOT) == []


def test_stop_leftovers__number_taken_by_another_process__leaves_it_alone(tmp_path, sleeper):
    file = tmp_path / "processes.json"
    leftovers.write_down(file, ROOT, [sleeper])
    content = json.loads(file.read_text())
    content["processes"][0]["started"] -= 1
    file.write_text(json.dumps(content))
    assert leftovers.stop_leftovers(file, ROOT) == []
    assert sleeper.is_alive


def test_stop_leftovers__file_of_the_clone_this_was_copied_from__leaves_its_processes_alone(tmp_path, sleeper):
    file = tmp_path / "processes.json"
    leftovers.write_down(file, Path("/somewhere/else"), [sleeper])
    assert leftovers.stop_leftovers(file, ROOT) == []
    assert sleeper.is_alive


def test_stop_leftovers__file_of_before_a_reboot__is_not_believed(tmp_path, sleeper):
    file = tmp_path / "processes.json"
    leftovers.write_down(file, ROOT, [sleeper])
    file.write_text(json.dumps(json.loads(file.read_text()) | {"boot": "another one"}))
    assert leftovers.stop_leftovers(file, ROOT) == []
    assert sleeper.is_alive


def test_stop_leftovers__half_a_file__is_not_believed(tmp_path):
    file = tmp_path / "processes.json"
    file.write_text('{"clone": ')
    assert leftovers.stop_leftovers(file, ROOT) == []


def test_stop_leftovers__first_process_gone_but_its_child_left__stops_the_child(tmp_path):
    note = tmp_path / "child"
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    parent = processes.start("web", [sys.executable, "-c", program], log=tmp_path / "web.log")
    until(lambda: note.exists() and note.read_text())
    file = tmp_path / "processes.json"
    leftovers.write_down(file, ROOT, [parent])
    parent.popen.kill()
    parent.popen.wait()
    child = int(note.read_text())
    assert is_running(child)
    assert leftovers.stop_leftovers(file, ROOT) == ["web"]
    until(lambda: not is_running(child))


def test_stop_leftovers__unrelated_process__is_never_listed(tmp_path, sleeper):
    other = subprocess.Popen(SLEEP)
    try:
        file = tmp_path / "processes.json"
        leftovers.write_down(file, ROOT, [sleeper])
        leftovers.stop_leftovers(file, ROOT)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
