"""Lists as tables: columns to sort by, the order in the address, and pages that stay right in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar

from django.db import models
from django.db.models import F, Q
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from web import paging
from web.errors import Invalid

Row = dict[str, Any]
_Model = TypeVar("_Model", bound=models.Model)
# Longer than any text that is sorted by.
_LONGEST_KEY = 400
# Parts of an address that say which page, not which list.
_OF_PAGE = ("after", "page", "export")


@dataclass(frozen=True)
class Column:
    """A column by the name that it has in addresses.

    `key` is what it is sorted by, None for not at all: an ORM expression that is never NULL or the name of a field, for
    lists that are sorted in Python a key of their rows. `sort` says what kind of values those are. `classes` go to its
    head; `is_silent` heads are only read out.
    """

    name: str
    label: str
    key: Any = None
    sort: Literal["text", "number", "time"] = "text"
    classes: str = ""
    is_silent: bool = False


class Order(NamedTuple):
    """The column that the list is sorted by, None for the list's own order, and whether from the end."""

    column: Column | None
    is_descending: bool

    @property
    def text(self) -> str:
        """As in an address: "name", "-name", ""."""
        return f"{'-' if self.is_descending else ''}{self.column.name}" if self.column else ""


class Table:
    """A list in the order that its address names; `next_url` is known once a page was read."""

    def __init__(self, http: HttpRequest, columns: Sequence[Column]) -> None:
        self._parameters: QueryDict = http.GET
        self.columns = list(columns)
        self.order = self._wanted()
        self.next_url = ""

    @property
    def wants_csv(self) -> bool:
        """Whether the list is asked for as a file."""
        return self._parameters.get("export") == "csv"

    @property
    def csv_url(self) -> str:
        """The same list, filtered and ordered, as a file."""
        return self._url(export="csv")

    @property
    def labels(self) -> dict[str, str]:
        """What columns are called, by name: on narrow screens each cell says so."""
        return {column.name: column.label for column in self.columns}

    @property
    def heads(self) -> list[Row]:
        """[{name, label, url, aria, icon, classes, is_silent}]; `url` sorts by the column, "" where that cannot be."""
        return [self._head(column) for column in self.columns]

    @property
    def sort_field(self) -> Row:
        """The order as a filter: for narrow screens, where tables have no heads."""
        options = [{"value": "", "label": _("As usual"), "checked": not self.order.text}]
        for column in self.columns:
            if column.key is None:
                continue
            for value, text in ((column.name, _("%(column)s, rising")), (f"-{column.name}", _("%(column)s, falling"))):
                label = text % {"column": column.label}
                options.append({"value": value, "label": label, "checked": self.order.text == value})
        return {"name": "sort", "label": _("Order"), "kind": "select", "value": self.order.text, "options": options}

    def page(self, rows: models.QuerySet[_Model], size: int = 50) -> list[_Model]:
        """A page of the rows. Raises Invalid for an `after` or `limit` that no page of this order answered."""
        size = min(paging.whole_number(self._parameters, "limit") or size, paging.MOST)
        found, after = self._read(rows, self._parameters.get("after", ""), size)
        self.next_url = self._url(after=after) if after else ""
        return found

    def every(self, rows: models.QuerySet[_Model], most: int) -> Iterator[_Model]:
        """The rows in order, at most so many, read page by page."""
        after = ""
        while most > 0:
            found, after = self._read(rows, after, min(paging.MOST, most))
            yield from found
            most -= len(found)
            if not after:
                return

    def sorted(self, rows: Sequence[Row]) -> list[Row]:
        """Prepared rows in the order; what has no value comes last."""
        column = self.order.column
        if column is None:
            return list(rows)
        known = [row for row in rows if row.get(column.key) is not None]
        unknown = [row for row in rows if row.get(column.key) is None]
        known.sort(key=lambda row: _comparable(row[column.key]), reverse=self.order.is_descending)
        return known + unknown

    def _wanted(self) -> Order:
        text = self._parameters.get("sort", "")
        name = text.removeprefix("-")
        column = next((one for one in self.columns if one.name == name and one.key is not None), None)
        return Order(column, column is not None and text.startswith("-"))

    def _head(self, column: Column) -> Row:
        is_own = self.order.column is column
        # What is new, or large, is looked for first.
        falls = not self.order.is_descending if is_own else column.sort != "text"
        direction = ("descending" if self.order.is_descending else "ascending") if is_own else ""
        return {
            "name": column.name,
            "label": column.label,
            "url": self._url(sort=f"{'-' if falls else ''}{column.name}") if column.key is not None else "",
            "aria": direction,
            "icon": {"ascending": "up", "descending": "down", "": "sort"}[direction],
            "classes": column.classes,
            "is_silent": column.is_silent,
        }

    def _url(self, **changes: str) -> str:
        query = self._parameters.copy()
        for name in _OF_PAGE:
            query.pop(name, None)
        for name, value in changes.items():
            query[name] = value
        return f"?{query.urlencode()}"

    def _read(self, rows: models.QuerySet[_Model], after: str, size: int) -> tuple[list[_Model], str]:
        """(rows, `after` of the next page or ""): of the list's own order newest first; else by the column, and newest
        first among equals."""
        column, is_descending = self.order
        if column is None:
            parameters = {"after": after}
            if (last := paging.whole_number(parameters, "after")) is not None:
                rows = rows.filter(pk__lt=last)
            found = list(rows.order_by("-pk")[: size + 1])
            return found[:size], str(found[size - 1].pk) if len(found) > size else ""
        # Not alias(): the value of the last row goes into the next page's address.
        keyed = rows.annotate(sorted_by=F(column.key) if isinstance(column.key, str) else column.key)
        if after:
            keyed = keyed.filter(_beyond(column, is_descending, after))
        found = list(keyed.order_by(f"{'-' if is_descending else ''}sorted_by", "-pk")[: size + 1])
        return found[:size], _place(found[size - 1]) if len(found) > size else ""


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _place(row: Any) -> str:
    """Where a row stands: "17~Claims imaging", "17~2026-11-23T15:20:00+00:00"."""
    value = row.sorted_by
    return f"{row.pk}~{value.isoformat() if isinstance(value, datetime) else value}"


def _beyond(column: Column, is_descending: bool, after: str) -> Q:
    """What comes after a place. Raises Invalid for what is none."""
    number, mark, text = after.partition("~")
    pk = paging.whole_number({"after": number}, "after")
    if pk is None or not mark:
        raise _invalid()
    value = _value_of(column, text)
    step = "lt" if is_descending else "gt"
    return Q((f"sorted_by__{step}", value)) | Q(sorted_by=value, pk__lt=pk)


def _value_of(column: Column, text: str) -> Any:
    if column.sort == "text":
        # A row may hold what is not printable no more than an address may.
        if len(text) > _LONGEST_KEY or not all(letter.isprintable() or letter in "\u3000\xa0" for letter in text):
            raise _invalid()
        return text
    try:
        value = int(text) if column.sort == "number" else datetime.fromisoformat(text)
    except ValueError:
        raise _invalid() from None
    if (isinstance(value, int) and abs(value) >= 2**63) or (isinstance(value, datetime) and value.tzinfo is None):
        raise _invalid()
    return value


def _invalid() -> Invalid:
    return Invalid(_("There is no such page."), {"/after": _("This page was not linked to by the portal.")})


def shown_filters(table: Table, fields: Sequence[Mapping[str, Any]], action: str, is_narrow: bool) -> Row:
    """The filters of a list with its order, as templates/components/filters.html wants them."""
    return {"fields": list(fields), "sort": table.sort_field, "action": action, "is_narrow": is_narrow}
