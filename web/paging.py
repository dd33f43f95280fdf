"""Keyset paging: pages that stay right while rows arrive, without a count."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from web.errors import Invalid

MOST = 200
# By number of the row: its cursor is that number. `order` -> a field of the model that is never null, "-" for falling.
BY_AGE = {"newest": "-pk", "oldest": "pk"}


def page_of(rows: models.QuerySet[Any], parameters: QueryDict, size: int = 50) -> tuple[list[Any], str]:
    """(rows, value of `after` for the next page or ""), newest first by primary key; `after` and `limit` come from
    the query string. Raises Invalid for anything but whole numbers."""
    after, limit = whole_number(parameters, "after"), _limit(parameters)
    size = limit or size
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: size + 1])
    return found[:size], str(found[size - 1].pk) if len(found) > size else ""


def ordered_page(
    rows: models.QuerySet[Any], parameters: QueryDict, orders: Mapping[str, str] = BY_AGE, size: int = 50
) -> tuple[list[Any], str]:
    """As `page_of`, in the order that `order` names in the query string, by default the first of `orders`.

    Rows with the same value follow one another by primary key, which is part of the cursor: none is seen twice, none
    is left out. Raises Invalid for an order that is not offered and a cursor that is none of this order.
    """
    order = parameters.get("order", next(iter(orders)))
    if order not in orders:
        raise Invalid(_("The address is not valid."), {"/order": _("This is not one of the choices.")})
    size = _limit(parameters) or size
    falls, name = orders[order].startswith("-"), orders[order].removeprefix("-")
    if "after" in parameters:
        value, key = _read_cursor(rows.model, str(parameters["after"]), name)
        beyond = "lt" if falls else "gt"
        condition = Q(**{f"pk__{beyond}": key})
        if name != "pk":
            condition = Q(**{f"{name}__{beyond}": value}) | Q(**{name: value}) & condition
        rows = rows.filter(condition)
    sign = "-" if falls else ""
    found = list(rows.order_by(*dict.fromkeys([f"{sign}{name}", f"{sign}pk"]))[: size + 1])
    return found[:size], _cursor(found[size - 1], name) if len(found) > size else ""


def next_url(parameters: QueryDict, after: str) -> str:
    """The query string of the next page, "" if this is the last."""
    if not after:
        return ""
    query = parameters.copy()
    query["after"] = after
    return f"?{query.urlencode()}"


def whole_number(parameters: Mapping[str, str], name: str) -> int | None:
    """A number in an address, None where there is none; raises Invalid for anything but ASCII digits, at most 15."""
    text = parameters.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 16):
        raise Invalid(_("Expected a whole number."), {f"/{name}": _("Expected a whole number.")})
    return int(text)


def _limit(parameters: QueryDict) -> int | None:
    limit = whole_number(parameters, "limit")
    if limit is not None and not 1 <= limit <= MOST:
        raise Invalid(_("The address is not valid."), {"/limit": _("Between 1 and %(most)s.") % {"most": MOST}})
    return limit


def _cursor(row: Any, name: str) -> str:
    if name == "pk":
        return str(row.pk)
    value = row._meta.get_field(name).value_to_string(row)
    return base64.urlsafe_b64encode(json.dumps([value, row.pk]).encode()).decode().rstrip("=")


def _read_cursor(model: type[models.Model], text: str, name: str) -> tuple[Any, int]:
    """(value of the field, primary key) of the last row of the page before; the text is anything at all."""
    try:
        if name == "pk":
            if not (text.isascii() and text.isdigit() and len(text) < 16):
                raise ValueError(text)
            return None, int(text)
        value, key = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(value, str) or "\0" in value or type(key) is not int or not 0 <= key < 10**15:
            raise ValueError(text)
        field: Any = model._meta.get_field(name)
        return field.to_python(value.encode().decode()), key
    except (ValueError, TypeError, binascii.Error, ValidationError, RecursionError):
        raise Invalid(_("The address is not valid."), {"/after": _("This is no `next` of such a page.")}) from None
