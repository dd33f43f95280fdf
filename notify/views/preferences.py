"""The page on which a person says when they are mailed."""

from datetime import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notify import queries, rows, services
from notify.models.message import SORTS
from web.errors import Invalid
from web.sentences import shown


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(http: HttpRequest) -> HttpResponse:
    """What is mailed at once, daily or never, and when the daily mail comes."""
    if http.method != "POST":
        return _page(http)
    try:
        daily_at = _time(http.POST.get("daily_at", ""))
        wishes = {sort: http.POST[sort] for sort in SORTS if sort in http.POST}
        zone = http.POST.get("time_zone", "").strip()
        services.prefer(wishes=wishes, daily_at=daily_at, time_zone=zone, by=http.user, at=timezone.now())
    except Invalid as error:
        return _page(http, error)
    messages.success(http, _("Saved."))
    return redirect("notification-preferences")


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text or "08:30").replace(tzinfo=None, second=0, microsecond=0)
    except ValueError:
        raise Invalid(_("Please correct the marked fields."), {"/daily_at": _("This is not a time.")}) from None


def _page(http: HttpRequest, error: Invalid | None = None) -> HttpResponse:
    found, failed = queries.preference_of(http.user), queries.failed_mail_of(http.user)
    context = {
        "fields": _fields(http, found, dict(error.fields) if error else {}),
        "email": http.user.email,
        "is_configured": bool(settings.MAIL_HOST),
        "problem": shown(failed.problem) if failed else "",
        "error": error.sentence if error else "",
        "page_url": reverse("notification-preferences"),
    }
    return render(http, "notifications/preferences.html", context, status=error.status if error else 200)


def _fields(http: HttpRequest, found: Any, errors: dict[str, str]) -> list[dict[str, Any]]:
    choices = {"now": _("At once"), "daily": _("In the daily mail"), "off": _("Never")}
    options = [{"value": value, "label": label} for value, label in choices.items()]
    fields = [
        {"name": sort, "label": label, "kind": "select", "value": getattr(found, sort), "options": options}
        for sort, label in rows.sort_labels().items()
    ]
    zone_help = _("Empty: that of the portal, %(zone)s") % {"zone": settings.TIME_ZONE}
    daily_at = f"{found.daily_at:%H:%M}"
    fields += [
        {"name": "daily_at", "label": _("Daily mail at"), "kind": "text", "value": daily_at, "attrs": {"type": "time"}},
        {"name": "time_zone", "label": _("Time zone"), "kind": "text", "value": found.time_zone, "help": zone_help},
    ]
    for field in fields:
        name = field["name"]
        field["value"] = http.POST.get(name, field["value"])
        field["errors"] = [errors[f"/{name}"]] if f"/{name}" in errors else []
    return fields
