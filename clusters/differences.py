"""Differences between manifests as lines that people read."""

from collections.abc import Iterable, Sequence
from typing import Any


def difference_lines(fields: Iterable[Sequence[Any]]) -> list[tuple[str, str]]:
    """(sign, text) lines for [path, live, wanted] triples."""
    lines = []
    for path, live, wanted in fields:
        if live is not None:
            lines.append(("-", f"{path}: {_text(live)}"))
        if wanted is not None:
            lines.append(("+", f"{path}: {_text(wanted)}"))
    return lines


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(inner)}" for key, inner in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)
