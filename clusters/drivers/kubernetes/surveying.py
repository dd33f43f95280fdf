"""What others keep in a cluster: its namespaces with what is in them, and what its compute nodes can give."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from clusters import quantity
from clusters.drivers.base import MANAGED_LABEL, SCRATCH_NAMESPACE, Capacity, Manifest, Surveyed
from clusters.drivers.fence import fence_of
from clusters.drivers.kubernetes.client import Client
from clusters.drivers.kubernetes.quotas import figures

# Kinds of which the portal keeps objects of its own, so that what is there of them matters to whoever adopts.
_OTHERS = (
    ("v1", "LimitRange"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)
# A namespace's name, as the server takes it.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Nodes with one of these roles are not counted, even if they are workers as well: who made them run the cluster
# itself did not promise their room to projects.
_NOT_COMPUTE = tuple(f"node-role.kubernetes.io/{role}" for role in ("control-plane", "master", "infra"))


def survey(client: Client, selector: str, names: Sequence[str]) -> tuple[Surveyed, ...]:
    """What is in namespaces, in as many calls for hundreds as for one; see Driver."""
    possible = {name for name in names if _NAME.fullmatch(name)}
    if names and not possible:
        return ()
    # For one namespace alone, what is in all others need not be read.
    only = next(iter(possible)) if len(possible) == 1 else ""
    fields = f"metadata.name={only}" if only else ""
    namespaces = client.list("v1", "Namespace", selector=selector, fields=fields)
    found = [live for live in namespaces if live["metadata"]["name"] in possible or not names]
    if not found:
        return ()
    quotas: dict[str, dict[str, Any]] = defaultdict(dict)
    for live in client.list("v1", "ResourceQuota", only):
        quotas[live["metadata"]["namespace"]][live["metadata"]["name"]] = figures(live)
    others: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for api_version, kind in _OTHERS:
        for live in client.list(api_version, kind, only):
            others[live["metadata"]["namespace"]][kind].append(live["metadata"]["name"])
    return tuple(_surveyed(live, quotas, others) for live in found if live["metadata"]["name"] != SCRATCH_NAMESPACE)


def capacity(client: Client) -> Capacity:
    """What the compute nodes can give; see Driver."""
    return summed(client.list("v1", "Node"))


def summed(nodes: Sequence[Manifest]) -> Capacity:
    """The allocatable of the compute nodes among these that are ready and not cordoned, rounded down node by node.

    A node that the cluster itself runs on (control plane, infrastructure) is no compute node, whatever else it is.
    """
    compute = [node for node in nodes if not any(role in _labels(node) for role in _NOT_COMPUTE)]
    ready = [(node.get("status") or {}).get("allocatable") or {} for node in compute if _takes_pods(node)]
    return Capacity(
        cpu_millicores=sum(int(quantity.parse(given.get("cpu", "0")) * 1000) for given in ready),
        memory_bytes=sum(int(quantity.parse(given.get("memory", "0"))) for given in ready),
        pods=sum(int(quantity.parse(given.get("pods", "0"))) for given in ready),
        nodes=len(compute),
        ready=len(ready),
    )


def _takes_pods(node: Manifest) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)
    return ready and not (node.get("spec") or {}).get("unschedulable") and not _is_leaving(node)


def _surveyed(
    live: Manifest, quotas: Mapping[str, dict[str, Any]], others: Mapping[str, dict[str, list[str]]]
) -> Surveyed:
    meta, labels, fence = live["metadata"], _labels(live), fence_of(live)
    return Surveyed(
        name=meta["name"],
        uid=meta["uid"],
        labels=labels,
        annotations=meta.get("annotations") or {},
        is_open=labels.get(MANAGED_LABEL) == "true",
        bundle=fence.bundle if fence else "",
        quotas=dict(quotas.get(meta["name"], {})),
        others={kind: sorted(names) for kind, names in others.get(meta["name"], {}).items()},
        terminating=_is_leaving(live),
    )


def _labels(live: Manifest) -> dict[str, str]:
    labels: dict[str, str] = live["metadata"].get("labels") or {}
    return labels


def _is_leaving(live: Manifest) -> bool:
    return bool(live["metadata"].get("deletionTimestamp"))
