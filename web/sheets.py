"""Rows as text for a spreadsheet: CSV that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# Told by this, spreadsheets read UTF-8 and not what the machine's language once used.
MARK = "\ufeff"
# What a spreadsheet takes for a formula when a cell begins with it, the full-width forms too; a tab or line break
# before it does not help.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: object) -> str:
    """The text of a cell; one that a spreadsheet would calculate begins with an apostrophe, which has it shown."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def csv_lines(head: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The mark and the head, then each row as a line by itself, RFC 4180."""
    yield MARK + line(head)
    for row in rows:
        yield line([safe_cell(value) for value in row])


def line(cells: Sequence[object]) -> str:
    """The cells, as they are, as one line with its end."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
