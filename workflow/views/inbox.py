"""The inbox: what waits for a person's decision, and deciding several of them in one go."""

import re
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clusters import words
from web.errors import Invalid, UserError
from web.exporting import MOST, csv_file
from web.filters import select_field, text_field
from workflow import inbox as waiting
from workflow import narrowing, queries, rows, services
from workflow.kinds import all_kinds
from workflow.narrowing import Wanted
from workflow.services import Result
from workflow.services.decide import VERDICTS

FILTERS = ("kind", "environment", "tenant", "group", "risk", "age", "text", "order")
CHOICE = re.compile(r"([0-9]{1,15}):([0-9a-f]{0,64})", re.ASCII)


@require_safe
def inbox(http: HttpRequest) -> HttpResponseBase:
    """What waits for this person's decision, what is due first."""
    return _page(http)


@require_POST
def decide(http: HttpRequest) -> HttpResponseBase:
    """The same verdict on several requests, each on the plan that was shown; a result for each."""
    verdict, note = http.POST.get("verdict", ""), http.POST.get("note", "")
    try:
        chosen = _chosen(http.POST.getlist("request"))
        _check(verdict, note)
        results = _decided(http, chosen, verdict, note)
    except Invalid as error:
        return _page(http, error=error, note=note, chosen=set(http.POST.getlist("request")))
    done = sum(1 for one in results if one.error is None)
    named = queries.requests_visible_to(http.user).filter(pk__in=[one.number for one in results])
    titles = dict(named.order_by().values_list("pk", "title"))
    context = {
        "results": [_result_row(one, verdict, titles) for one in results],
        "done": done,
        "failed": len(results) - done,
        "inbox_url": reverse("inbox") + _query(http),
        "page_url": reverse("inbox"),
    }
    return render(http, "requests/decided.html", context)


def _chosen(texts: list[str]) -> list[tuple[int, str]]:
    """(number, plan digest) of each ticked row. Raises Invalid."""
    found = [CHOICE.fullmatch(text) for text in texts]
    if not found or not all(found):
        raise Invalid(_("Please choose at least one request."))
    return [(int(one[1]), one[2]) for one in found if one]


def _check(verdict: str, note: str) -> None:
    """Raises Invalid for what would be wrong with every row alike."""
    if verdict not in VERDICTS:
        raise Invalid(_("Please choose."))
    if verdict != "approve" and not note.strip():
        raise Invalid(_("Please say why."))


def _decided(http: HttpRequest, chosen: list[tuple[int, str]], verdict: str, note: str) -> list[Result]:
    now = timezone.now()
    held_back = waiting.locked(queries.inbox_of(http.user, now), [number for number, _digest in chosen])
    together = [(number, digest) for number, digest in chosen if number not in held_back]
    refused = [Result(number, "", error) for number, error in held_back.items()]
    if not together:
        return refused
    return services.decide_many(rows=together, verdict=verdict, note=note, by=http.user, at=now) + refused


def _result_row(result: Result, verdict: str, titles: dict[int, str]) -> dict[str, Any]:
    labels = {"approve": _("Approved"), "send_back": _("Sent back"), "reject": _("Rejected")}
    status = {"label": labels.get(verdict, ""), "tone": "success", "icon": "check"}
    text = ""
    if result.error is not None:
        status = {"label": _("Not decided"), "tone": "warning", "icon": "warning"}
        more = result.error.fields.values() if isinstance(result.error, Invalid) else ()
        text = " ".join([result.error.sentence, *more])
    elif result.state == "submitted":
        text = _("It now waits for the next to decide.")
    return {
        "number": result.number,
        "title": titles.get(result.number, ""),
        "url": reverse("request-detail", args=[result.number]),
        "status": status,
        "text": text,
        "look_again": isinstance(result.error, services.PlanChanged),
        "failed": result.error is not None,
    }


def _page(
    http: HttpRequest, error: UserError | None = None, note: str = "", chosen: set[str] | None = None
) -> HttpResponseBase:
    now = timezone.now()
    wanted = narrowing.read(http.GET, *FILTERS)
    page = _page_number(http)
    mine = queries.inbox_of(http.user, now)
    if http.GET.get("export") == "csv" and http.method != "POST":
        return _file(waiting.shown_rows(mine, wanted, now, size=MOST + 1)[0], now)
    found, fitting = waiting.shown_rows(mine, wanted, now, page)
    facets = waiting.facets(mine, now)
    # The navigation shows the same number, and need not count again.
    http.inbox_count = sum(one["count"] for one in facets)  # type: ignore[attr-defined]
    context = {
        "rows": [rows.inbox_row(one, now) for one in found],
        "total": http.inbox_count,  # type: ignore[attr-defined]
        "fitting": fitting if wanted.is_narrow else None,
        "urgent": sum(one["urgent"] for one in facets),
        "held": rows.held_rows(queries.delegations_held_by(http.user, now)),
        "filters": {"fields": _fields(wanted, facets), "action": reverse("inbox"), "is_narrow": wanted.is_narrow},
        "table": _table(http, wanted),
        "next_url": _page_url(http, page + 1) if fitting > page * waiting.PAGE else "",
        "previous_url": _page_url(http, page - 1) if page > 1 else "",
        "error": error.sentence if error else "",
        "note": note,
        "chosen": chosen or set(),
        "action": reverse("inbox-decide") + _query(http),
        "page_url": reverse("inbox"),
        "delegations_url": reverse("delegations"),
    }
    return render(http, "requests/inbox.html", context, status=error.status if error else 200)


def _table(http: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """Heads as web.tables makes them; this list has three orders of its own."""
    labels = {
        "request": _("Request"),
        "asker": _("Asked by"),
        "waiting": _("Waiting"),
        "risk": _("Risk"),
        "takes": _("Takes"),
    }
    # By column: what it sorts by, and in which direction; what waits may be sorted in two ways.
    sorts = {"waiting": ("age" if wanted.order == "" else "", "ascending"), "risk": ("risk", "descending")}
    sorted_by = "risk" if wanted.order == "risk" else "waiting"
    heads = [{"name": name, "label": label} for name, label in labels.items()]
    for head in heads:
        if head["name"] in sorts:
            order, direction = sorts[head["name"]]
            aria = direction if head["name"] == sorted_by else ""
            icon = {"ascending": "up", "descending": "down", "": "sort"}[aria]
            head |= {"url": _url(http, sort=order), "aria": aria, "icon": icon}
    return {"heads": heads, "labels": labels, "csv_url": _url(http, export="csv")}


def _file(found: list[waiting.Weighed], now: datetime) -> HttpResponseBase:
    heads = [_("Number"), _("Request"), _("For"), _("Asked by"), _("Waiting since"), _("Due"), _("As"), _("Risk")]
    heads += [_("What is risky"), _("Takes"), _("Changes")]
    return csv_file("inbox", heads, (_line(rows.inbox_row(one, now)) for one in found))


def _line(row: dict[str, Any]) -> list[object]:
    known = [row["number"], row["title"], row["subtitle"], row["asker"], row["since"], row["due_at"], row["group"]]
    return [*known, row["risk"]["label"], "; ".join(row["risks"]), row["effect"], row["changes"]]


def _fields(wanted: Wanted, facets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Filters; of kinds, tenants and groups those that occur."""
    suffix = "name_en" if (get_language() or "").startswith("en") else "name_zh"
    kinds = {one["kind"]: str(all_kinds()[one["kind"]].title) for one in facets if one["kind"] in all_kinds()}
    tenants = {one["tenant__code"]: one[f"tenant__{suffix}"] for one in facets if one["tenant__code"]}
    groups = {one["present__group__slug"]: one[f"present__group__{suffix}"] for one in facets}
    environments = {name: words.environment_label(name) for name in narrowing.ENVIRONMENTS}
    risks = {"high": _("High"), "medium": _("Medium"), "low": _("Low")}
    ages = {"overdue": _("Overdue"), "soon": _("Due within a day")}
    orders = {"age": _("Oldest first"), "risk": _("Riskiest first")}
    order = select_field("sort", _("Order"), wanted.order, orders)
    order["options"][0]["label"] = _("Due first")
    # Among kinds, tenants and groups there is a choice only where there are several.
    several = [
        select_field(name, label, value, choices)
        for name, label, value, choices in (
            ("kind", _("Kind"), wanted.kind, kinds),
            ("tenant", _("Tenant"), wanted.tenant, tenants),
            ("group", _("As"), wanted.group, groups),
        )
        if len(choices) > 1 or value
    ]
    return [
        text_field("q", _("Search"), wanted.text, _("Number, name, asker")),
        *several,
        select_field("environment", _("Environment"), wanted.environment, environments),
        select_field("risk", _("Risk"), wanted.risk, risks),
        select_field("age", _("Deadline"), wanted.age, ages),
        order,
    ]


def _page_number(http: HttpRequest) -> int:
    """Pages count from 1; what is no number is the first."""
    text = http.GET.get("page", "")
    return max(int(text), 1) if re.fullmatch("[0-9]{1,4}", text, re.ASCII) else 1


def _page_url(http: HttpRequest, page: int) -> str:
    return _url(http, page=str(page))


def _url(http: HttpRequest, **changes: str) -> str:
    """This list, from its beginning unless `page` is given."""
    query = http.GET.copy()
    for name in ("page", "export"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"


def _query(http: HttpRequest) -> str:
    return f"?{http.GET.urlencode()}" if http.GET else ""
