"""A real slapd with the demo's people and groups, one for each test process, for LDAPS and StartTLS."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import ldap
import pytest
from django.conf import settings
from ldap.ldapobject import LDAPObject

from script.local import ROOT, certificates, machine, ports, processes

LDIF = ROOT / "script" / "local" / "directory.ldif"
BASE = "dc=insurer,dc=example"
# Of every person in the LDIF.
PASSWORD = "portal-demo"
_ROOT_DN, _ROOT_PASSWORD = f"cn=root,{BASE}", "of-this-test-run-only"
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
# How other directories say that somebody is switched off: Active Directory, 389, eDirectory.
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 2.16.840.1.113719.1.1.4.1.3 NAME 'loginDisabled' SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.11.1 NAME 'switchable' AUXILIARY
  MAY ( userAccountControl $ nsAccountLock $ loginDisabled ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
disallow bind_anon
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
# No password ever crosses the wire in the clear.
security tls=1
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
maxsize 67108864
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=portal,{base}" read by self read by * none
"""


class Directory:
    """A running slapd. `url` is LDAPS, `plain_url` wants StartTLS, `misnamed_url` is LDAPS under a name that is not in
    the certificate; `ca_file` signed that one, `other_ca_file` did not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file, self.other_ca_file = folder / "ca.pem", folder / "other" / "ca.pem"
        port, plain_port = ports.free_port(), ports.free_port()
        # Not localhost: libldap takes that for the machine's own name, and looks for it in the certificate.
        self.url, self.plain_url = f"ldaps://127.0.0.1:{port}", f"ldap://127.0.0.1:{plain_port}"
        self.misnamed_url = f"ldaps://127.0.0.2:{port}"
        self._port = port
        self._listen = f"ldaps://127.0.0.1:{port} ldaps://127.0.0.2:{port} ldap://127.0.0.1:{plain_port}"
        self._process: processes.Process | None = None
        (folder / "data").mkdir()
        certificates.create(folder)
        certificates.create(folder / "other")
        (folder / "slapd.conf").write_text(
            _CONFIGURATION.format(folder=folder, base=BASE, root=_ROOT_DN, password=_ROOT_PASSWORD)
        )
        if account := machine.account():
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, account)

    def start(self) -> None:
        """Starts it on its ports and returns when it answers. Raises Problem with the end of its log."""
        # -d keeps it in the foreground.
        command: list[str | Path] = [_program("slapd"), "-d", "0", "-f", self.folder / "slapd.conf", "-h", self._listen]
        log = self.folder / "log" / "slapd.log"
        self._process = processes.start("slapd", command, log=log, account=machine.account())
        processes.wait_until(self._process, self._answers, 30)

    def stop(self) -> None:
        """Ends it; what it holds stays for the next start."""
        if self._process is not None:
            processes.stop([self._process])
            self._process = None

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Stopped in between."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """In between it takes connections but answers nothing."""
        assert self._process is not None
        self._process.popen.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.popen.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def with_member(self, group: str, uid: str) -> Iterator[None]:
        """In between the person `uid` is in the group with the name `group`."""
        self._change_member(ldap.MOD_ADD, group, uid)
        try:
            yield
        finally:
            self._change_member(ldap.MOD_DELETE, group, uid)

    @contextlib.contextmanager
    def with_entry(self, dn: str, attributes: dict[str, list[str]]) -> Iterator[None]:
        """In between there is this entry."""
        with self._as_root() as connection:
            connection.add_s(dn, [(name, [value.encode() for value in values]) for name, values in attributes.items()])
        try:
            yield
        finally:
            with self._as_root() as connection:
                connection.delete_s(dn)

    def seed(self) -> None:
        """Loads the LDIF, over the wire: only so the memberof overlay sees it."""
        command: list[str | Path] = [
            _program("ldapadd"),
            "-x",
            "-H",
            self.url,
            "-D",
            _ROOT_DN,
            "-w",
            _ROOT_PASSWORD,
            "-f",
            LDIF,
        ]
        environment = {**os.environ, "LDAPTLS_CACERT": str(self.ca_file), "LDAPTLS_REQCERT": "demand"}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

    def _change_member(self, how: int, group: str, uid: str) -> None:
        member = f"uid={uid},ou=people,{BASE}".encode()
        with self._as_root() as connection:
            connection.modify_s(f"cn={group},ou=groups,{BASE}", [(how, "member", [member])])

    @contextlib.contextmanager
    def _as_root(self) -> Iterator[LDAPObject]:
        connection = ldap.initialize(self.url)
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.ca_file))
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        connection.simple_bind_s(_ROOT_DN, _ROOT_PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_s()


@pytest.fixture(scope="session")
def directory() -> Iterator[Directory]:
    """The directory of this test process; Django's settings and the environment of later processes point to it."""
    # Not pytest's own folder: that one is closed to the account slapd runs as.
    folder = Path(tempfile.mkdtemp(prefix="portal-directory-"))
    folder.chmod(0o755)
    running = Directory(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("LDAP_URL", running.url), ("LDAP_CA_FILE", str(running.ca_file))):
            patch.setenv(f"PORTAL_{name}", value)
            patch.setattr(settings, name, value)
        try:
            running.start()
            running.seed()
            yield running
        finally:
            running.stop()
            shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """The path of a program; servers stand where an ordinary user's PATH does not look."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/usr/lib/openldap"])
    if found := shutil.which(name, path=path):
        return found
    pytest.fail(f"{name} is missing; install it with: {machine.cure(['slapd', 'ldap-utils'])}")
