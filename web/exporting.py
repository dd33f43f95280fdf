"""Lists as files for spreadsheets: CSV in UTF-8 that a spreadsheet opens as text, never as formulas."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.http import StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from web.sheets import MARK, line, safe_cell

# Rows of one file; who wants more narrows the list, or asks by REST.
MOST = 10_000


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """The rows as a file <name>-<day>.csv, written as they are read: at most MOST, after which it says so.

    The language is the one of the moment, though rows are made after everything else is done with the request.
    """
    language = translation.get_language()
    response = StreamingHttpResponse(_lines(heads, rows, language), content_type="text/csv; charset=utf-8")
    day = timezone.localtime().strftime("%Y-%m-%d")
    response["Content-Disposition"] = f'attachment; filename="{name}-{day}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(heads: Sequence[str], rows: Iterable[Sequence[object]], language: str | None) -> Iterator[str]:
    yield MARK + line([cell(head) for head in heads])
    source = iter(rows)
    for written in range(MOST + 1):
        with translation.override(language):
            row = next(source, None)
            if row is None:
                return
            if written == MOST:
                row = [_("Only the first %(count)s rows. Narrow the list to see the others.") % {"count": MOST}]
            written_line = line([cell(value) for value in row])
        yield written_line


def cell(value: object) -> str | int | float:
    """A value as it stands in the file: times in the portal's time zone, texts so that none is a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    return safe_cell(value)
