"""Processes: started, watched, stopped, and never outliving whoever started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from script.local import ROOT, processes
from script.local.problem import Problem

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.02)


def test_stop__running_process__is_gone(tmp_path):
    process = processes.start("sleeper", SLEEP, log=tmp_path / "sleeper.log")
    assert process.is_alive
    processes.stop([process])
    assert not is_running(process.popen.pid)


def test_stop__process_that_ignores_the_signal__is_ended(tmp_path):
    ready = tmp_path / "ready"
    program = f"import signal, time; signal.signal(15, signal.SIG_IGN); open({str(ready)!r}, 'w'); time.sleep(600)"
    process = processes.start("stubborn", [sys.executable, "-c", program], log=tmp_path / "stubborn.log")
    processes.wait_until(process, ready.exists, 20)
    processes.stop([process], seconds=0.3)
    assert process.popen.returncode == -signal.SIGKILL


def test_stop__children_that_the_process_left_behind__are_ended_too(tmp_path):
    note = tmp_path / "child"
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
    )
    process = processes.start("parent", [sys.executable, "-c", program], log=tmp_path / "parent.log")
    until(lambda: not process.is_alive)
    child = int(note.read_text())
    assert is_running(child)
    processes.stop([process])
    until(lambda: not is_running(child))


def test_wait_until__process_ends__says_how_with_the_end_of_its_log(tmp_path):
    process = processes.start(
        "failing", [sys.executable, "-c", "import sys; sys.exit('no such thing')"], log=tmp_path / "failing.log"
    )
    with pytest.raises(Problem, match=r"failing ended with code 1[\s\S]*no such thing"):
        processes.wait_until(process, lambda: False, 20)


def test_wait_until__never_ready__says_so_after_the_time(tmp_path):
    process = processes.start("sleeper", SLEEP, log=tmp_path / "sleeper.log")
    try:
        with pytest.raises(Problem, match="sleeper is not ready"):
            processes.wait_until(process, lambda: False, 0.1)
    finally:
        processes.stop([process])


def test_start__second_time__keeps_the_log_of_the_first(tmp_path):
    log = tmp_path / "talker.log"
    for word in ("first", "second"):
        process = processes.start("talker", [sys.executable, "-c", f"print('{word}')"], log=log)
        process.popen.wait()
    assert log.read_text() == "second\n"
    assert log.with_suffix(".log.1").read_text() == "first\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_start__parent_killed__the_process_ends_as_well(tmp_path):
    note = tmp_path / "child"
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from script.local import processes\n"
        f"child = processes.start('sleeper', {SLEEP!r}, log=Path({str(tmp_path / 'sleeper.log')!r}))\n"
        f"Path({str(note)!r}).write_text(str(child.popen.pid))\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    until(lambda: note.exists() and note.read_text())
    child = int(note.read_text())
    assert is_running(child)
    parent.kill()
    parent.wait()
    until(lambda: not is_running(child))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a program as somebody else")
def test_start__with_an_account__runs_as_it(tmp_path):
    process = processes.start("id", ["id", "-un"], log=tmp_path / "id.log", account="nobody")
    process.popen.wait()
    assert (tmp_path / "id.log").read_text() == "nobody\n"
