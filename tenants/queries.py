"""Reading tenants and projects: only ever what a person may see."""

from typing import Any

from django.db import models

from accounts.models import User
from tenants.models import Project, Tenant


def tenants_visible_to(user: User) -> models.QuerySet[Tenant]:
    """The person's tenants; approvers, auditors and administrators see all."""
    if user.sees_all_tenants:
        return Tenant.objects.all()
    return Tenant.objects.filter(pk__in=_memberships(user))


def tenants_askable_by(user: User) -> models.QuerySet[Tenant]:
    """Tenants for which the person may ask for something: as owner or developer."""
    return Tenant.objects.filter(pk__in=_memberships(user, "owner", "developer"))


def _memberships(user: User, *roles: str) -> models.QuerySet[Tenant, Any]:
    matching = {"memberships__subject__in": user.subjects}
    if roles:
        matching["memberships__role__in"] = list(roles)
    return Tenant.objects.filter(**matching).values("pk")


def projects_visible_to(user: User) -> models.QuerySet[Project]:
    """Projects of the tenants the person may see."""
    return Project.objects.select_related("tenant", "owner", "bundle__cluster").filter(
        tenant__in=tenants_visible_to(user)
    )
