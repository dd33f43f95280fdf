"""Who may do what with endpoints of webhooks."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from notify import queries
from web.errors import Forbidden


def check_manage(user: User, tenant: Any) -> None:
    """Raises Forbidden unless the person may register endpoints of the tenant, or (None) of the whole portal: its
    owners, and administrators. A service account registers nothing."""
    if user.owner_id is None and (user.is_administrator or (tenant is not None and queries.owns(user, tenant))):
        return
    raise Forbidden(_("Webhooks are managed by owners of the tenant, those of the whole portal by administrators."))


def can_manage_any(user: User) -> bool:
    """Whether there is a tenant, or the portal, for which the person could register one."""
    return user.owner_id is None and (user.is_administrator or queries.tenants_managed_by(user).exists())
