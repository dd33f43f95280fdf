"""Keyset paging: pages that stay right while rows arrive, without a count."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _

from web.errors import Invalid

MOST = 200


def page_of(rows: models.QuerySet[Any], parameters: QueryDict, size: int = 50) -> tuple[list[Any], str]:
    """(rows, value of `after` for the next page or ""), newest first by primary key; `after` and `limit` come from
    the query string. Raises Invalid for anything but whole numbers."""
    after, limit = whole_number(parameters, "after"), whole_number(parameters, "limit")
    size = min(limit or size, MOST)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: size + 1])
    return found[:size], str(found[size - 1].pk) if len(found) > size else ""


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
