"""One dead cluster and one slow among ten: how long the other eight take from approval to ready, beside a run without.

    .venv/bin/python -m bench.neighbours [5]

What is measured is tests/faults/test_neighbours.py with as many projects on each cluster as the argument says, so it is
also checked. It needs what the suite needs (script/test, script/control-plane). The output is kept in
bench/results/neighbours.txt.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = _ROOT / "bench" / "results" / "neighbours.txt"
_TEST = "tests/faults/test_neighbours.py"
_MARK = "neighbours: "


def main() -> None:
    """Runs both; ends with the tests' own output if one of them fails."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    variables = {"NEIGHBOURS_PROJECTS": str(number), "REQUIRE_CONTROL_PLANE": "1"}
    command = [sys.executable, "-m", "pytest", _TEST, "-n", "0", "-s"]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    # A progress mark of pytest may stand before the first of them.
    lines = [line[line.index(_MARK) + len(_MARK) :] for line in done.stdout.splitlines() if _MARK in line]
    if done.returncode or not lines:
        sys.exit(done.stdout + done.stderr)
    busy = f"load {os.getloadavg()[0]:.1f}"
    where = f"{os.cpu_count()} cores ({busy}), Python {platform.python_version()}, real kube-apiserver, four slots"
    text = "\n".join([where, *lines]) + "\n"
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
