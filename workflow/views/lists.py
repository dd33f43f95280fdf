"""Lists of requests: one's own, and all one may see."""

from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters import words
from web.exporting import MOST, csv_file
from web.filters import select_field, text_field
from web.tables import Column, Table, shown_filters
from workflow import narrowing, queries, rows
from workflow.kinds import all_kinds
from workflow.models import Request
from workflow.narrowing import Wanted

FILTERS = ("state", "kind", "environment", "tenant", "text")


@require_safe
def mine(http: HttpRequest) -> HttpResponseBase:
    """What the person asked for, or a service account of theirs."""
    found = queries.requests_visible_to(http.user).filter(Q(asker=http.user) | Q(asker__owner=http.user))
    return _list(http, found, _("My requests"))


@require_safe
def everyone(http: HttpRequest) -> HttpResponseBase:
    """All requests the person may see."""
    return _list(http, queries.requests_visible_to(http.user), _("Requests"))


def _list(http: HttpRequest, found: QuerySet[Request], title: str) -> HttpResponseBase:
    wanted, table = narrowing.read(http.GET, *FILTERS), Table(http, _columns())
    if table.wants_csv:
        # Parents are decided by none but their parts.
        return _file(table, narrowing.narrowed(found.filter(policy__isnull=False), wanted))
    page = table.page(narrowing.narrowed(queries.top_level(found), wanted))
    context = {
        "title": title,
        "rows": [rows.request_row(found) for found in page],
        "table": table,
        "filters": shown_filters(table, _fields(wanted), http.path, wanted.is_narrow),
        "empty": None if page else _nothing(http, wanted.is_narrow),
        "new_url": reverse("requests-new"),
    }
    return render(http, "requests/list.html", context)


def _columns() -> list[Column]:
    named = f"tenant__name_{'en' if (get_language() or '').startswith('en') else 'zh'}"
    return [
        Column("request", _("Request"), "title"),
        Column("tenant", _("For"), Coalesce(named, Value(""))),
        Column("asked", _("Asked"), "submitted_at", sort="time"),
        Column("status", _("Status")),
    ]


def _file(table: Table, fitting: QuerySet[Request]) -> HttpResponseBase:
    """What fits as a file."""
    heads = [_("Number"), _("Kind"), _("Name"), _("Tenant"), _("Environment"), _("Cluster"), _("Asked by"), _("Asked")]
    heads += [_("Status"), _("Waiting for"), _("Closed")]
    return csv_file("requests", heads, (_line(one) for one in table.every(fitting, MOST + 1)))


def _line(one: Request) -> list[object]:
    row = rows.request_row(one)
    group = rows.waiting_for(one)
    shown = [row["number"], row["kind_label"], row["name"], row["tenant"], row["environment"], row["cluster"]]
    return [*shown, row["asker"], row["asked_at"], row["status"]["label"], group, one.closed_at]


def _fields(wanted: Wanted) -> list[dict[str, Any]]:
    states = {
        "submitted": _("In approval"),
        "changes_requested": _("Sent back"),
        "approved": _("Approved"),
        "rejected": _("Rejected"),
        "withdrawn": _("Withdrawn"),
        "expired": _("Expired"),
    }
    kinds = {slug: str(kind.title) for slug, kind in all_kinds().items()}
    environments = {name: words.environment_label(name) for name in narrowing.ENVIRONMENTS}
    return [
        text_field("q", _("Search"), wanted.text, _("Number, name, asker")),
        select_field("state", _("State"), wanted.state, states),
        select_field("kind", _("Kind"), wanted.kind, kinds),
        select_field("environment", _("Environment"), wanted.environment, environments),
        text_field("tenant", _("Code of the tenant"), wanted.tenant, ""),
    ]


def _nothing(http: HttpRequest, filtered: bool) -> dict[str, str]:
    """What an empty list says: nothing matches, or what to do first for those who may."""
    if filtered:
        words = {"title": _("Nothing matches"), "text": _("No request fits these filters.")}
        return words | {"action_label": _("Show all"), "action_url": http.path}
    first = all_kinds()["new-project"]
    if not first.may_ask(http.user):
        return {"title": _("No requests yet"), "text": "", "action_label": "", "action_url": ""}
    return {
        "title": _("No requests yet"),
        "text": _("Ask for a project to see how it goes."),
        "action_label": str(first.title),
        "action_url": reverse("request-new", args=[first.slug]),
    }
