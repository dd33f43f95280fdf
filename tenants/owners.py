"""Whom bundles are kept for: projects."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.models import Bundle
from clusters.owners import Owner
from clusters.words import environment_label
from tenants.models import Project
from tenants.queries import tenants_askable_by
from workflow.kinds import all_kinds

_REVERT = "rollback-project"


def owners_of(bundles: Sequence[Bundle], user: User) -> dict[int, Owner]:
    """By bundle id, for those of projects; what a project is asked for is for owners and developers of its tenant."""
    projects = Project.objects.filter(bundle__in=bundles)
    askable = set(tenants_askable_by(user).values_list("pk", flat=True))
    return {project.bundle_id: _owner(project, project.tenant_id in askable) for project in projects}


def _owner(project: Project, may_ask: bool) -> Owner:
    name = f"{project.display_name} · {environment_label(project.environment)}"
    if project.gone_at is not None:
        return Owner(name, _("Removed project"))
    revert = ""
    if may_ask and _REVERT in all_kinds():
        revert = f"{reverse('request-new', args=[_REVERT])}?project={project.uid}&revision="
    return Owner(name, _("Project"), reverse("project-detail", args=[project.uid]), revert)
