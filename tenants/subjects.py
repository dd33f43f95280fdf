"""How people and groups of the portal are called in a cluster."""

from accounts.rules import common_name
from clusters.models import Cluster


def subject_in(cluster: Cluster, subject: str) -> dict[str, str]:
    """A portal subject ("user:<name>", "group:<dn>") as the cluster calls it: {"kind": "User"|"Group", "name"}.

    Clusters tell upper and lower case apart, so the DN must be spelt as the directory spells it.
    """
    kind, _colon, name = subject.partition(":")
    if kind == "user":
        return {"kind": "User", "name": cluster.user_format.format(username=name)}
    return {"kind": "Group", "name": cluster.group_format.format(cn=common_name(name), dn=name)}
