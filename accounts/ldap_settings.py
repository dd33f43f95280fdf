"""How the portal talks to the directory: the LDAP_* settings as django-auth-ldap and python-ldap want them."""

import logging
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import ldap
from django.conf import settings
from django_auth_ldap.config import LDAPSearch

from accounts import rules

logger = logging.getLogger(__name__)

# A login page that hangs looks broken; a directory in the same house answers in milliseconds.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 5


def connection_options() -> dict[int, Any]:
    """Options of a connection, in the order in which they must be set: the new TLS context comes last."""
    options: dict[int, Any] = {
        ldap.OPT_PROTOCOL_VERSION: ldap.VERSION3,
        ldap.OPT_NETWORK_TIMEOUT: CONNECT_SECONDS,
        ldap.OPT_TIMEOUT: ANSWER_SECONDS,
        # A referral would send the service account's password to a server nobody named.
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
        ldap.OPT_X_TLS_PROTOCOL_MIN: ldap.OPT_X_TLS_PROTOCOL_TLS1_2,
    }
    if settings.LDAP_CA_FILE:
        options[ldap.OPT_X_TLS_CACERTFILE] = settings.LDAP_CA_FILE
    # Without a context of its own the connection keeps the process-wide one and the lines above do nothing.
    options[ldap.OPT_X_TLS_NEWCTX] = 0
    return options


def backend_settings() -> dict[str, Any]:
    """The settings of django-auth-ldap, without their prefix AUTH_LDAP_."""
    return {
        "SERVER_URI": lambda _request: answering_url(),
        "START_TLS": settings.LDAP_START_TLS,
        "CONNECTION_OPTIONS": connection_options(),
        "BIND_DN": settings.LDAP_BIND_DN,
        "BIND_PASSWORD": settings.LDAP_BIND_PASSWORD,
        "USER_SEARCH": LDAPSearch(
            settings.LDAP_USER_BASE, ldap.SCOPE_SUBTREE, settings.LDAP_USER_FILTER, person_attributes()
        ),
        "USER_ATTRLIST": person_attributes(),
        "PERMIT_EMPTY_PASSWORD": False,  # nosec B105  # forbids one
        "FIND_GROUP_PERMS": False,
    }


def person_attributes() -> list[str]:
    """What is read of a person."""
    return [rules.username_attribute(settings.LDAP_USER_FILTER), "cn", "displayName", "mail"]


def answering_url() -> str:
    """The first address in LDAP_URL (several stand with spaces between) that answers within CONNECT_SECONDS.

    Raises ldap.SERVER_DOWN where none does. libldap 2.5 with GnuTLS bounds connecting but not the TLS handshake: a
    server that takes connections and then says nothing would keep a web worker busy for good.
    """
    for address in settings.LDAP_URL.split():
        try:
            _shake_hands(address)
        except OSError as error:
            logger.warning("the directory at %s does not answer: %r", address, error)
        else:
            return str(address)
    raise ldap.SERVER_DOWN({"desc": f"no answer from {settings.LDAP_URL}"})


def _shake_hands(address: str) -> None:
    parts = urlsplit(address)
    is_tls = parts.scheme == "ldaps"
    with socket.create_connection((parts.hostname, parts.port or (636 if is_tls else 389)), CONNECT_SECONDS) as plain:
        if not is_tls:
            return
        # Only whether it answers: nothing is sent, and the connection that is used checks the certificate itself.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.wrap_socket(plain, server_hostname=parts.hostname).close()
