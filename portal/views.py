"""Home, search, the reference of the REST API, and whether the portal is well."""

from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Case, Count, Exists, OuterRef, Q, When, Window
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from accounts.models import User
from portal import home_rows, metrics, search
from portal.document_api import document
from portal.permissions import may_read_metrics
from portal.reference import operation_page, sections
from tenants import queries as tenants
from tenants.models import Project
from tenants.views.projects import with_objects
from web.errors import NotFound
from web.filters import LONGEST, text_field
from web.fragments import fragment
from web.searching import words_of
from workflow import inbox, queries
from workflow.authority import decides_anything
from workflow.machine import CHANGES_REQUESTED, OPEN_STATES
from workflow.models import Request

SHOWN = 6


@require_safe
def home(http: HttpRequest) -> HttpResponse:
    """What do I have, what waits for me, what do I do next."""
    user, now = http.user, timezone.now()
    waiting, mine, has = _waiting(user, now), _mine(user), _has(user)
    # The navigation shows the same number.
    http.inbox_count = waiting["waiting_count"]  # type: ignore[attr-defined]
    steps = home_rows.next_steps(mine, has.projects, has.askable)
    requests = home_rows.request_rows(mine)
    # Who decides for tenants that are not theirs has nothing of their own here.
    decides_only = waiting["inbox"] is not None and not has.askable
    context = requests | _projects(user, has) | waiting
    context |= {
        "greeting": _("Hello, %(name)s") % {"name": user},
        "lead": home_rows.lead(0 if decides_only else has.total, len(steps), waiting["waiting_count"]),
        "next_steps": steps,
        "shows_requests": bool(mine) or not decides_only,
        "has_aside": bool(steps or waiting["urgent"] or mine) or not decides_only,
        "shows_projects": not decides_only,
    }
    return render(http, "home.html", context)


def _waiting(user: User, now: datetime) -> dict[str, Any]:
    """What is due first of what waits for the person, and how much that is; None for who decides nothing."""
    if not decides_anything(user, now):
        return {"inbox": None, "waiting_count": None, "urgent": []}
    found, totals = inbox.first_rows(queries.inbox_of(user, now), now, SHOWN)
    rows = home_rows.waiting_rows(found, now)
    return {"inbox": rows, "waiting_count": totals.total, "urgent": home_rows.waiting_steps(totals)}


@require_safe
def home_requests(http: HttpRequest) -> HttpResponse:
    """Fragment: my newest requests."""
    return fragment(http, "home/_requests.html", home_rows.request_rows(_mine(http.user)), reverse("home"))


@require_safe
def home_projects(http: HttpRequest) -> HttpResponse:
    """Fragment: projects of my tenants."""
    return fragment(http, "home/_projects.html", _projects(http.user, _has(http.user)), reverse("home"))


def _mine(user: User) -> list[Request]:
    """The person's newest requests, those sent back before others that are open, those before all others."""
    sent_back = Q(state=CHANGES_REQUESTED) | Q(children__state=CHANGES_REQUESTED)
    mine = queries.requests_visible_to(user).filter(Q(asker=user) | Q(asker__owner=user))
    back = When(Exists(Request.objects.filter(sent_back, pk=OuterRef("pk"))), then=0)
    rank = Case(back, When(state__in=OPEN_STATES, then=1), default=2)
    return list(queries.top_level(mine).order_by(rank, "-pk")[:SHOWN])


class _Has(NamedTuple):
    """Projects a person sees, those first that need somebody, how many there are in all, and for which tenants (ids)
    they may ask."""

    projects: list[Project]
    total: int
    askable: frozenset[int]


def _has(user: User) -> _Has:
    needy = Q(bundle__blocked=True) | Q(bundle__attempts__gt=0) | Q(bundle__drift__found_at__isnull=False)
    seen = with_objects(tenants.projects_visible_to(user)).select_related("bundle__drift")
    seen = seen.annotate(total=Window(Count("pk")))
    found = list(seen.order_by(Case(When(needy, then=0), default=1), "-pk")[:SHOWN])
    askable = frozenset(tenants.tenants_askable_by(user).values_list("pk", flat=True))
    return _Has(found, found[0].total if found else 0, askable)


def _projects(user: User, has: _Has) -> dict[str, Any]:
    return {
        "groups": home_rows.project_groups(has.projects),
        "projects_count": has.total,
        "projects_title": _("Projects") if user.sees_all_tenants else _("My projects"),
        "can_ask": bool(has.askable),
        "ask_url": reverse("request-new", args=["new-project"]),
    }


@require_safe
def metrics_text(http: HttpRequest) -> HttpResponse:
    """What Prometheus reads."""
    if not may_read_metrics(http):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(metrics.text(timezone.now()), content_type=CONTENT_TYPE_LATEST)


@require_safe
def search_page(http: HttpRequest) -> HttpResponse:
    """What the person may see and is called so."""
    text = http.GET.get("q", "")
    groups = search.search(text, http.user)
    context = {"search_text": text[:LONGEST], "groups": groups, "count": sum(len(group.hits) for group in groups)}
    return render(http, "search.html", context)


@require_safe
def search_panel(http: HttpRequest) -> HttpResponse:
    """Fragment: the first of it, for the panel below the box."""
    text = http.GET.get("q", "")
    groups = search.search(text, http.user, search.IN_PANEL)
    words = " ".join(words_of(text))
    context = {
        "groups": groups,
        "count": sum(len(group.hits) for group in groups),
        "words": words,
        "page_url": reverse("search", query={"q": words}),
    }
    return fragment(http, "search/_panel.html", context, context["page_url"])


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
