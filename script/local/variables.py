"""The environment variables of the portal (.env.example) as the demo, the tests and the checks set them."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

_BASE = "dc=insurer,dc=example"
_GROUPS = {
    "administrator": "portal-administrators",
    "auditor": "portal-auditors",
    "approver:architecture": "approvers-architecture",
    "approver:datacenter": "approvers-datacenter",
    "approver:security": "approvers-security",
    "approver:platform": "approvers-platform",
}


def directory(port: int, ca_file: Path) -> dict[str, str]:
    """The directory on this machine (script/local/directory.ldif), by LDAPS on `port`."""
    # Not "localhost": libldap then expects the machine's own name in the certificate.
    return {
        "PORTAL_LDAP_URL": f"ldaps://127.0.0.1:{port}",
        "PORTAL_LDAP_CA_FILE": str(ca_file),
        "PORTAL_LDAP_BIND_DN": f"cn=portal,{_BASE}",
        "PORTAL_LDAP_BIND_PASSWORD": "demo-bind-password",  # nosec B105  # of the demo
        "PORTAL_LDAP_USER_BASE": f"ou=people,{_BASE}",
        "PORTAL_LDAP_GROUP_BASE": f"ou=groups,{_BASE}",
        "PORTAL_ROLE_GROUPS": json.dumps({role: f"cn={cn},ou=groups,{_BASE}" for role, cn in _GROUPS.items()}),
    }


def demo_secrets() -> dict[str, str]:
    """Secrets that anybody may know, for runs that keep nothing; only PORTAL_DEMO=true takes them."""
    return {
        "PORTAL_DEMO": "true",
        "PORTAL_SECRET_KEY": "demo-secret-key-of-runs-that-keep-nothing-0123456789",  # nosec B105  # of the demo
        "PORTAL_TOKEN_PEPPER": "demo-pepper-of-runs-that-keep-nothing",  # nosec B105  # of the demo
        "PORTAL_ENCRYPTION_KEYS": "demo-1:ZGVtby1rZXktb2YtcnVucy10aGF0LWtlZXAtbm90aGk=",
    }


def for_checks() -> dict[str, str]:
    """Enough to import the settings where no server runs: types, lint, documents."""
    return {
        **demo_secrets(),
        **directory(636, Path("/dev/null")),
        "PORTAL_EXTERNAL_URL": "http://localhost:8000",
        "PORTAL_DATABASE_URL": "postgres://portal:none@127.0.0.1:1/portal",
        "PORTAL_REDIS_URL": "redis://127.0.0.1:1/0",
    }


def as_shell(variables: Mapping[str, str]) -> str:
    """Lines that a shell reads: export NAME='value'."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))


if __name__ == "__main__":
    print(as_shell(for_checks()), end="")
