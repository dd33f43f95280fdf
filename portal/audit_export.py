"""The audit as a file, however long: row by row, in the order of the page, and the export is itself an event."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.models import User
from audit import services as audit
from audit.models import Event
from audit.rules import FIELDS
from portal.audit_narrowing import Wanted, narrowed, with_text
from web.sheets import csv_lines

# Fetched at a time; between two fetches no transaction is open and nothing is held.
_BATCH = 1000


def export(*, events: QuerySet[Event], wanted: Wanted, sort: str, by: User, at: datetime) -> StreamingHttpResponse:
    """The events that fit as a file of the `sort` csv or jsonl. What happens while it is written is not in it."""
    fitting = with_text(narrowed(events, wanted), wanted.text)
    newest = events.aggregate(newest=Max("pk"))["newest"] or 0
    with transaction.atomic():
        audit.record(
            actor=by, action="audit.export", subject="audit:events", after={"as": sort, "filter": wanted.sent()}, at=at
        )
    writer, content_type = _SORTS[sort]
    name = f"audit-{timezone.localtime(at):%Y-%m-%d}.{sort}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(writer(_rows(fitting, newest)), content_type=content_type, headers=headers)


Rows = Iterator[dict[str, object]]


def _rows(events: QuerySet[Event], newest: int) -> Rows:
    before = newest + 1
    while True:
        rows = list(events.filter(pk__lt=before).order_by("-pk").values(*FIELDS)[:_BATCH])
        yield from rows
        if len(rows) < _BATCH:
            return
        before = rows[-1]["id"]


def _as_csv(rows: Rows) -> Iterator[str]:
    return csv_lines(FIELDS, ([_cell(row[name]) for name in FIELDS] for row in rows))


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return _moment(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _as_json_lines(rows: Rows) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, default=_moment) + "\n"


def _moment(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat(timespec="microseconds")


_SORTS: dict[str, tuple[Callable[[Rows], Iterator[str]], str]] = {
    "csv": (_as_csv, "text/csv; charset=utf-8"),
    "jsonl": (_as_json_lines, "application/jsonl; charset=utf-8"),
}
