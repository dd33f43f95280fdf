"""Who may read what happened."""

from django.utils.translation import gettext as _

from accounts.models import User
from tenants.queries import tenants_owned_by
from web.errors import Forbidden


def reads_all_events(user: User) -> bool:
    """Auditors and administrators read everything."""
    return user.is_auditor or user.is_administrator


def check_read_audit(user: User) -> None:
    """Raises Forbidden for whoever is neither auditor nor administrator nor owns a tenant."""
    if not reads_all_events(user) and not tenants_owned_by(user).exists():
        raise Forbidden(_("The audit is read by auditors, administrators and owners of tenants."))


def check_read_seals(user: User) -> None:
    """Raises Forbidden for all but auditors and administrators: a seal is over the events of everybody."""
    if not reads_all_events(user):
        raise Forbidden(_("Seals are read by auditors and administrators."))
