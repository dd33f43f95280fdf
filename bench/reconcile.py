"""Drives many bundles by one worker on the test control plane, against the same applies without the portal.

    .venv/bin/python -m bench.reconcile [1000]

What is measured is tests/bench/test_reconcile.py, which is checked as it runs. It needs what the suite needs
(script/test, script/control-plane) and stops by itself. The output is kept in bench/results/reconcile.txt.

"Raw" is one thread with the portal's own client, one call per object, no database and no portal: a POST (the least
with which an object comes to be) or a server-side apply. "Driver alone" is the driver's applies one after the other
and one look at all, without the database; the portal's worker applies objects of one kind several at once. Raw rates
are measured before and after the portal's run and averaged, on at most 100 bundles.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = _ROOT / "bench" / "results" / "reconcile.txt"
_TEST = "tests/bench/test_reconcile.py"
_MARK = "reconcile: "


def main() -> None:
    """Runs it with as many bundles as the argument says; ends with the test's own output if it fails."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    variables = {"RECONCILE_BUNDLES": str(number), "REQUIRE_CONTROL_PLANE": "1"}
    command = [sys.executable, "-m", "pytest", _TEST, "-n", "0", "-s"]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    # A progress mark of pytest may stand before the first of them.
    lines = [line[line.index(_MARK) + len(_MARK) :] for line in done.stdout.splitlines() if _MARK in line]
    if done.returncode or not lines:
        sys.exit(done.stdout + done.stderr)
    load = os.getloadavg()[1]
    where = f"{os.cpu_count()} cores (load {load:.1f} at the end), Python {platform.python_version()}, kube-apiserver"
    text = "\n".join([where, *lines]) + "\n"
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
