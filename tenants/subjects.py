"""How people and groups of the portal are called in a cluster."""

import ldap.dn

from clusters.models import Cluster


def subject_in(cluster: Cluster, subject: str) -> dict[str, str]:
    """A portal subject ("user:<name>", "group:<dn>") as the cluster calls it: {"kind": "User"|"Group", "name"}."""
    kind, _colon, name = subject.partition(":")
    if kind == "user":
        return {"kind": "User", "name": cluster.user_format.format(username=name)}
    return {"kind": "Group", "name": cluster.group_format.format(cn=_first_value(name), dn=name)}


def _first_value(dn: str) -> str:
    """The value of the DN's first part, without the DN's own escapes: cn=a\\,b,ou=groups has "a,b"."""
    return str(ldap.dn.str2dn(dn)[0][0][1])
