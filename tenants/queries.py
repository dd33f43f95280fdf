"""Reading tenants and projects: only ever what a person may see."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When
from django.db.models.functions import Now

from accounts.models import ApiToken, User
from tenants import rules
from tenants.models import Deletion, Membership, Project, ServiceAccount, Tenant
from web.once import keep, once

# Roles in a tenant by which things are asked for.
ASKING = ("owner", "developer")

# What one line of a list says of a project and its bundle; how the cluster is reached is not for pages.
_LINE = (
    *("uid", "namespace", "display_name", "environment", "cost_centre", "size", "isolation", "adopted", "created_at"),
    *("cpu_millicores", "memory_bytes", "storage_bytes", "pods"),
    *("tenant__code", "tenant__name_zh", "tenant__name_en", "owner__username"),
    *("bundle__generation", "bundle__observed_generation", "bundle__blocked", "bundle__attempts"),
    *("bundle__lease_owner", "bundle__message", "bundle__committed"),
    *("bundle__cluster__name", "bundle__cluster__driver", "bundle__cluster__observer_address"),
)


def tenants_visible_to(user: User) -> models.QuerySet[Tenant]:
    """The person's tenants; approvers, auditors and administrators see all."""
    if user.sees_all_tenants:
        return Tenant.objects.all()
    return Tenant.objects.filter(pk__in=_memberships(user))


def tenants_askable_by(user: User) -> models.QuerySet[Tenant]:
    """Tenants for which the person may ask for something: as owner or developer."""
    return Tenant.objects.filter(pk__in=_memberships(user, *ASKING))


def tenants_owned_by(user: User) -> models.QuerySet[Tenant]:
    """Tenants of which the person is an owner."""
    return Tenant.objects.filter(pk__in=_memberships(user, "owner"))


def memberships_of(user: User) -> list[Membership]:
    """The person's memberships with their tenants, own and by groups; one question while one thing is asked for."""

    def read() -> list[Membership]:
        found = list(Membership.objects.filter(subject__in=user.subjects).select_related("tenant"))
        for membership in found:
            keep(("tenant", membership.tenant.code), membership.tenant)
        return found

    return once(("memberships", user.pk), read)


def may_ask_anywhere(user: User) -> bool:
    """Whether there is any tenant for which the person may ask for something."""
    return any(membership.role in ASKING for membership in memberships_of(user))


def may_ask_for(user: User, code: str) -> bool:
    """Whether the person may ask for something for the tenant of this code, if there is one."""
    return any(one.role in ASKING and one.tenant.code == code for one in memberships_of(user))


def tenant_named(code: str) -> Tenant:
    """The tenant of a code that was checked."""
    return once(("tenant", code), lambda: Tenant.objects.get(code=code))


def _memberships(user: User, *roles: str) -> models.QuerySet[Tenant, Any]:
    matching = {"memberships__subject__in": user.subjects}
    if roles:
        matching["memberships__role__in"] = list(roles)
    return Tenant.objects.filter(**matching).values("pk")


def projects_visible_to(user: User) -> models.QuerySet[Project]:
    """Projects of the tenants the person may see, but for those that are gone."""
    rows = Project.objects.select_related("tenant", "owner", "bundle__cluster").filter(gone_at__isnull=True)
    return rows if user.sees_all_tenants else rows.filter(tenant__in=tenants_visible_to(user))


def as_lines(projects: models.QuerySet[Project]) -> models.QuerySet[Project]:
    """Of the projects only what one line of a list needs."""
    return projects.only(*_LINE)


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


def service_accounts_of(tenant: Tenant) -> models.QuerySet[ServiceAccount]:
    """The service accounts of a tenant, for who may see them (services.service_accounts.may_see), by name, with how
    many of their tokens work at this moment (`tokens_active`)."""
    working = Q(user__api_tokens__revoked_at=None, user__api_tokens__expires_at__gt=Now())
    counted = tenant.service_accounts.select_related("tenant", "user__owner").prefetch_related("tenant__memberships")
    return counted.order_by("name").annotate(tokens_active=models.Count("user__api_tokens", filter=working))


def tokens_of(account: ServiceAccount) -> models.QuerySet[ApiToken]:
    """The tokens of a service account, newest first, also those that work no longer."""
    return ApiToken.objects.filter(user=account.user_id).order_by("-pk")


def members_of(tenant: Tenant) -> models.QuerySet[Membership]:
    """Who belongs to a tenant the caller may see, people and groups."""
    return tenant.memberships.filter(Membership.OF_PEOPLE)
