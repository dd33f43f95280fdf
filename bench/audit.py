"""Seals and verifies many audit events, and looks for some of them; keeps seconds and memory.

    .venv/bin/python -m bench.audit [500000]

It starts a PostgreSQL of its own, as the suite does. The output is kept in bench/results/audit.txt.
"""

import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = _ROOT / "bench" / "results" / "audit.txt"
_TEST = "tests/bench/test_audit.py"
_MARK = "audit: "


def main() -> None:
    """Runs the measurement of tests/bench/test_audit.py with as many events as the argument says."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    command = [sys.executable, "-m", "pytest", _TEST, "-n", "0", "-s", "-p", "no:cacheprovider", "--timeout", "3000"]
    variables = {"AUDIT_EVENTS": str(number)}
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    lines = [line[line.index(_MARK) + len(_MARK) :] for line in done.stdout.splitlines() if _MARK in line]
    if done.returncode or not lines:
        sys.exit(done.stdout + done.stderr)
    load = os.getloadavg()[0]
    where = f"{os.cpu_count()} cores, load {load:.1f} at the end, Python {platform.python_version()}, PostgreSQL"
    text = "\n".join([where, *lines]) + "\n"
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(text)
    print(text, end="")


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
