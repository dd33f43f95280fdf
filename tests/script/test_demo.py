"""script/demo as a person runs it: starts, survives being killed, starts again, stops all on Ctrl-C."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from script.local import ROOT, ports

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("CI") != "true", reason="uses the clone's own var/; CI=true script/test tests/script runs it"
    ),
    pytest.mark.timeout(900),
]


def start(port, *arguments):
    """Runs script/demo until it says that it is ready: (process, what it printed)."""
    without = ("PORTAL_", "DJANGO_", "PYTEST_")
    given = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    demo = subprocess.Popen(
        [ROOT / "script" / "demo", "--port", str(port), *arguments],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    for line in demo.stdout:
        said.append(line)
        if "script/demo --reset" in line:
            return demo, "".join(said)
    raise AssertionError("".join(said))


def status(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
        return answer.status


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


def test_demo__killed_and_started_again__serves_within_15_seconds_and_ctrl_c_leaves_nothing():
    port = ports.free_port()
    demo, said = start(port, "--reset")
    assert f"http://127.0.0.1:{port}" in said
    assert status(port) == 200
    demo.kill()
    demo.wait()

    begun = time.monotonic()
    demo, said = start(port)
    assert time.monotonic() - begun < 15
    assert status(port) == 200

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
