"""Standing in for somebody: giving and taking back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import directory
from accounts.models import User
from accounts.rules import account_name
from audit import services as audit
from web.errors import Conflict, Forbidden, Invalid, NotFound
from workflow import queries, schema
from workflow.models import Delegation

LONGEST = timedelta(days=92)


@transaction.atomic
def delegate(*, to: str, starts_at: datetime, ends_at: datetime, reason: str, by: User, at: datetime) -> Delegation:
    """`by` lets the person with the user name `to` decide in their place for a period of at most three months.

    Only what one's own groups allow is given; what one holds by delegation is not passed on. Raises Forbidden, Invalid.
    """
    if not by.approver_slugs or by.owner_id is not None:
        raise Forbidden(_("Only people who decide something can let others stand in for them."))
    other, errors = _person(to, by), {}
    if other is None:
        errors["/to"] = _("Please name another person who has used the portal before.")
    if ends_at <= starts_at or ends_at <= at:
        errors["/ends_at"] = _("The end must be after the beginning, and not be over.")
    elif ends_at - max(starts_at, at) > LONGEST:
        errors["/ends_at"] = _("At most %(days)s days.") % {"days": LONGEST.days}
    if len(reason) > 200 or not schema.is_printable(reason):
        errors["/reason"] = _("At most %(limit)s characters.") % {"limit": 200}
    if errors or other is None:
        raise Invalid(_("Please correct the marked fields."), errors)
    made = Delegation.objects.create(
        by=by, to=other, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), created_at=at
    )
    after = {"to": other.username, "from": starts_at.isoformat(), "until": ends_at.isoformat(), "reason": reason}
    audit.record(actor=by, action="delegation.create", subject=f"delegation:{made.pk}", after=after, at=at)
    return made


@transaction.atomic
def revoke_delegation(*, pk: int, by: User, at: datetime) -> Delegation:
    """Ends a delegation that one gave oneself, or as administrator. Raises NotFound, Forbidden, Conflict."""
    found = queries.delegations_visible_to(by).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such delegation."))
    if found.by_id != by.pk and not by.is_administrator:
        raise Forbidden(_("Only who gave a delegation takes it back."))
    ended = Delegation.objects.filter(pk=pk, revoked_at__isnull=True, ends_at__gt=at).update(revoked_at=at)
    if not ended:
        raise Conflict(_("This delegation is over already."))
    audit.record(actor=by, action="delegation.revoke", subject=f"delegation:{pk}", after={"at": at.isoformat()}, at=at)
    return Delegation.objects.get(pk=pk)


def _person(name: str, by: User) -> User | None:
    """The person of that user name, neither a service account nor `by`; asked of the directory while it answers."""
    username = account_name(name.strip())
    other = User.objects.filter(username=username or "", is_active=True, owner__isnull=True).first()
    if other is None or other.pk == by.pk:
        return None
    try:
        return other if directory.person_exists(other.username) else None
    except directory.DirectoryUnavailable:
        return other
