"""Pure rules of tenants and projects: environments, names."""

import re

ENVIRONMENTS = ("dev", "test", "prod")
# Weak: tenants share a cluster. Strong: a cluster of one's own.
ISOLATIONS = ("shared", "dedicated")
# Without a hyphen: else "a-b" + "c" would be called as "a" + "b-c".
TENANT_CODE = r"^[a-z][a-z0-9]{1,11}$"
PROJECT_NAME = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"
NAMESPACE_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
NAMESPACE_LENGTH = 63
# What the portal can keep in a namespace; labels of the portal's own (portal.cloud/) are always among it. security:
# labels of pod security; names: who manages it, and the names people know it by, in words that other programs read.
PARTS = ("quota", "limits", "network", "members", "security", "names")
SERVICE_ACCOUNT_NAME = r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$"
RESOURCES = ("cpu", "memory", "storage", "pods")
RESERVED_PREFIXES = ("kube-", "openshift-", "portal-", "default")


def service_account_username(tenant: str, name: str) -> str:
    """The user name of a tenant's service account; nobody in the directory signs in under one (accounts.rules)."""
    return f"service.{tenant}.{name}"


class BadName(ValueError):
    """The name cannot be a namespace's; the code says why: grammar, length, reserved."""


def namespace_of(tenant: str, name: str, environment: str) -> str:
    """`<tenant>-<name>-<environment>`; raises BadName."""
    namespace = f"{tenant}-{name}-{environment}"
    if not re.fullmatch(TENANT_CODE, tenant) or not re.fullmatch(PROJECT_NAME, name):
        raise BadName("grammar")
    if len(namespace) > NAMESPACE_LENGTH:
        raise BadName("length")
    if namespace.startswith(RESERVED_PREFIXES):
        raise BadName("reserved")
    return namespace
