"""The side navigation: what a person can go to, and what waits there."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from workflow.queries import inbox_of


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav` [{title, items: [{label, url, icon, current, count}]}] and `theme` for the base template."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": [], "theme": ""}
    if request.headers.get("HX-Request") == "true":
        return {"nav": [], "theme": user.theme}
    work = [_item(request, _("Home"), "home", "home"), _item(request, _("My requests"), "requests-mine", "send")]
    if user.approver_slugs:
        count = inbox_of(user).order_by().count()
        work.append(_item(request, _("Waiting for me"), "inbox", "inbox", count))
    everything = [
        _item(request, _("Projects"), "projects", "project"),
        _item(request, _("Requests"), "requests", "list"),
    ]
    return {
        "nav": [{"title": _("Work"), "items": work}, {"title": _("Resources"), "items": everything}],
        "theme": user.theme,
    }


def _item(request: HttpRequest, label: str, name: str, icon: str, count: int = 0) -> dict[str, Any]:
    url = reverse(name)
    return {"label": label, "url": url, "icon": icon, "current": request.path == url, "count": count}
