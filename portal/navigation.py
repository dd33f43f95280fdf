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
    work = [_item(_("Home"), "home", "home"), _item(_("My requests"), "requests-mine", "send")]
    if user.approver_slugs:
        count = inbox_of(user).order_by().count()
        work.append(_item(_("Waiting for me"), "inbox", "inbox", count))
    everything = [
        _item(_("Projects"), "projects", "project"),
        _item(_("Requests"), "requests", "list"),
    ]
    _mark_current(request.path, [*work, *everything])
    return {
        "nav": [{"title": _("Work"), "items": work}, {"title": _("Resources"), "items": everything}],
        "theme": user.theme,
    }


def _item(label: str, name: str, icon: str, count: int = 0) -> dict[str, Any]:
    return {"label": label, "url": reverse(name), "icon": icon, "current": False, "count": count}


def _mark_current(path: str, items: list[dict[str, Any]]) -> None:
    """Marks the item that the page belongs to: the one with the longest address that the page's begins with."""
    above = [item for item in items if path == item["url"] or (item["url"] != "/" and path.startswith(item["url"]))]
    if above:
        max(above, key=lambda item: len(item["url"]))["current"] = True
