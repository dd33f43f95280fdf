"""Pages of messages: the list, the bell's parts, having read them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notify import queries, rows, services
from notify.bell import counted
from notify.models.message import SORTS
from web import paging
from web.filters import select_field
from web.fragments import fragment

# What the bell unfolds.
NEWEST = 6


@require_safe
def everything(http: HttpRequest) -> HttpResponse:
    """All one was told, newest first."""
    state, sort = _choice(http, "state", ("unread",)), _choice(http, "sort", SORTS)
    found = queries.unread_of(http.user) if state else queries.messages_visible_to(http.user)
    if sort:
        found = found.filter(sort=sort)
    page, after = paging.page_of(found, http.GET)
    fields = [
        select_field("state", _("State"), state, {"unread": _("Unread")}),
        select_field("sort", _("About"), sort, rows.sort_labels()),
    ]
    context = {
        "rows": rows.message_rows(page),
        "newest": page[0].pk if page else "",
        "next_url": paging.next_url(http.GET, after),
        "filters": {"fields": fields, "action": http.path, "is_narrow": bool(state or sort)},
    }
    return render(http, "notifications/list.html", context)


@require_safe
def count(http: HttpRequest) -> HttpResponse:
    """Fragment: the number on the bell."""
    return fragment(http, "notifications/_count.html", {"bell": counted(http.user)}, reverse("notifications"))


@require_safe
def newest(http: HttpRequest) -> HttpResponse:
    """Fragment: what the bell unfolds."""
    found = list(queries.messages_visible_to(http.user)[:NEWEST])
    context = {"rows": rows.message_rows(found), "newest": found[0].pk if found else ""}
    return fragment(http, "notifications/_newest.html", context, reverse("notifications"))


@require_POST
def read(http: HttpRequest, pk: int) -> HttpResponse:
    """One is read; then the list again."""
    services.read(pk=pk, by=http.user, at=timezone.now())
    return redirect("notifications")


@require_POST
def read_all(http: HttpRequest) -> HttpResponse:
    """All that were shown are read."""
    until: Any = paging.whole_number(http.POST, "until")
    services.read_all(until=until, by=http.user, at=timezone.now())
    return redirect("notifications")


def _choice(http: HttpRequest, name: str, known: tuple[str, ...]) -> str:
    """What the address says, "" for anything that is no choice."""
    text: str = http.GET.get(name, "")
    return text if text in known else ""
