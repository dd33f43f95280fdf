"""The connections to one API server: whom they trust, what they show of themselves, and where they may lead."""

import os
import ssl
from typing import Any, cast

import urllib3
from django.utils.translation import gettext_noop
from urllib3.connection import HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from clusters import addresses
from clusters.drivers.base import Connection, DriverError
from web.sentences import Sentence


class _Confined(HTTPSConnection):
    """Connects only to addresses within the policy, and to those that were looked at: a name that answers differently
    the second time is not asked a second time. The certificate is checked against the name all the same."""

    def _new_conn(self) -> Any:
        name = self._dns_host
        try:
            found = addresses.resolved(name.strip("[]").rstrip("."), self.port or 443)
            for number, address in enumerate(found, start=1):
                self._dns_host = address
                try:
                    return super()._new_conn()
                except urllib3.exceptions.NewConnectionError:
                    if number == len(found):
                        raise
        finally:
            self._dns_host = name
        raise OSError(f"{name} has no address")


class _ConfinedPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = cast(Any, _Confined)


def pool_manager(connection: Connection) -> urllib3.PoolManager:
    """Connections for this cluster alone. Raises ssl.SSLError and DriverError for credentials that are none.

    No proxy of the environment is used (its answers could not be pinned), nothing is tried again (the work item is, as
    a whole), and no redirect is followed: it would take the token along.
    """
    manager = urllib3.PoolManager(
        retries=False, cert_reqs=ssl.CERT_REQUIRED, ssl_context=_context(connection), maxsize=4
    )
    manager.pool_classes_by_scheme = {"https": _ConfinedPool}
    return manager


def _context(connection: Connection) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    if connection.ca:
        context.load_verify_locations(cadata=connection.ca)
    else:
        context.load_default_certs()
    if connection.client_certificate and not connection.token:
        _load_certificate(context, connection)
    return context


def _load_certificate(context: ssl.SSLContext, connection: Connection) -> None:
    """OpenSSL wants a file; this one lies in memory and has no name, so that the key is never on a disk."""
    descriptor = os.memfd_create("client", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(f"{connection.client_certificate.strip()}\n{connection.client_key.strip()}\n".encode())
        # Without a password OpenSSL would ask for that of an encrypted key on the terminal.
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")  # nosec B106  # no password
    except ssl.SSLError as error:
        text = gettext_noop("The client certificate of the portal, or its key, cannot be used.")
        raise DriverError(Sentence(text), transient=False, operator=True) from error
    finally:
        os.close(descriptor)
