"""Which namespaces a wish to adopt names: the list of a program, then the CSV, then what a selector finds."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from tenants import adoption_csv
from tenants.adoption import Asked
from tenants.kinds.adopt_namespaces_schema import MOST, NAMESPACES, ROW
from web.errors import Invalid
from workflow import schema

# One list of rows as a schema of its own, so that what a CSV or a selector says is checked as what a program says.
_ROWS = {"type": "object", "required": [], "properties": {"rows": NAMESPACES}}


def named(values: Mapping[str, Any]) -> tuple[list[Asked], dict[str, str]]:
    """(namespaces, errors by JSON pointer) of the list and the CSV; the list says more about what is in both."""
    listed = [Asked(row, f"/namespaces/{place}") for place, row in enumerate(values["namespaces"])]
    tabled, errors = _tabled(values["csv"])
    errors |= _twice(listed) | _twice(tabled)
    known = {one.row["namespace"] for one in listed}
    return [*listed, *(one for one in tabled if one.row["namespace"] not in known)], errors


def selected(names: Iterable[str]) -> list[Asked]:
    """What a selector finds, of which nothing but the name is said."""
    rows = schema.check(_ROWS, {"rows": [{"namespace": name} for name in names]})["rows"]
    return [Asked(row, f"/selector/{row['namespace']}", row["namespace"]) for row in rows]


def _tabled(text: str) -> tuple[list[Asked], dict[str, str]]:
    if not text.strip():
        return [], {}
    try:
        lines = adoption_csv.read(text, ROW["properties"], "namespace", MOST)
        # What is wrong with a row is said below, with its line.
        rows = [Asked(line.cells, f"/csv/{line.number}", _("Line %(line)s") % {"line": line.number}) for line in lines]
        checked = schema.check(_ROWS, {"rows": [one.row for one in rows]})["rows"]
    except adoption_csv.Unreadable as error:
        return [], {"/csv": str(error)}
    except Invalid as error:
        return [], dict(_placed(rows, error.fields))
    return [Asked(row, one.pointer, one.place) for row, one in zip(checked, rows, strict=True)], {}


def _placed(rows: list[Asked], fields: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The errors of the rows' own schema at the lines of the text."""
    for pointer, text in fields.items():
        place, _slash, name = pointer.removeprefix("/rows/").partition("/")
        yield from rows[int(place)].errors({name: text}).items()


def _twice(asked: Iterable[Asked]) -> dict[str, str]:
    seen: set[str] = set()
    errors: dict[str, str] = {}
    for one in asked:
        if one.row["namespace"] in seen:
            errors |= one.errors({"namespace": _("The namespace is there twice.")})
        seen.add(one.row["namespace"])
    return errors
