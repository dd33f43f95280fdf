"""What requests about one existing project have in common: its field, finding it, and what they are about."""

import re
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from clusters.words import environment_label
from tenants import queries
from tenants.kinds.project_requests import target_key
from tenants.models import Project
from workflow.kinds import Row, Target
from workflow.models import Request

_UID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def field(section: str) -> dict[str, Any]:
    """The project's uid, which the page that links to the form fills in."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": 36,
        "pattern": _UID,
        "x-form": {"section": section, "label": gettext_lazy("Project"), "widget": "hidden"},
    }


def project_for(values: Mapping[str, Any], user: User) -> Project | None:
    """The project that values name, checked or not; None if the person sees no such project."""
    uid = str(values.get("project", ""))
    return queries.projects_visible_to(user).filter(uid=uid).first() if re.fullmatch(_UID, uid) else None


def project_of(request: Request) -> Project:
    """The project that a request is about, also one that is gone by now."""
    return Project.objects.select_related("tenant", "owner", "bundle__cluster").get(uid=request.values["project"])


def missing() -> dict[str, str]:
    """The errors by JSON pointer where `project_for` finds none."""
    return {"/project": _("There is no such project.")}


def leaving_errors(project: Project) -> dict[str, str]:
    """Errors by JSON pointer while the project is about to be removed."""
    if queries.pending_deletion(project) is None:
        return {}
    return {"/project": _("The project %(name)s is to be deleted.") % {"name": project.namespace}}


def target_of(values: Mapping[str, Any]) -> Target:
    """The project's namespace, which at most one open request of whatever kind is about."""
    project = Project.objects.select_related("tenant", "bundle__cluster").get(uid=values["project"])
    return Target(
        keys=(target_key(project.namespace),),
        tenant=project.tenant,
        environment=project.environment,
        cluster=project.bundle.cluster,
        title=project.namespace,
    )


def about(values: Mapping[str, Any], user: User) -> Row:
    """What Kind.about says of the project that values name; {} if the person sees no such project."""
    project = project_for(values, user)
    if project is None:
        return {}
    url = reverse("project-detail", args=[project.uid])
    return {"label": project.display_name, "url": url, "rows": rows_of(project)}


def rows_of(project: Project) -> list[tuple[str, str]]:
    """(label, text) of what it is and where."""
    return [
        (_("Project"), f"{project.display_name} ({project.namespace})"),
        (_("Environment"), environment_label(project.environment)),
        (_("Cluster"), project.bundle.cluster.name),
    ]


def known_facts(project: Project) -> dict[str, Any]:
    """The facts of policies that follow from the project alone."""
    return {
        "tenant": project.tenant.code,
        "environment": project.environment,
        "cluster": project.bundle.cluster.name,
        "isolation": project.isolation,
    }
