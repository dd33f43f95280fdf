"""Measures lists and details of a large portal, over the API and as pages, beside the same rows by the bare framework.

    .venv/bin/python -m bench.http [10000]

What is measured is tests/bench/test_http.py, which is checked as it runs; bench/rows.py makes the rows: of 10,000
projects 50,000 requests and 500,000 events, 200 tenants, 8 clusters. "Bare" is bench/bare: the framework's own
middleware, a template of eight columns or a ModelSerializer of the same columns, keyset paging; it knows nothing of
rights, of what became of a request in its cluster, of quota bars, filters or navigation.

Queries are beyond those that find out who asks: of a session three with the bell's, of a token one. CPU is user and
system time of the process that answers, without the database's. "x10 rows" compares with a tenth of the rows in the
same run. The output is kept in bench/results/http.txt.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_RESULTS = _ROOT / "bench" / "results" / "http.txt"
_TEST = "tests/bench/test_http.py"
_MARK = "http: "


def main() -> None:
    """Runs it with as many projects as the argument says; ends with the test's own output if it fails."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    variables = {"HTTP_PROJECTS": str(number), "HTTP_ROUNDS": "5", "HTTP_TIMES": "10"}
    command = [sys.executable, "-m", "pytest", _TEST, "-n", "0", "-s"]
    before = os.getloadavg()[1]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    # A progress mark of pytest may stand before the first of them.
    lines = [line[line.index(_MARK) + len(_MARK) :] for line in done.stdout.splitlines() if _MARK in line]
    if done.returncode or not lines:
        sys.exit(done.stdout + done.stderr)
    load = f"load {before:.1f} before, {os.getloadavg()[1]:.1f} at the end"
    where = f"{os.cpu_count()} cores ({load}), Python {platform.python_version()}, PostgreSQL and web on one machine"
    text = "\n".join([where, f"{number} projects, five rounds of ten calls each", *lines]) + "\n"
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
