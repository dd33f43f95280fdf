"""The demo's LDAP directory: an LDIF file served over LDAPS by ldaptor, in memory and read-only."""

import argparse
import io
import os
from pathlib import Path
from typing import Any

from ldaptor.inmemory import ReadOnlyInMemoryLDAPEntry, fromLDIFFile
from ldaptor.interfaces import IConnectedLDAPEntry
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap import ldaperrors
from ldaptor.protocols.ldap.ldapserver import LDAPServer
from twisted.internet import reactor, ssl
from twisted.internet.protocol import ServerFactory
from twisted.python import components


class ReadOnlyServer(LDAPServer):  # type: ignore[misc]
    """Answers searches of whoever has bound, and changes nothing."""

    def handle_LDAPBindRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """A refused bind leaves nobody signed in (RFC 4513, 4)."""
        self.boundUser = None
        return super().handle_LDAPBindRequest(request, controls, reply)

    def handle_LDAPSearchRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Searches need a bind, as in a company's directory."""
        if self.boundUser is None:
            raise ldaperrors.LDAPInsufficientAccessRights(b"Bind first.")
        return super().handle_LDAPSearchRequest(request, controls, reply)

    def _refuse(self, _request: Any, _controls: Any, _reply: Any) -> Any:
        raise ldaperrors.LDAPUnwillingToPerform(b"This directory is read-only.")

    handle_LDAPAddRequest = handle_LDAPDelRequest = handle_LDAPModifyRequest = _refuse
    handle_LDAPModifyDNRequest = handle_LDAPExtendedRequest = _refuse
    fail_LDAPExtendedRequest = pureldap.LDAPExtendedResponse


class DirectoryFactory(ServerFactory):
    """Gives every connection the same tree."""

    protocol = ReadOnlyServer

    def __init__(self, tree: ReadOnlyInMemoryLDAPEntry) -> None:
        self.tree = tree


def serve(port: int, ldif: Path, cert: Path, key: Path, ready: Path) -> None:
    """Serves `ldif` on 127.0.0.1:`port` until the process is told to end; `ready` appears, with the process id in it,
    once it answers. `cert` and `key` are PEM files; the certificate must name the host the portal is given."""
    ready.unlink(missing_ok=True)
    components.registerAdapter(lambda factory: factory.tree, DirectoryFactory, IConnectedLDAPEntry)
    context = ssl.DefaultOpenSSLContextFactory(str(key), str(cert))
    # The reactor gets its methods when it is imported; type checkers see none of them.
    loop: Any = reactor

    def listen(tree: ReadOnlyInMemoryLDAPEntry) -> None:
        loop.listenSSL(port, DirectoryFactory(tree), context, interface="127.0.0.1")
        fresh = ready.with_suffix(".new")
        fresh.write_text(str(os.getpid()))
        fresh.replace(ready)

    # ldaptor takes an entry for cut off unless an empty line follows it.
    reading = fromLDIFFile(io.BytesIO(ldif.read_bytes() + b"\n\n"))
    reading.addCallback(listen)
    failures: list[Any] = []
    reading.addErrback(failures.append)
    if failures:
        raise SystemExit(f"The directory cannot be served: {failures[0].getErrorMessage()}")
    loop.run()


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    for name in ("--ldif", "--cert", "--key", "--ready-file"):
        parser.add_argument(name, type=Path, required=True)
    given = parser.parse_args()
    serve(given.port, given.ldif, given.cert, given.key, given.ready_file)


if __name__ == "__main__":
    main()
