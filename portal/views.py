"""Home, the reference of the REST API, and whether the portal is well."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Case, Exists, OuterRef, Q, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from portal.document_api import document
from portal.reference import operation_page, sections
from tenants import queries as tenants
from tenants.rows import project_row
from tenants.views.projects import with_objects
from web.errors import NotFound
from web.filters import LONGEST, text_field
from web.fragments import fragment
from workflow import inbox, queries
from workflow.authority import decides_anything
from workflow.machine import CHANGES_REQUESTED
from workflow.models import Request
from workflow.narrowing import Wanted
from workflow.rows import inbox_row, is_parent, request_row

SHOWN = 6


@require_safe
def home(http: HttpRequest) -> HttpResponse:
    """What do I have, what waits for me, what do I do next."""
    user, now = http.user, timezone.now()
    waiting, mine = _waiting(user, now), _mine(user)
    # The navigation shows the same number.
    http.inbox_count = waiting["waiting_count"]  # type: ignore[attr-defined]
    context = _requests(mine) | _projects(user) | waiting
    context |= {
        "greeting": _("Hello, %(name)s") % {"name": user},
        "next_steps": _next_steps(mine, context["can_ask"], bool(context["projects"])),
    }
    return render(http, "home.html", context)


def _waiting(user: User, now: datetime) -> dict[str, Any]:
    """What is due first of what waits for the person, and how much that is; None for who decides nothing."""
    if not decides_anything(user, now):
        return {"inbox": None, "waiting_count": None}
    mine = queries.inbox_of(user, now)
    found, count = inbox.shown_rows(mine, Wanted(), now, size=SHOWN)
    return {"inbox": [inbox_row(one, now) for one in found], "waiting_count": count}


def _next_steps(mine: list[Request], can_ask: bool, has_projects: bool) -> list[dict[str, str]]:
    """What was sent back to the person, then what to do first for who has nothing yet; what waits for a decision has a
    card of its own."""
    parts = [part for found in mine for part in (found.children.all() if is_parent(found) else [found])]
    steps = [_sent_back_step(part) for part in parts if part.state == CHANGES_REQUESTED]
    if can_ask and not has_projects:
        steps.append(_first_step())
    return steps


def _sent_back_step(found: Request) -> dict[str, str]:
    return {
        "icon": "edit",
        "tone": "warning",
        "title": _("#%(number)s %(title)s was sent back to you") % {"number": found.number, "title": found.title},
        "url": reverse("request-detail", args=[found.number]),
        "text": _("Read what is asked for and change it; it expires if nothing happens."),
        "action": _("Open"),
    }


def _first_step() -> dict[str, str]:
    return {
        "icon": "project",
        "tone": "info",
        "title": _("Ask for your first project"),
        "url": reverse("request-new", args=["new-project"]),
        "text": _("Development projects are ready within a minute."),
        "action": _("Ask"),
    }


@require_safe
def home_requests(http: HttpRequest) -> HttpResponse:
    """Fragment: my newest requests."""
    return fragment(http, "home/_requests.html", _requests(_mine(http.user)), reverse("home"))


@require_safe
def home_projects(http: HttpRequest) -> HttpResponse:
    """Fragment: projects of my tenants."""
    return fragment(http, "home/_projects.html", _projects(http.user), reverse("home"))


def _mine(user: User) -> list[Request]:
    """The person's newest requests, those sent back before all others."""
    sent_back = Q(state=CHANGES_REQUESTED) | Q(children__state=CHANGES_REQUESTED)
    mine = queries.requests_visible_to(user).filter(Q(asker=user) | Q(asker__owner=user))
    rank = Case(When(Exists(Request.objects.filter(sent_back, pk=OuterRef("pk"))), then=0), default=1)
    return list(queries.top_level(mine).order_by(rank, "-pk")[:SHOWN])


def _requests(mine: list[Request]) -> dict[str, Any]:
    rows = [request_row(found) for found in mine]
    tracks = [one["track"] for row in rows for one in [row, *row["children"]]]
    return {"requests": rows, "poll": any("now" in track for track in tracks)}


def _projects(user: User) -> dict[str, Any]:
    found = with_objects(tenants.projects_visible_to(user)).order_by("-pk")[:SHOWN]
    return {
        "projects": [project_row(project) for project in found],
        "projects_title": _("Projects") if user.sees_all_tenants else _("My projects"),
        "can_ask": tenants.tenants_askable_by(user).exists(),
        "ask_url": reverse("request-new", args=["new-project"]),
    }


@require_safe
def healthz(http: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(http: HttpRequest) -> HttpResponse:
    """The database answers; without it no page can."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "database unreachable"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
def reference(http: HttpRequest) -> HttpResponse:
    """The operations of the REST API by subject, searched by word."""
    text = http.GET.get("q", "")[:LONGEST]
    found = sections(document(get_language() or settings.LANGUAGE_CODE), text)
    context = {
        "sections": found,
        "count": sum(len(one["operations"]) for one in found),
        "field": text_field("q", _("Search"), text, _("Method, path or word")),
        "is_narrow": bool(text.strip()),
        "page_url": reverse("reference"),
        "document_url": reverse("api-schema"),
        "tokens_url": reverse("tokens"),
    }
    return render(http, "reference/list.html", context)


@require_safe
def reference_operation(http: HttpRequest, name: str) -> HttpResponse:
    """One operation: what it takes, what it answers, and how to call it."""
    found = operation_page(document(get_language() or settings.LANGUAGE_CODE), name)
    if found is None:
        raise NotFound(_("There is no such operation."))
    return render(http, "reference/operation.html", {"o": found, "list_url": reverse("reference")})
