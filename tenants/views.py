"""Pages of projects."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters import words
from tenants import queries, rows
from tenants.models import Project
from web import paging
from web.errors import NotFound
from web.fragments import fragment
from workflow.queries import requests_visible_to
from workflow.rows import request_row


def with_objects(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Projects with what their rows need, in a constant number of queries."""
    return projects.prefetch_related("bundle__objects_kept")


def _project_or_404(http: HttpRequest, uid: UUID) -> Project:
    found = with_objects(queries.projects_visible_to(http.user)).filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such project."))
    return found


@require_safe
def listing(http: HttpRequest) -> HttpResponse:
    """All projects the person may see."""
    page, after = paging.page_of(with_objects(queries.projects_visible_to(http.user)), http.GET)
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
    requests = requests_visible_to(http.user).filter(bundle=project.bundle_id).order_by("-pk")[:20]
    context = _state(project) | {
        "bars": rows.quota_bars(project),
        "quota_note": rows.quota_note(project),
        "members": rows.member_rows(project),
        "requests": [request_row(found) for found in requests],
    }
    return render(http, "projects/detail.html", context)


def _state(project: Project) -> dict[str, Any]:
    shown = rows.project_row(project) | {
        "pk": project.uid,
        "uid": project.uid,
        "environment_label": words.environment_label(project.environment),
        "cluster": project.bundle.cluster.name,
        "owner": str(project.owner),
        "cost_centre": project.cost_centre,
    }
    return {
        "p": shown,
        "objects": words.object_rows(project.bundle),
        "committed": words.bundle_message(project.bundle),
        "poll": words.state_of(project.bundle) not in ("ready", "committed", "blocked"),
    }


@require_safe
def state(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Fragment: how far the cluster agrees."""
    page = reverse("project-detail", args=[uid])
    return fragment(http, "projects/_state.html", _state(_project_or_404(http, uid)), page)
