"""Adopts many namespaces in one batch on the test control plane, and keeps its queries and seconds.

    .venv/bin/python -m bench.adoption [300]

What is measured is the batch of tests/tenants/test_adoption_requests.py, so it is also checked. It needs what the suite
needs (script/test, script/control-plane). The output is kept in bench/results/adoption.txt.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = _ROOT / "bench" / "results" / "adoption.txt"
_TEST = "tests/tenants/test_adoption_requests.py"
_NAME = "test_batch__on_the_real_server__all_ready"


def main() -> None:
    """Runs the batch with as many namespaces as the argument says; ends with the test's own output if it fails."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    variables = {"ADOPTION_BATCH": str(number), "REQUIRE_CONTROL_PLANE": "1"}
    command = [sys.executable, "-m", "pytest", f"{_TEST}::{_NAME}", "-n", "0", "-s"]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    # A progress mark of pytest may stand before the first of them.
    lines = [line[line.index("adoption of ") :] for line in done.stdout.splitlines() if "adoption of " in line]
    if done.returncode or not lines:
        sys.exit(done.stdout + done.stderr)
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}, real kube-apiserver, two workers"
    text = "\n".join([where, *lines]) + "\n"
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
