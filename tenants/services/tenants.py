"""Creating a tenant, and who belongs to it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from tenants import ledger, queries
from tenants.models import Membership, Tenant
from web.errors import Conflict, Forbidden


def is_administrator(user: User) -> bool:
    """Whether the person is a platform administrator; a service account only while its owner is one too."""
    return user.is_administrator and (user.owner is None or user.owner.is_administrator)


def may_manage(tenant: Tenant, user: User) -> bool:
    """Whether the person speaks for the tenant: its owners, and administrators."""
    return is_administrator(user) or queries.tenants_owned_by(user).filter(pk=tenant.pk).exists()


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
    _write_members(tenant, wanted)
    audit.record(actor=by, action="tenant.set", subject=f"tenant:{code}", tenant=code, after={"members": wanted}, at=at)
    return tenant


def found_tenant(
    *,
    code: str,
    name_zh: str,
    name_en: str,
    members: Mapping[str, str],
    budget: Mapping[str, int | None],
    by: User | None,
    at: datetime,
) -> Tenant:
    """A tenant whose request was approved, in the caller's transaction: `members` are role by subject, `budget`
    millicores, bytes and pieces by resource (None: no limit). Raises Conflict if there is one of this code."""
    check_code_free(code)
    tenant = Tenant.objects.create(code=code, name_zh=name_zh, name_en=name_en, created_at=at)
    _write_members(tenant, members)
    audit.record(
        actor=by,
        action="tenant.create",
        subject=f"tenant:{code}",
        tenant=code,
        after={"name_zh": name_zh, "name_en": name_en, "members": dict(members)},
        at=at,
    )
    ledger.set_budget(tenant=tenant, amounts=budget, by=by, at=at)
    return tenant


def check_code_free(code: str) -> None:
    """Raises Conflict if there is a tenant of this code."""
    if Tenant.objects.filter(code=code).exists():
        raise Conflict(_("There is a tenant with this code already."))


def set_members(*, tenant: Tenant, members: Mapping[str, str], by: User | None, at: datetime) -> None:
    """Makes these (role by subject) the tenant's members and no others, after an approved request and in its
    transaction."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    before = members_of(tenant)
    _write_members(tenant, members)
    audit.record(
        actor=by,
        action="tenant.set-members",
        subject=f"tenant:{tenant.code}",
        tenant=tenant.code,
        before={"members": before},
        after={"members": dict(members)},
        at=at,
    )


def members_of(tenant: Tenant) -> dict[str, str]:
    """Role by subject of everybody in the tenant."""
    return dict(tenant.memberships.filter(Membership.OF_PEOPLE).values_list("subject", "role"))


def _write_members(tenant: Tenant, wanted: Mapping[str, str]) -> None:
    tenant.memberships.filter(Membership.OF_PEOPLE).exclude(subject__in=list(wanted)).delete()
    for subject, role in wanted.items():
        Membership.objects.update_or_create(tenant=tenant, subject=subject, defaults={"role": role})
