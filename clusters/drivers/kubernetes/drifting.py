"""Whether a bundle's objects still are as they were applied, and what others put beside them."""

from collections.abc import Sequence
from dataclasses import replace

from clusters.drivers.base import (
    REVISION_ANNOTATION,
    Connection,
    Desired,
    DriverError,
    Finding,
    Manifest,
    ObjectRef,
)
from clusters.drivers.fence import claimed
from clusters.drivers.kubernetes import comparing, quotas
from clusters.drivers.kubernetes.client import Client, bounded, client_for
from clusters.drivers.kubernetes.ownership import newest_writer, writer_of

# Kinds that the portal keeps in a namespace (deploy/cluster-access.yaml grants no others).
KEPT_KINDS = (
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)
# And beside namespaces, on OpenShift alone.
CLUSTER_KINDS = (("quota.openshift.io/v1", "ClusterResourceQuota"),)
_FENCE_PATH = f"metadata.annotations.{REVISION_ANNOTATION}"
# What OpenShift's controller binds in every project by itself: role by the binding's name.
_OPENSHIFTS = {
    "system:image-pullers": "system:image-puller",
    "system:image-builders": "system:image-builder",
    "system:deployers": "system:deployer",
}


def drift(client: Client, desired: Sequence[Desired], namespace: str, *, can_try: bool) -> tuple[Finding, ...]:
    """What differs; see Driver. Without `can_try` (rights to read alone) what differs as text is all that is known."""
    live = _listed(client, namespace) if namespace else {}
    wanted = {item.ref for item in desired}
    # Of other kinds only the bundle's own are of interest; the namespace itself is one of them.
    for ref in sorted(wanted):
        if (ref.api_version, ref.kind) not in KEPT_KINDS:
            found = client.get(ref)
            live |= {ref: found} if found else {}
    findings = [_compared(client, live.get(item.ref), item, can_try) for item in desired]
    others = [_foreign(ref, one) for ref, one in live.items() if ref not in wanted and not _is_openshifts(one)]
    return (*(finding for finding in findings if finding), *others)


def seen_from_outside(
    connection: Connection, timeout: float, desired: Sequence[Desired], namespace: str
) -> tuple[Finding, ...]:
    """The same through rights to read alone, of objects that something else (Argo CD, Flux) has applied."""
    anyone = [replace(item, uid="") for item in desired]
    with bounded(timeout):
        found = drift(client_for(connection), anyone, namespace, can_try=False)
    return tuple(replace(finding, place="observed") for finding in found)


def _listed(client: Client, namespace: str) -> dict[ObjectRef, Manifest]:
    """All objects of the kept kinds in the namespace; in a list they do not say what they are."""
    return {
        ObjectRef(api_version, kind, namespace, one["metadata"]["name"]): {
            **one,
            "apiVersion": api_version,
            "kind": kind,
        }
        for api_version, kind in KEPT_KINDS
        for one in client.list(api_version, kind, namespace)
    }


def _compared(client: Client, live: Manifest | None, desired: Desired, can_try: bool) -> Finding | None:
    """None where nothing differs."""
    if live is None:
        return Finding(desired.ref, "missing")
    meta = live["metadata"]
    if meta.get("deletionTimestamp"):
        return Finding(desired.ref, "missing", (("metadata.deletionTimestamp", meta["deletionTimestamp"], None),))
    is_other = bool(desired.uid) and desired.uid != meta["uid"]
    fields = comparing.as_text(live, desired)
    if not fields and not is_other:
        return None
    refused = claimed(live, desired, meta["uid"]) if can_try else None
    if can_try and refused is None:
        try:
            fields = _tried(client, live, desired, fields)
        except DriverError as error:
            if error.transient or error.operator:
                raise
            refused = error.sentence
    if not fields and not is_other:
        return None
    by, at = newest_writer(live) if is_other else writer_of(live, [path for path, _live, _wanted in fields])
    finding = Finding(desired.ref, "changed", fields, by=by, at=at, refused=refused)
    return replace(finding, sort="replaced", uid=meta["uid"]) if is_other else finding


def _tried(client: Client, live: Manifest, desired: Desired, fields: comparing.Fields) -> comparing.Fields:
    """The difference as the server sees it; raises DriverError if it would refuse to bring the object back."""
    tried = comparing.by_dry_run(client, live, desired)
    quotas.check_use(live, desired.manifest)
    fence = tuple(field for field in fields if field[0] == _FENCE_PATH)
    return (*tried, *fence)


def _foreign(ref: ObjectRef, live: Manifest) -> Finding:
    by, at = newest_writer(live)
    return Finding(ref, "foreign", uid=live["metadata"]["uid"], by=by, at=at)


def _is_openshifts(live: Manifest) -> bool:
    """Whether this is one of the bindings that OpenShift makes in every project, for service accounts of its own."""
    meta = live["metadata"]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _OPENSHIFTS.get(meta["name"])}
    return live.get("roleRef") == role and all(
        _is_own(subject, meta["namespace"]) for subject in live.get("subjects") or []
    )


def _is_own(subject: dict[str, str], namespace: str) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] == f"system:serviceaccounts:{namespace}"
    is_account = subject["kind"] == "ServiceAccount" and subject["name"] in ("builder", "deployer")
    return is_account and subject.get("namespace") == namespace
