"""Accounts of programs that work for a tenant: making, changing, ending them, their tokens, and holding them to what
their owner may."""

import re
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import services as accounts
from accounts.models import ApiToken, User
from accounts.rules import PROGRAM_SCOPES
from audit import services as audit
from tenants import queries, rules
from tenants.models import Membership, ServiceAccount, Tenant
from tenants.services.tenants import may_manage
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.etags import IfMatch, etag
from workflow.schema import is_printable

MOST_PER_TENANT = 50
_RANKS = {"viewer": 1, "developer": 2, "owner": 3}


class OwnerLeft(accounts.PersonGone):
    """The owner of a service account is no longer in its tenant, so that nobody answers for it."""

    code = "owner-left"

    def __init__(self) -> None:
        super().__init__(_("The owner of this service account no longer belongs to its tenant."))


def may_keep(tenant: Tenant, user: User) -> bool:
    """Whether the person keeps the tenant's service accounts: its owners and administrators, no program."""
    return user.owner_id is None and may_manage(tenant, user)


def may_see(tenant: Tenant, user: User) -> bool:
    """Whether the person sees which there are: who keeps them, and auditors."""
    return may_keep(tenant, user) or user.is_auditor


def create(
    *, tenant: Tenant, name: str, role: str, description: str, by: User, at: datetime, owner: str = ""
) -> ServiceAccount:
    """A new service account of the tenant, of `by` or, if an administrator says so, of the tenant's owner with the user
    name `owner`. Its own user name is rules.service_account_username. Raises Forbidden, Invalid, Conflict."""
    _check_keep(tenant, by)
    errors = _wrong(role, description)
    if not re.fullmatch(rules.SERVICE_ACCOUNT_NAME, name):
        errors["/name"] = _("Small letters, digits and hyphens; a letter first, at most 30.")
    answers, wrong = _answering(tenant, owner, by)
    if wrong:
        errors["/owner"] = wrong
    if errors or answers is None:
        raise Invalid(_("Please correct the marked fields."), errors)
    with transaction.atomic():
        # Counting and adding are one step.
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        if tenant.service_accounts.filter(disabled_at=None).count() >= MOST_PER_TENANT:
            raise Conflict(_("There are already %(count)s service accounts.") % {"count": MOST_PER_TENANT})
        made = _made(tenant, name, role, description.strip(), answers, at)
        _record(made, "create", by, at, after=_said(made) | {"owner": answers.username})
        _hold(made, at)
    return made


def change(
    *,
    account: ServiceAccount,
    by: User,
    at: datetime,
    role: str | None = None,
    description: str | None = None,
    is_active: bool | None = None,
    if_match: IfMatch | None = None,
) -> ServiceAccount:
    """Changes what is given. Switched off, all its tokens end for good; switched on again it needs new ones.

    Raises Forbidden, Invalid, and Stale unless it is in one of the states of `if_match` (`tag_of`).
    """
    _check_keep(account.tenant, by)
    with transaction.atomic():
        locked = _locked(account)
        if if_match:
            if_match.check(tag_of(locked))
        role = locked.role if role is None else role
        description = locked.description if description is None else description
        if errors := _wrong(role, description):
            raise Invalid(_("Please correct the marked fields."), errors)
        before = _said(locked)
        locked.role, locked.description = role, description.strip()
        if is_active is not None and is_active != (locked.disabled_at is None):
            locked.disabled_at = None if is_active else at
            User.objects.filter(pk=locked.user_id).update(is_active=is_active)
        if _said(locked) == before:
            return locked
        locked.version += 1
        locked.save(update_fields=["role", "description", "disabled_at", "version"])
        if locked.disabled_at is not None:
            for token in ApiToken.objects.filter(user=locked.user, revoked_at=None, expires_at__gt=at):
                accounts.end_token(token=token, by=by, at=at)
        _record(locked, "change", by, at, before=before, after=_said(locked))
        _hold(locked, at)
    return locked


def issue_token(
    *,
    account: ServiceAccount,
    name: str,
    scopes: Collection[str],
    days: int,
    by: User,
    at: datetime,
    through: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """A token of the account and its text, as accounts.services.issue_token. Only its owner makes one: whoever has a
    token asks in the owner's name, and could then decide that themselves. Raises Forbidden, Invalid, Conflict."""
    _check_keep(account.tenant, by)
    if by.pk != account.user.owner_id:
        raise Forbidden(_("Only the owner of a service account makes tokens for it: they answer for what it asks."))
    if account.disabled_at is not None:
        raise Conflict(_("The service account is switched off."))
    if not set(scopes) <= set(PROGRAM_SCOPES):
        raise Invalid(_("The token cannot be made like this."), {"/scopes": _("A program decides nothing.")})
    return accounts.issue_token(user=account.user, name=name, scopes=scopes, days=days, by=by, at=at, through=through)


def revoke_token(*, account: ServiceAccount, prefix: str, by: User, at: datetime) -> None:
    """Ends a token of the account at once; a second time it does nothing. Raises NotFound, Forbidden."""
    _check_keep(account.tenant, by)
    token = ApiToken.objects.filter(user=account.user_id, prefix=prefix).select_related("user").first()
    if token is None:
        raise NotFound(_("There is no such token."))
    accounts.end_token(token=token, by=by, at=at)


def hold(*, user: User, at: datetime) -> None:
    """Holds a service account, whose owner's groups were just looked up, to what the owner may in the tenant now; for
    each call with its token. Raises OwnerLeft once that is nothing. Other accounts are none of its business."""
    account = ServiceAccount.objects.select_related("tenant", "user__owner").filter(user=user).first()
    if account is not None and _hold(account, at) is None:
        raise OwnerLeft


def tag_of(account: ServiceAccount) -> str:
    """The entity tag of what is said of a service account, and of what it may now."""
    return etag("service-account", account.pk, account.version, effective_role(account))


def effective_role(account: ServiceAccount) -> str | None:
    """What the account may now: its own role or the owner's, whichever is less; None for nothing."""
    if account.disabled_at is not None or account.user.owner is None or not account.user.owner.is_active:
        return None
    # As the query prefetched them, for lists.
    subjects = set(account.user.owner.subjects)
    owners = {one.role for one in account.tenant.memberships.all() if one.subject in subjects}
    most = max((_RANKS[role] for role in owners), default=0)
    return next((role for role, rank in _RANKS.items() if rank == min(most, _RANKS[account.role])), None)


def _hold(account: ServiceAccount, at: datetime) -> str | None:
    """Makes its membership what it may now; answers that."""
    role = effective_role(account)
    subject = f"service:{account.user.username}"
    rows = Membership.objects.filter(tenant=account.tenant, subject=subject)
    now = rows.values_list("role", flat=True).first()
    if now == role:
        return role
    with transaction.atomic():
        if role is None:
            rows.delete()
        else:
            Membership.objects.update_or_create(
                tenant=account.tenant, subject=subject, defaults={"role": role}, create_defaults={"role": role}
            )
        _record(account, "hold", None, at, before={"role": now}, after={"role": role})
    return role


def _made(tenant: Tenant, name: str, role: str, description: str, owner: User, at: datetime) -> ServiceAccount:
    username = rules.service_account_username(tenant.code, name)
    try:
        with transaction.atomic():
            user = User.objects.create(
                username=username, display_name=f"{name} ({tenant.code})", owner=owner, password=make_password(None)
            )
            return ServiceAccount.objects.create(
                user=user, tenant=tenant, name=name, role=role, description=description, created_at=at
            )
    except IntegrityError:
        taken = _("There is a service account of this name already.")
        raise Invalid(_("Please correct the marked fields."), {"/name": taken}) from None


def _answering(tenant: Tenant, owner: str, by: User) -> tuple[User | None, str]:
    """(who will answer for the account, what is wrong with them)."""
    if owner and owner != by.username and not by.is_administrator:
        return None, _("Only administrators name somebody else.")
    found = (
        by if owner in ("", by.username) else User.objects.filter(username=owner, owner=None, is_active=True).first()
    )
    if found is None or "owner" not in queries.roles_in(tenant, found):
        return None, _("Please name an owner of the tenant who has used the portal before.")
    return found, ""


def _wrong(role: str, description: str) -> dict[str, str]:
    errors = {}
    if role not in dict(ServiceAccount.ROLES):
        errors["/role"] = _("This is not one of the choices.")
    if len(description) > 200:
        errors["/description"] = _("At most %(limit)s characters.") % {"limit": 200}
    elif not is_printable(description):
        errors["/description"] = _("Contains characters that cannot be shown.")
    return errors


def _check_keep(tenant: Tenant, by: User) -> None:
    if not may_keep(tenant, by):
        raise Forbidden(_("Only owners of the tenant and administrators keep its service accounts."))


def _locked(account: ServiceAccount) -> ServiceAccount:
    rows = ServiceAccount.objects.select_for_update(of=("self",)).select_related("tenant", "user__owner")
    return rows.get(pk=account.pk)


def _said(account: ServiceAccount) -> dict[str, object]:
    return {"role": account.role, "description": account.description, "is_active": account.disabled_at is None}


def _record(
    account: ServiceAccount,
    verb: str,
    by: User | None,
    at: datetime,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        actor=by,
        action=f"service-account.{verb}",
        subject=f"user:{account.user.username}",
        tenant=account.tenant.code,
        before=before,
        after=after,
        at=at,
    )
