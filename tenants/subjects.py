"""How people and groups of the portal are called in a cluster."""

from collections.abc import Iterable, Mapping

from accounts.rules import account_name, common_name
from clusters.models import Cluster


def subject_in(cluster: Cluster, subject: str) -> dict[str, str]:
    """A portal subject ("user:<name>", "group:<dn>") as the cluster calls it: {"kind": "User"|"Group", "name"}.

    Clusters tell upper and lower case apart, so the DN must be spelt as the directory spells it.
    """
    kind, _colon, name = subject.partition(":")
    if kind == "user":
        return {"kind": "User", "name": cluster.user_format.format(username=name)}
    return {"kind": "Group", "name": cluster.group_format.format(cn=common_name(name), dn=name)}


def subject_called(cluster: Cluster, called: Mapping[str, str], known: Iterable[str]) -> str:
    """The portal's subject that the cluster calls {"kind", "name"}: one of the `known`, else a person whose user name
    the cluster's format gives back; "" where nothing says who it is."""
    for subject in known:
        if subject_in(cluster, subject) == called:
            return subject
    before, placeholder, after = cluster.user_format.partition("{username}")
    name = called["name"]
    fits = placeholder and name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)
    if called["kind"] != "User" or not fits:
        return ""
    username = account_name(name.removeprefix(before).removesuffix(after))
    return f"user:{username}" if username else ""
