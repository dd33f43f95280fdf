"""Reading the CSV of namespaces to adopt; no database."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

_UTF8_MARK = "\ufeff"  # Excel begins a file with it.


class Line(NamedTuple):
    """One line of the table: its number as an editor counts, and its cells by column, without empty ones."""

    number: int
    cells: dict[str, Any]


class Unreadable(ValueError):
    """The text is no table of namespaces; as text a sentence for whoever wrote it."""


def read(text: str, columns: Mapping[str, Mapping[str, Any]], needed: str, most: int) -> list[Line]:
    """The lines below the heading, at most `most`; `columns` are fields of a schema, of which whole numbers are read
    as such where they are written in plain digits. Raises Unreadable."""
    reader = csv.reader(io.StringIO(text.removeprefix(_UTF8_MARK), newline=""), strict=True)
    lines: list[Line] = []
    try:
        heading = _heading(next(reader, []), columns, needed)
        for number, cells in _filled(reader):
            if len(cells) > len(heading):
                words = {"line": str(number), "count": str(len(heading))}
                raise Unreadable(_("Line %(line)s has more cells than the %(count)s columns.") % words)
            if len(lines) == most:
                raise Unreadable(_("At most %(limit)s namespaces at a time.") % {"limit": most})
            named = zip(heading, cells, strict=False)
            lines.append(Line(number, {name: _value(columns[name], cell) for name, cell in named if cell}))
    except csv.Error as error:
        words = {"line": str(reader.line_num), "reason": str(error)}
        raise Unreadable(_("Line %(line)s cannot be read: %(reason)s") % words) from None
    return lines


def _heading(cells: Sequence[str], columns: Mapping[str, Any], needed: str) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        if name not in columns:
            words = {"name": name[:40], "known": ", ".join(columns)}
            raise Unreadable(_('There is no column "%(name)s"; the first line names some of: %(known)s.') % words)
        if names.count(name) > 1:
            raise Unreadable(_("The column %(name)s is there twice.") % {"name": name})
    if needed not in names:
        raise Unreadable(_("The first line has to name the column %(name)s.") % {"name": needed})
    return names


def _filled(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of the lines in which something is written; a quoted cell may end on a later line."""
    begins = reader.line_num + 1
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield begins, cells
        begins = reader.line_num + 1


def _value(field: Mapping[str, Any], cell: str) -> str | int:
    return int(cell) if field["type"] == "integer" and re.fullmatch(r"[0-9]{1,12}", cell) else cell
