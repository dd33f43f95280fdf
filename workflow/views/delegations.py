"""Pages of delegations: who stands in for whom and until when; giving and taking back."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from web.errors import Invalid, UserError
from web.moments import exact
from workflow import queries, rows, services

NAMES = ("to", "starts_at", "ends_at", "reason")
MOST = 200


@require_http_methods(["GET", "HEAD", "POST"])
def delegations(http: HttpRequest) -> HttpResponse:
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


def _page(http: HttpRequest, error: UserError | None = None) -> HttpResponse:
    now = timezone.now()
    found = list(queries.delegations_visible_to(http.user)[:MOST])
    known = rows.delegation_rows(found, http.user, now)
    fields = dict(error.fields) if isinstance(error, Invalid) else {}
    context = {
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
