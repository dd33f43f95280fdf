"""Pages of webhooks: the list with registering, one endpoint with what was sent to it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from notify import permissions, queries, rows, services
from notify.events import EVENTS
from notify.models import Endpoint
from web import paging
from web.errors import Invalid, NotFound, UserError

SHOWN = 30
MOST = 200


@require_http_methods(["GET", "HEAD", "POST"])
def everything(http: HttpRequest) -> HttpResponse:
    """Those one may see; registering one answers its page with the secret, this once."""
    if http.method != "POST":
        return _list(http)
    try:
        tenant = http.POST.get("tenant", "")
        made, secret = services.register_endpoint(tenant=tenant, **_posted(http), by=http.user, at=timezone.now())
    except UserError as error:
        return _list(http, error)
    return _page(http, made, secret=secret)


@require_http_methods(["GET", "HEAD", "POST"])
def detail(http: HttpRequest, uid: UUID) -> HttpResponse:
    """One endpoint and what was sent to it; changing it."""
    found = _endpoint_or_404(http, uid)
    if http.method != "POST":
        return _page(http, found)
    try:
        services.change_endpoint(uid=uid, **_posted(http), by=http.user, at=timezone.now())
    except Invalid as error:
        return _page(http, found, error)
    messages.success(http, _("Changed."))
    return redirect("webhook", uid)


@require_POST
def act(http: HttpRequest, uid: UUID) -> HttpResponse:
    """One of its buttons: enable, disable, test, rotate, remove."""
    what, who = http.POST.get("what", ""), {"uid": uid, "by": http.user, "at": timezone.now()}
    if what == "rotate":
        hours = paging.whole_number(http.POST, "hours")
        found, secret = services.rotate_secret(**who, hours=24 if hours is None else hours)
        return _page(http, found, secret=secret)
    if what == "remove":
        services.remove_endpoint(**who)
        messages.success(http, _("The webhook is removed."))
        return redirect("webhooks")
    acts = {"enable": services.enable_endpoint, "disable": services.disable_endpoint, "test": services.send_test}
    if what not in acts:
        raise Invalid(_("Please choose."))
    acts[what](**who)
    said = {"enable": _("Switched on."), "disable": _("Switched off."), "test": _("A test event is on its way.")}
    messages.success(http, said[what])
    return redirect("webhook", uid)


@require_POST
def replay(http: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Sends one delivery again."""
    services.replay(uid=uid, delivery=pk, by=http.user, at=timezone.now())
    messages.success(http, _("It is sent again."))
    return redirect("webhook", uid)


def _endpoint_or_404(http: HttpRequest, uid: UUID) -> Endpoint:
    found = queries.endpoints_visible_to(http.user).filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such webhook."))
    return found


def _posted(http: HttpRequest) -> dict[str, Any]:
    return {
        "url": http.POST.get("url", "").strip(),
        "events": http.POST.getlist("events"),
        "description": http.POST.get("description", ""),
    }


def _list(http: HttpRequest, error: UserError | None = None) -> HttpResponse:
    values = {**_posted(http), "tenant": http.POST.get("tenant", "")}
    errors = dict(error.fields) if isinstance(error, Invalid) else {}
    tenants = list(queries.tenants_managed_by(http.user)[:MOST])
    options = [{"value": one.code, "label": str(one)} for one in tenants]
    if http.user.is_administrator:
        options = [{"value": "", "label": _("Whole portal")}, *options]
    who = {"name": "tenant", "label": _("Of which tenant"), "kind": "select", "value": values["tenant"]}
    who |= {"options": options, "errors": [errors["/tenant"]] if "/tenant" in errors else []}
    context = {
        "rows": [rows.endpoint_row(one) for one in queries.endpoints_visible_to(http.user)[:MOST]],
        "can_register": bool(options) and permissions.can_manage_any(http.user),
        "fields": [who, *_fields(values, errors)],
        "error": error.sentence if error else "",
        "page_url": reverse("webhooks"),
    }
    return render(http, "webhooks/list.html", context, status=error.status if error else 200)


def _page(
    http: HttpRequest,
    found: Endpoint,
    error: UserError | None = None,
    secret: str = "",  # nosec B107  # none
) -> HttpResponse:
    values = _posted(http) if error else {"url": found.url, "events": found.events, "description": found.description}
    errors = dict(error.fields) if isinstance(error, Invalid) else {}
    page, after = paging.page_of(queries.deliveries_of(found), http.GET, SHOWN)
    for one in page:
        one.endpoint = found
    context = {
        "w": rows.endpoint_row(found),
        "deliveries": [rows.delivery_row(one) for one in page],
        "next_url": paging.next_url(http.GET, after),
        "fields": _fields(values, errors),
        "error": error.sentence if error else "",
        "secret": secret,
        "page_url": reverse("webhook", args=[found.uid]),
        "act_url": reverse("webhook-act", args=[found.uid]),
    }
    answer = render(http, "webhooks/detail.html", context, status=error.status if error else 200)
    if secret:
        answer["Cache-Control"] = "no-store"
    return answer


def _fields(values: dict[str, Any], errors: dict[str, str]) -> list[dict[str, Any]]:
    def wrong(name: str) -> list[str]:
        return [errors[f"/{name}"]] if f"/{name}" in errors else []

    events = [{"value": name, "label": name} for name in EVENTS]
    return [
        {"name": "url", "label": _("Address"), "kind": "text", "value": values["url"], "required": True,
         "help": _("https://, reachable from the portal; it is not followed elsewhere."), "errors": wrong("url")},
        {"name": "events", "label": _("Events"), "kind": "checkbox", "value": values["events"], "options": events,
         "help": _("None chosen: all of them."), "errors": wrong("events")},
        {"name": "description", "label": _("Description"), "kind": "text", "value": values["description"],
         "errors": wrong("description")},
    ]  # fmt: skip
