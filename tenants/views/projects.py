"""Pages of projects."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters import drift_rows, words
from tenants import figures, queries, rows, tenant_rows
from tenants.deletion_rows import deletion_row
from tenants.kinds.project_requests import numbers_of
from tenants.models import Project
from web import paging
from web.errors import NotFound
from web.fragments import fragment
from workflow.models import Request
from workflow.queries import requests_visible_to
from workflow.rows import request_row


def with_objects(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Projects with what their rows need, in a constant number of queries."""
    return projects.prefetch_related("bundle__objects_kept")


def _project_or_404(http: HttpRequest, uid: UUID) -> Project:
    seen = queries.projects_visible_to(http.user).select_related("bundle__drift")
    found = with_objects(seen).filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such project."))
    return found


@require_safe
def listing(http: HttpRequest) -> HttpResponse:
    """All projects the person may see."""
    lines = queries.with_usage(queries.as_lines(queries.projects_visible_to(http.user)))
    page, after = paging.page_of(lines, http.GET)
    ask_url = reverse("request-new", args=["new-project"]) if queries.tenants_askable_by(http.user).exists() else ""
    context = {
        "rows": [rows.project_row(project) for project in page],
        "next_url": paging.next_url(http.GET, after),
        "ask_url": ask_url,
        "empty": {
            "title": _("No projects yet"),
            "text": _("A project is a namespace of your own, with quota and members.") if ask_url else "",
            "action_label": _("New project"),
            "action_url": ask_url,
        },
    }
    return render(http, "projects/list.html", context)


@require_safe
def detail(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Is it ready, how much of its quota is used, who is in it, what belongs to it."""
    project = _project_or_404(http, uid)
    requests = requests_visible_to(http.user).filter(pk__in=numbers_of(project)).order_by("-pk")[:20]
    context = _state(project) | {
        "facts": rows.project_facts(project),
        "deletion": deletion_row(project, http.user, timezone.now()),
        "drift": drift_rows.drift_line(project.bundle),
        "quota_note": rows.quota_note(project),
        "members": rows.member_rows(project),
        "requests": [request_row(found) for found in requests],
        **_asked(http, project, next((found for found in requests if found.is_open), None)),
    }
    return render(http, "projects/detail.html", context)


def _asked(http: HttpRequest, project: Project, waiting: Request | None) -> dict[str, Any]:
    """What may be asked for, or the open request that is in the way, and what that one does to the quota."""
    quota = figures.of(waiting.values) if waiting is not None and waiting.kind == "change-quota" else None
    busy = request_row(waiting) if waiting is not None else None
    roles = queries.roles_in(project.tenant, http.user)
    return {
        "bars": rows.quota_bars(project, quota),
        "asked_quota": busy if quota else None,
        "busy": busy,
        "actions": [] if busy else tenant_rows.project_actions(project, roles, http.user),
    }


def _state(project: Project) -> dict[str, Any]:
    shown = rows.project_row(project) | {
        "pk": project.uid,
        "uid": project.uid,
        "environment_label": words.environment_label(project.environment),
        "cluster": project.bundle.cluster.name,
        "cluster_url": reverse("cluster", args=[project.bundle.cluster.name]),
        "bundle_url": reverse("bundle", args=[project.bundle.uid]),
        "owner": str(project.owner),
        "tenant_url": reverse("tenant-detail", args=[project.tenant.code]),
        "cost_centre": project.cost_centre,
    }
    return {
        "p": shown,
        "objects": words.object_rows(project.bundle),
        "committed": words.bundle_message(project.bundle),
        "poll": not words.is_settled(project.bundle),
    }


@require_safe
def state(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Fragment: how far the cluster agrees."""
    page = reverse("project-detail", args=[uid])
    return fragment(http, "projects/_state.html", _state(_project_or_404(http, uid)), page)
