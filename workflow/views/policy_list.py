"""The list of policies: who decides what."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from web.exporting import csv_file
from web.filters import select_field, text_field
from web.searching import words_of
from web.tables import Column, Table, shown_filters
from workflow import machine, policy_rows, queries
from workflow.kinds import all_kinds
from workflow.models import Policy
from workflow.services.policies import may_change

KIND = "change-policy"


@require_safe
def everything(http: HttpRequest) -> HttpResponseBase:
    """Who decides what, in the order in which policies are asked unless another one is wanted."""
    words, kind = words_of(http.GET.get("q", "")), http.GET.get("kind", "")
    kind = kind if kind in all_kinds() else ""
    table, names = Table(http, _columns(may_change(http.user))), queries.group_names()
    waiting = queries.requests_visible_to(http.user).filter(kind=KIND, state__in=machine.OPEN_STATES)
    pending = dict(waiting.order_by().values_list("title", "pk"))
    found = [
        one for one in queries.policies_visible_to(http.user).order_by("priority", "slug") if _fits(one, words, kind)
    ]
    active, retired = (
        table.sorted([policy_rows.policy_row(one, names, pending) for one in found if one.is_active is state])
        for state in (True, False)
    )
    if table.wants_csv:
        return _file(active, retired)
    context = {
        "rows": active,
        "retired": retired,
        "table": table,
        "filters": shown_filters(table, _fields(words, kind), http.path, bool(words or kind)),
        "may_change": may_change(http.user),
        "new_url": reverse("policy-new"),
    }
    return render(http, "policies/list.html", context)


def _fits(policy: Policy, words: list[str], kind: str) -> bool:
    """Whether it is about the kind, alone or among all, and says each of the words."""
    said = " ".join([policy.slug, policy.name_zh, policy.name_en, policy.condition]).casefold()
    return policy.kind in ("", kind or policy.kind) and all(word.casefold() in said for word in words)


def _columns(acts: bool) -> list[Column]:
    columns = [
        Column("priority", _("Priority"), "priority", sort="number"),
        Column("policy", _("Policy"), "name", classes="pt-w-20"),
        Column("about", _("About"), "kind", classes="pt-w-15"),
        Column("condition", _("Condition")),
        Column("who", _("Who decides"), classes="pt-w-20"),
    ]
    return [*columns, Column("action", _("Action"), is_silent=True)] if acts else columns


def _fields(words: list[str], kind: str) -> list[dict[str, Any]]:
    kinds = {slug: str(one.title) for slug, one in all_kinds().items()}
    return [
        text_field("q", _("Search"), " ".join(words), _("Name, condition")),
        select_field("kind", _("About"), kind, kinds),
    ]


def _file(active: list[dict[str, Any]], retired: list[dict[str, Any]]) -> HttpResponseBase:
    heads = [_("Priority"), _("Code"), _("Policy"), _("About"), _("Condition"), _("Who decides"), _("Status")]
    rows = [(row, _("Active")) for row in active] + [(row, _("Retired")) for row in retired]
    return csv_file("policies", heads, (_line(row, state) for row, state in rows))


def _line(row: dict[str, Any], state: str) -> list[object]:
    steps = _(", then ").join(f"{step['who']} ({step['deadline']})" for step in row["steps"])
    who = steps or _("approved automatically")
    return [row["priority"], row["slug"], row["name"], row["kind"], row["condition"], who, state]
