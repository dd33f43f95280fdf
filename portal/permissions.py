"""Who may read what happened, and what is measured."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.addresses import client_address
from accounts.models import User
from tenants.queries import tenants_owned_by
from web.errors import Forbidden


def reads_all_events(user: User) -> bool:
    """Auditors and administrators read everything."""
    return user.is_auditor or user.is_administrator


def owned_codes(user: User) -> list[str]:
    """Codes of the tenants that the person owns, asked once for a person object, which lives as long as a request."""
    known: list[str] | None = user.__dict__.get("owned_codes")
    if known is None:
        known = user.__dict__["owned_codes"] = list(tenants_owned_by(user).values_list("code", flat=True))
    return known


def check_read_audit(user: User) -> None:
    """Raises Forbidden for whoever is neither auditor nor administrator nor owns a tenant."""
    if not reads_all_events(user) and not owned_codes(user):
        raise Forbidden(_("The audit is read by auditors, administrators and owners of tenants."))


def check_read_seals(user: User) -> None:
    """Raises Forbidden for all but auditors and administrators: a seal is over the events of everybody."""
    if not reads_all_events(user):
        raise Forbidden(_("Seals are read by auditors and administrators."))


def may_read_metrics(http: HttpRequest) -> bool:
    """Whoever sends the token of the settings or comes from one of its networks; auditors and administrators."""
    scheme, _space, sent = http.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN.encode()
    if token and scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("utf-8", "replace"), token):
        return True
    if _is_within_networks(client_address(http)):
        return True
    return isinstance(http.user, User) and reads_all_events(http.user)


def _is_within_networks(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.METRICS_NETWORKS)
