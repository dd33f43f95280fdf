"""Reading tenants and projects: only ever what a person may see."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Case, Exists, OuterRef, When

from accounts.models import User
from tenants import rules
from tenants.models import Deletion, Membership, Project, Tenant


def tenants_visible_to(user: User) -> models.QuerySet[Tenant]:
    """The person's tenants; approvers, auditors and administrators see all."""
    if user.sees_all_tenants:
        return Tenant.objects.all()
    return Tenant.objects.filter(pk__in=_memberships(user))


def tenants_askable_by(user: User) -> models.QuerySet[Tenant]:
    """Tenants for which the person may ask for something: as owner or developer."""
    return Tenant.objects.filter(pk__in=_memberships(user, "owner", "developer"))


def tenants_owned_by(user: User) -> models.QuerySet[Tenant]:
    """Tenants of which the person is an owner."""
    return Tenant.objects.filter(pk__in=_memberships(user, "owner"))


def _memberships(user: User, *roles: str) -> models.QuerySet[Tenant, Any]:
    matching = {"memberships__subject__in": user.subjects}
    if roles:
        matching["memberships__role__in"] = list(roles)
    return Tenant.objects.filter(**matching).values("pk")


def projects_visible_to(user: User) -> models.QuerySet[Project]:
    """Projects of the tenants the person may see, but for those that are gone."""
    return Project.objects.select_related("tenant", "owner", "bundle__cluster").filter(
        tenant__in=tenants_visible_to(user), gone_at__isnull=True
    )


def environments_of(uid: UUID, user: User) -> models.QuerySet[Project]:
    """The project and its other environments that the person may see, development first, with `roles` of the person in
    the tenant; none for an unknown one."""
    same = Project.objects.filter(uid=uid, tenant=OuterRef("tenant"), name=OuterRef("name"))
    rank = Case(*(When(environment=name, then=place) for place, name in enumerate(rules.ENVIRONMENTS)), default=9)
    roles = Membership.objects.filter(tenant=OuterRef("tenant"), subject__in=user.subjects).values("role")
    found = projects_visible_to(user).filter(Exists(same)).annotate(roles=ArraySubquery(roles))
    return found.order_by(rank, "pk")


def pending_deletion(project: Project) -> Deletion | None:
    """The removal that is planned or under way; while there is one, nothing else is asked for the project."""
    pending = project.deletions.filter(called_off_at__isnull=True, done_at__isnull=True)
    return pending.select_related("request__asker").first()


def roles_in(tenant: Tenant, user: User) -> set[str]:
    """The person's roles in the tenant: owner, developer, viewer; empty for who is no member."""
    return set(tenant.memberships.filter(subject__in=user.subjects).values_list("role", flat=True))
