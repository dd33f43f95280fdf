"""What the commands in script/ run: servers for the demo and the tests, by the standard library alone."""

from pathlib import Path

# The clone these commands belong to.
ROOT = Path(__file__).resolve().parents[2]
