"""The side navigation: what a person can go to, and what waits there."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from portal.permissions import reads_all_events
from web import moments
from workflow.authority import decides_anything
from workflow.queries import inbox_of


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav` [{title, items: [{label, url, icon, current, count}]}], `theme` and `emergency` for the base template."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": [], "theme": ""}
    if request.headers.get("HX-Request") == "true":
        return {"nav": [], "theme": user.theme, "emergency": _emergency(user)}
    sections: list[dict[str, Any]] = [
        {"title": _("Work"), "items": _work(request, user, timezone.now())},
        {"title": _("Resources"), "items": _resources()},
        {"title": _("Rules"), "items": _rules(user)},
    ]
    _mark_current(request.path, [item for section in sections for item in section["items"]])
    return {"nav": sections, "theme": user.theme, "emergency": _emergency(user)}


def _emergency(user: User) -> dict[str, str] | None:
    """What every page says to whoever came in by emergency access."""
    if user.local_until is None:
        return None
    until = moments.exact(user.local_until)
    return {
        "title": _("Emergency access until %(until)s") % {"until": until},
        "text": _("For: %(reason)s. Whatever you do is recorded under this name.") % {"reason": user.local_reason},
    }


def _work(request: HttpRequest, user: User, now: datetime) -> list[dict[str, Any]]:
    """What one does: ask, follow, decide."""
    items = [
        _item(_("Home"), "home", "home"),
        _item(_("New request"), "requests-new", "plus"),
        _item(_("My requests"), "requests-mine", "send"),
    ]
    count = _inbox_count(request, user, now)
    if count is not None:
        items.append(_item(_("Waiting for me"), "inbox", "inbox", count))
        items.append(_item(_("Delegation"), "delegations", "group"))
    return items


def _inbox_count(request: HttpRequest, user: User, now: datetime) -> int | None:
    """How much waits for the person, None for who decides nothing; pages that know already say so in `inbox_count`."""
    if hasattr(request, "inbox_count"):
        known: int | None = request.inbox_count
        return known
    return inbox_of(user, now).order_by().count() if decides_anything(user, now) else None


def _resources() -> list[dict[str, Any]]:
    return [
        _item(_("Projects"), "projects", "project"),
        _item(_("Tenants"), "tenants", "group"),
        _item(_("Clusters"), "clusters", "cluster"),
        _item(_("Requests"), "requests", "list"),
    ]


def _rules(user: User) -> list[dict[str, Any]]:
    """Owners of tenants find audit and webhooks on pages of theirs: who owns one is not asked for every page."""
    items = [_item(_("Policies"), "policies", "policy")]
    if user.is_administrator:
        items.append(_item(_("Webhooks"), "webhooks", "link"))
    if reads_all_events(user):
        items.append(_item(_("Audit"), "audit", "audit"))
    return items


def _item(label: str, name: str, icon: str, count: int = 0) -> dict[str, Any]:
    return {"label": label, "url": reverse(name), "icon": icon, "current": False, "count": count}


def _mark_current(path: str, items: list[dict[str, Any]]) -> None:
    """Marks the item that the page belongs to: the one with the longest address that the page's begins with."""
    above = [item for item in items if path == item["url"] or (item["url"] != "/" and path.startswith(item["url"]))]
    if above:
        max(above, key=lambda item: len(item["url"]))["current"] = True
