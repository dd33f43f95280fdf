"""Who may act on clusters and on what the portal keeps in them."""

from django.utils.translation import gettext as _

from accounts.models import User
from clusters.models import Bundle
from web.errors import Forbidden


def may_keep_clusters(user: User) -> bool:
    """Whether the person may register, probe, hold and confirm clusters: administrators."""
    return user.is_administrator


def check_keep_clusters(user: User) -> None:
    """Raises Forbidden unless `may_keep_clusters`."""
    if not may_keep_clusters(user):
        raise Forbidden(_("Only platform administrators keep clusters."))


def may_act_on(bundle: Bundle, user: User) -> bool:
    """Whether the person may have it tried again or repaired, which changes nothing that was not approved: owners and
    developers of its tenant, approvers, administrators; neither viewers nor auditors."""
    if user.approver_slugs:
        return True
    return bundle.tenant.memberships.filter(subject__in=user.subjects, role__in=["owner", "developer"]).exists()


def check_act_on(bundle: Bundle, user: User) -> None:
    """Raises Forbidden unless `may_act_on`."""
    if not may_act_on(bundle, user):
        raise Forbidden(_("Only owners and developers of the tenant, approvers and administrators may do this."))
