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

from clusters import bundle_rows, drift_rows, words
from tenants import figures, queries, rows, steps, tenant_rows, usage_rows
from tenants.deletion_rows import deletion_row
from tenants.kinds.project_requests import numbers_of
from tenants.models import Project
from web.errors import NotFound
from web.fragments import fragment
from workflow.models import Request
from workflow.queries import requests_visible_to
from workflow.rows import request_row


def with_objects(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Projects with what their rows need, in a constant number of queries."""
    return projects.prefetch_related("bundle__objects_kept")


def _project_or_404(http: HttpRequest, uid: UUID) -> Project:
    seen = queries.projects_visible_to(http.user)
    found = with_objects(seen).filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such project."))
    return found


@require_safe
def detail(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Is it ready, how much of its quota is used, who is in it, what belongs to it."""
    shown = queries.environments_of(uid, http.user).select_related("bundle__drift", "bundle__cluster__health")
    siblings = list(with_objects(shown))
    project = next((one for one in siblings if one.uid == uid), None)
    if project is None:
        raise NotFound(_("There is no such project."))
    requests = list(requests_visible_to(http.user).filter(pk__in=numbers_of(project)).order_by("-pk")[:20])
    waiting = [found for found in requests if found.is_open]
    members = rows.member_rows(project)
    context = _state(project) | {
        "list_url": reverse("projects"),
        "facts": rows.project_facts(project),
        "siblings": rows.sibling_rows(project, siblings),
        "deletion": deletion_row(project, http.user, timezone.now()),
        "drift": drift_rows.drift_line(project.bundle),
        "unreachable": bundle_rows.waits_for(project.bundle),
        "quota_note": rows.quota_note(project),
        "usage": usage_rows.usage_row(project, http.GET, timezone.now()),
        "members": members,
        "requests": [request_row(found) for found in waiting],
        "past": [request_row(found) for found in requests if not found.is_open],
        **_asked(http, project, waiting, siblings, has_members=bool(members)),
    }
    return render(http, "projects/detail.html", context)


def _asked(
    http: HttpRequest, project: Project, waiting: list[Request], siblings: list[Project], *, has_members: bool
) -> dict[str, Any]:
    """What may be asked for, or the open request that is in the way, and what that one does to the quota."""
    first = waiting[0] if waiting else None
    quota = figures.of(first.values) if first is not None and first.kind == "change-quota" else None
    busy = request_row(first) if first is not None else None
    roles = set(project.roles)  # type: ignore[attr-defined]
    actions = [] if busy else tenant_rows.project_actions(project, roles, http.user)
    may_ask = busy is None and bool(roles & {"owner", "developer"})
    return {
        "bars": rows.quota_bars(project, quota),
        "asked_quota": busy if quota else None,
        "busy": busy,
        "actions": actions,
        "next_steps": steps.next_steps(project, siblings, has_members=has_members, may_ask=may_ask),
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
        "revision": project.bundle.observed_generation,
        "seen_at": rows.seen_at(project.bundle),
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


@require_safe
def usage(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Fragment: what it used over time."""
    found = queries.projects_visible_to(http.user).filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such project."))
    shown = usage_rows.usage_row(found, http.GET, timezone.now())
    page = next(choice["url"] for choice in shown["ranges"] if choice["current"])
    return fragment(http, "projects/_usage.html", {"usage": shown}, page)
