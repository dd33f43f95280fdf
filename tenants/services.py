"""Use cases of tenants: creating one, and a project once its request is approved."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.models import Bundle
from tenants.models import Membership, Project, ProjectMember, Tenant
from web.errors import Forbidden


@transaction.atomic
def create_tenant(
    *, code: str, name_zh: str, name_en: str, members: Iterable[tuple[str, str]], by: User | None, at: datetime
) -> Tenant:
    """Creates the tenant, or sets the names and members of the existing one; `members` are (subject, role).

    `by` is a platform administrator, or None for the portal's own set-up. Raises Forbidden.
    """
    if by is not None and not by.is_administrator:
        raise Forbidden(_("Only platform administrators create tenants."))
    tenant, _created = Tenant.objects.update_or_create(
        code=code,
        defaults={"name_zh": name_zh, "name_en": name_en},
        create_defaults={"name_zh": name_zh, "name_en": name_en, "created_at": at},
    )
    wanted = dict(members)
    tenant.memberships.exclude(subject__in=wanted).delete()
    for subject, role in wanted.items():
        Membership.objects.update_or_create(tenant=tenant, subject=subject, defaults={"role": role})
    audit.record(actor=by, action="tenant.set", subject=f"tenant:{code}", tenant=code, after={"members": wanted}, at=at)
    return tenant


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
