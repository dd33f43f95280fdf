"""Runs one measurement as a test of the suite's own kind, with real servers and processes, and keeps what it prints."""

import os
import platform
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
# What a measurement prints begins with this mark, among whatever pytest prints.
MARK = "measured: "


def run(name: str, default: int) -> None:
    """Runs bench/measuring/<name>.py with the size of the first argument and writes bench/results/<name>.txt; ends with
    the measurement's own output if it fails."""
    size = sys.argv[1] if len(sys.argv) > 1 else str(default)
    variables = {"BENCH_SIZE": size, "REQUIRE_CONTROL_PLANE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"bench/measuring/{name}.py",
        "-ptests.conftest",
        "-n0",
        "-s",
        "--timeout=3600",
    ]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    lines = [line.partition(MARK)[2] for line in done.stdout.splitlines() if MARK in line]
    if done.returncode or not lines:
        sys.exit(done.stdout + done.stderr)
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}, real kube-apiserver, PostgreSQL, Redis"
    text = "\n".join([where, *lines]) + "\n"
    (_ROOT / "bench" / "results" / f"{name}.txt").write_text(text)
    print(text, end="")
