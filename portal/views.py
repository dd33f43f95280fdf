"""Home, and whether the portal is well."""

from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from tenants import queries as tenants
from tenants.rows import project_row
from tenants.views import with_objects
from web.fragments import fragment
from workflow import queries
from workflow.rows import inbox_rows, request_row

SHOWN = 6


@require_safe
def home(http: HttpRequest) -> HttpResponse:
    """What do I have, what waits for me, what do I do next."""
    user = http.user
    waiting = inbox_rows(queries.inbox_of(user)[:SHOWN]) if user.approver_slugs else None
    context = _requests(user) | _projects(user)
    context |= {
        "greeting": _("Hello, %(name)s") % {"name": user},
        "inbox": waiting,
        "next_steps": _next_steps(context["can_ask"], bool(context["projects"])),
    }
    return render(http, "home.html", context)


def _next_steps(can_ask: bool, has_projects: bool) -> list[dict[str, str]]:
    """What to do first for who has nothing yet; what waits for a decision has a card of its own."""
    if not can_ask or has_projects:
        return []
    return [
        {
            "icon": "project",
            "tone": "info",
            "title": _("Ask for your first project"),
            "url": reverse("request-new", args=["new-project"]),
            "text": _("Development projects are ready within a minute."),
            "action": _("Ask"),
        }
    ]


@require_safe
def home_requests(http: HttpRequest) -> HttpResponse:
    """Fragment: my newest requests."""
    return fragment(http, "home/_requests.html", _requests(http.user), reverse("home"))


@require_safe
def home_projects(http: HttpRequest) -> HttpResponse:
    """Fragment: projects of my tenants."""
    return fragment(http, "home/_projects.html", _projects(http.user), reverse("home"))


def _requests(user: User) -> dict[str, Any]:
    mine = queries.requests_visible_to(user).filter(asker=user).order_by("-pk")[:SHOWN]
    rows = [request_row(found) for found in mine]
    return {"requests": rows, "poll": any("now" in row["track"] for row in rows)}


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
