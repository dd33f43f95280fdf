"""script/demo as a person runs it: starts, survives being killed, starts again, stops all on Ctrl-C."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from script.local import ROOT, ports

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("DEMO_TEST") != "1",
        reason="uses the clone's own var/ and measures time: DEMO_TEST=1 script/test -n 0 tests/script/test_demo.py",
    ),
    pytest.mark.timeout(900),
]


@pytest.fixture
def start():
    """Runs script/demo until it says that it is ready: (process, what it printed)."""
    begun = []
    yield lambda *arguments: _start(begun, *arguments)
    for demo in begun:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(60)


def _start(begun, port, *arguments):
    without = ("PORTAL_", "DJANGO_", "PYTEST_")
    given = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    demo = subprocess.Popen(
        [ROOT / "script" / "demo", "--port", str(port), *arguments],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    begun.append(demo)
    said = []
    for line in demo.stdout:
        said.append(line)
        if "script/demo --reset" in line:
            return demo, "".join(said)
    raise AssertionError("".join(said))


def status(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
        return answer.status


def home_of(port, person):
    """Logs in as a person of the demo: the path one arrives at."""
    address = f"http://127.0.0.1:{port}/login"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', browser.open(address, timeout=30).read().decode())[1]
    form = {"csrfmiddlewaretoken": token, "username": person, "password": "portal-demo"}
    with browser.open(address, urllib.parse.urlencode(form).encode(), timeout=30) as answer:
        return answer.url.removeprefix(f"http://127.0.0.1:{port}")


def sessions(said):
    """The sessions of the demo that printed `said`: one for each process it started."""
    folder = Path(re.search(r"Logs: (.*)/log\.", said)[1])
    return {row["pid"] for row in json.loads((folder / "processes.json").read_text())["processes"]}


def members(of):
    """Numbers of the running processes that belong to one of these sessions."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rpartition(")")[2].split()
            if int(fields[3]) in of and fields[0] != "Z":
                found.append(int(file.parent.name))
    return found


def test_demo__killed_and_started_again__serves_as_before_and_ctrl_c_leaves_nothing(start):
    port = ports.free_port()
    demo, said = start(port, "--reset")
    assert f"http://127.0.0.1:{port}" in said
    assert status(port) == 200
    demo.kill()
    demo.wait()

    begun = time.monotonic()
    demo, said = start(port)
    # About ten seconds on a machine that does nothing else; this is only against hanging.
    assert time.monotonic() - begun < 60
    assert status(port) == 200

    people = (
        "dev",
        "owner",
        "architect",
        "datacenter",
        "security",
        "platform",
        "admin",
        "admin2",
        "auditor",
        "stranger",
    )
    for person in people:
        assert home_of(port, person) == "/"
    started = sessions(said)
    assert len(members(started)) >= len(started)

    second = subprocess.run(
        [ROOT / "script" / "demo", "--port", str(ports.free_port())], capture_output=True, text=True
    )
    assert second.returncode == 1
    assert "runs already" in second.stderr

    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    assert members(started) == []
    assert ports.is_free(port)
