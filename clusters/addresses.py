"""Which addresses of API servers and Git repositories the portal connects to."""

import re
from urllib.parse import unquote

from django.conf import settings
from django.utils.translation import gettext_noop

from web import addresses
from web.addresses import AddressRefused, NameUnknown, Policy, host_of, split

__all__ = ["AddressRefused", "NameUnknown", "check_host", "check_remote", "check_server", "resolved"]

_SSH_SHORT = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<path>[^:].*)")


def check_server(text: str) -> None:
    """Raises AddressRefused unless `text` is an https:// address of an API server within the policy; resolves it."""
    parts = split(text)
    if parts.scheme != "https":
        raise AddressRefused(gettext_noop("The address must start with https://."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(gettext_noop("The address must hold neither a name nor a password."))
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise AddressRefused(gettext_noop("The address must hold neither a query nor a fragment."))
    check_host(host_of(parts.hostname))


def check_remote(text: str) -> None:
    """Raises AddressRefused unless `text` names a Git repository by https or ssh within the policy; resolves it.

    A path or a file:// address is for the demo only.
    """
    short = _SSH_SHORT.fullmatch(text) if "://" not in text else None
    if short:
        return check_host(host_of(short["host"].strip("[]")))
    parts = split(text)
    if parts.scheme in ("", "file"):
        if settings.DEMO and not parts.netloc and unquote(parts.path).startswith("/"):
            return None
        raise AddressRefused(gettext_noop("A Git repository is named by https:// or ssh://."))
    if parts.scheme not in ("https", "ssh"):
        raise AddressRefused(gettext_noop("A Git repository is named by https:// or ssh://."))
    if parts.password is not None or (parts.scheme == "https" and parts.username is not None):
        raise AddressRefused(gettext_noop("The address must hold neither a name nor a password."))
    if parts.query or parts.fragment:
        raise AddressRefused(gettext_noop("The address must hold neither a query nor a fragment."))
    return check_host(host_of(parts.hostname))


def check_host(host: str) -> None:
    """Raises AddressRefused unless every address of the host (a name or an IP address) is within the policy."""
    resolved(host, 0)


def resolved(host: str, port: int) -> list[str]:
    """The host's IP addresses, each within the policy (PORTAL_CLUSTER_ADDRESSES); who connects to one of these is not
    fooled by a name that answers differently the second time. Raises AddressRefused, also where it is not known."""
    return addresses.resolved(host, port, Policy(settings.CLUSTER_ADDRESSES))
