"""Pages of delegations: who stands in for whom and until when; giving and taking back."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from web.errors import Invalid, UserError
from web.exporting import csv_file
from web.filters import select_field
from web.moments import exact
from web.tables import Column, Table, shown_filters
from workflow import queries, rows, services

NAMES = ("to", "starts_at", "ends_at", "reason")
MOST = 200


@require_http_methods(["GET", "HEAD", "POST"])
def delegations(http: HttpRequest) -> HttpResponseBase:
    """Those given and held, and giving one."""
    if http.method != "POST":
        return _page(http)
    try:
        made = services.delegate(
            to=http.POST.get("to", "").strip(),
            starts_at=_moment(http, "starts_at", timezone.now()),
            ends_at=_moment(http, "ends_at"),
            reason=http.POST.get("reason", ""),
            by=http.user,
            at=timezone.now(),
        )
    except UserError as error:
        return _page(http, error)
    words = {"who": made.to, "until": exact(made.ends_at)}
    messages.success(http, _("%(who)s stands in for you until %(until)s.") % words)
    return redirect("delegations")


@require_POST
def revoke(http: HttpRequest, pk: int) -> HttpResponse:
    """Taking one back."""
    ended = services.revoke_delegation(pk=pk, by=http.user, at=timezone.now())
    messages.success(http, _("%(who)s no longer stands in for %(by)s.") % {"who": ended.to, "by": ended.by})
    return redirect("delegations")


def _page(http: HttpRequest, error: UserError | None = None) -> HttpResponseBase:
    table, state = Table(http, _columns()), http.GET.get("state", "")
    state = state if state in rows.DELEGATION_STATES else ""
    found = list(queries.delegations_visible_to(http.user)[:MOST])
    every = rows.delegation_rows(found, http.user, timezone.now())
    known = table.sorted([row for row in every if not state or row["state"] == state])
    if table.wants_csv and http.method != "POST":
        return _file(known)
    states = {name: str(label) for name, label in rows.DELEGATION_STATES.items()}
    filters = [select_field("state", _("Status"), state, states)]
    fields = dict(error.fields) if isinstance(error, Invalid) else {}
    context = {
        "table": table,
        "total": len(every),
        "filters": shown_filters(table, filters, reverse("delegations"), bool(state)),
        "given": [row for row in known if row["is_given"]],
        "held": [row for row in known if row["is_held"]],
        "others": [row for row in known if not row["is_given"] and not row["is_held"]],
        "may_delegate": bool(http.user.approver_slugs) and http.user.owner_id is None,
        "values": {name: http.POST.get(name, "") for name in NAMES},
        "errors": {pointer.removeprefix("/"): text for pointer, text in fields.items()},
        "error": error.sentence if error else "",
        "page_url": reverse("delegations"),
    }
    return render(http, "delegations/list.html", context, status=error.status if error else 200)


def _columns() -> list[Column]:
    return [
        Column("to", _("Decides"), "to"),
        Column("by", _("In place of"), "by"),
        Column("from", _("From"), "starts_at", sort="time"),
        Column("until", _("Until"), "ends_at", sort="time"),
        Column("status", _("Status")),
        Column("action", _("Action"), is_silent=True),
    ]


def _file(known: list[dict[str, Any]]) -> HttpResponseBase:
    heads = [_("Decides"), _("In place of"), _("From"), _("Until"), _("Reason"), _("Status")]
    names = ("to", "by", "starts_at", "ends_at", "reason")
    return csv_file("delegations", heads, ([*(row[name] for name in names), row["status"]["label"]] for row in known))


def _moment(http: HttpRequest, name: str, default: datetime | None = None) -> datetime:
    """A time as browsers post it ("2026-11-23T15:20"), in the portal's time zone. Raises Invalid."""
    text = http.POST.get(name, "").strip()
    if not text and default is not None:
        return default
    if not text:
        raise Invalid(_("Please correct the marked fields."), {f"/{name}": _("This is needed.")})
    try:
        at = datetime.fromisoformat(text)
        return timezone.make_aware(at) if timezone.is_naive(at) else at
    except (ValueError, OverflowError):
        raise Invalid(_("Please correct the marked fields."), {f"/{name}": _("This is not a time.")}) from None
