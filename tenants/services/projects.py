"""A project's row and its members, once a request about them was approved."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.models import Bundle
from tenants import queries, rollback, states
from tenants.models import Project, ProjectMember
from web.errors import Conflict


def create_project(
    *, bundle: Bundle, members: Iterable[tuple[str, str]], by: User | None, at: datetime, **fields: Any
) -> Project:
    """The row of a project whose request was approved, with its members (subject, role), in the caller's
    transaction; `fields` are those of `Project`. The database refuses a second one of the same name."""
    project = Project.objects.create(bundle=bundle, created_at=at, **fields)
    ProjectMember.objects.bulk_create(
        ProjectMember(project=project, subject=subject, role=role) for subject, role in members
    )
    audit.record(
        actor=by,
        action="project.create",
        subject=f"project:{project.uid}",
        tenant=project.tenant.code,
        after={"namespace": project.namespace, "cluster": bundle.cluster.name},
        at=at,
    )
    return project


def check_stays(project: Project) -> None:
    """Raises Conflict if the project is gone, or is to be removed: nothing else about it is decided any more."""
    if project.gone_at is not None:
        raise Conflict(_("The project %(name)s does not exist any more.") % {"name": project.namespace})
    if queries.pending_deletion(project) is not None:
        raise Conflict(_("The project %(name)s is to be deleted.") % {"name": project.namespace})


def locked_project(uid: str) -> Project:
    """The project, which nobody else changes or removes until the caller's transaction ends: its bundle's row is the
    lock. Raises Conflict as `check_stays`."""
    project = Project.objects.get(uid=uid)
    Bundle.objects.select_for_update(of=("self",)).get(pk=project.bundle_id)
    project = Project.objects.select_related("tenant", "owner", "bundle__cluster").get(uid=uid)
    check_stays(project)
    return project


def set_project_members(*, project: Project, members: Mapping[str, str], by: User | None, at: datetime) -> None:
    """Makes these (role by subject) the project's members and no others, after an approved request and in its
    transaction; the caller holds `locked_project`."""
    before = dict(states.members_of(project))
    project.members.all().delete()
    ProjectMember.objects.bulk_create(
        ProjectMember(project=project, subject=subject, role=role) for subject, role in sorted(members.items())
    )
    audit.record(
        actor=by,
        action="project.set-members",
        subject=f"project:{project.uid}",
        tenant=project.tenant.code,
        before={"members": before},
        after={"members": dict(members)},
        at=at,
    )


def roll_back(
    *,
    project: Project,
    choices: rollback.Choices,
    members: Mapping[str, str],
    revision: int,
    by: User | None,
    at: datetime,
) -> None:
    """Makes the project's row and its members (role by subject) what an earlier `revision` said, after an approved
    request and in its transaction; the caller holds `locked_project`."""
    before = rollback.choices_now(project)
    project.cpu_millicores, project.memory_bytes = choices.quota["cpu"], choices.quota["memory"]
    project.storage_bytes, project.pods = choices.quota["storage"], choices.quota["pods"]
    project.size = rollback.size_of(project, choices.quota)
    project.display_name, project.cost_centre = choices.display_name, choices.cost_centre
    project.parts = list(choices.parts)
    figures = ["cpu_millicores", "memory_bytes", "storage_bytes", "pods", "size"]
    project.save(update_fields=[*figures, "display_name", "cost_centre", "parts"])
    audit.record(
        actor=by,
        action="project.roll-back",
        subject=f"project:{project.uid}",
        tenant=project.tenant.code,
        before=asdict(before),
        after=asdict(choices) | {"revision": revision},
        at=at,
    )
    if dict(members) != dict(states.members_of(project)):
        set_project_members(project=project, members=members, by=by, at=at)
