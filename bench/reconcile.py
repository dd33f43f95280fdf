"""Reconciling many bundles on the test control plane, against the raw rate of the same applies in the same run.

    .venv/bin/python -m bench.reconcile [1000]

What is measured is bench/measuring/reconcile.py. It needs what the suite needs (script/test, script/control-plane). The
output is kept in bench/results/reconcile.txt.
"""

from bench import measured


def main() -> None:
    """Runs it with as many bundles as the argument says."""
    measured.run("reconcile", default=1000)


if __name__ == "__main__":
    main()
