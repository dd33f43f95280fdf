"""What a cluster is made of, as far as the portal may see it: found from what is there, never guessed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from clusters import quantity
from clusters.drivers.base import SCRATCH_NAMESPACE, DriverError, Manifest, ObjectRef
from clusters.drivers.kubernetes.client import Client

Facts = dict[str, Any]
Role = Literal["control-plane", "infra", "compute"]
Enforced = Literal["enforced", "not-enforced", "unknown"]
Cgroup = Literal["v1", "v2", "mixed", "unknown"]
_MOST_NAMES = 500
_ZONE, _REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
# Nobody agreed on one name for it.
_RACKS = ("topology.kubernetes.io/rack", "rack", "topology.rook.io/rack")
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_NODE_SELECTOR = "scheduler.alpha.kubernetes.io/node-selector"
# By the DaemonSet that each of them runs on every node, as its own installation names it: (name, plugin, whether it
# enforces NetworkPolicies). OpenShift SDN does so in one of its three modes, Amazon's where it is switched on.
_PLUGINS: tuple[tuple[str, str, Enforced], ...] = (
    ("calico-node", "Calico", "enforced"),
    ("cilium", "Cilium", "enforced"),
    ("antrea-agent", "Antrea", "enforced"),
    ("weave-net", "Weave Net", "enforced"),
    ("ovnkube-node", "OVN-Kubernetes", "enforced"),
    ("kube-ovn-cni", "Kube-OVN", "enforced"),
    ("canal", "Canal", "enforced"),
    ("rke2-canal", "Canal", "enforced"),
    ("sdn", "OpenShift SDN", "unknown"),
    ("aws-node", "Amazon VPC CNI", "unknown"),
    ("kube-flannel-ds", "Flannel", "not-enforced"),
)
# What Flannel brings along where it is told to enforce them: a second container in its pods.
_ADDED = "kube-network-policies"


def facts(client: Client, ours: datetime, theirs: datetime | None) -> Facts:
    """The facts of base.Probe; `theirs` is the time in the cluster's answer (None where it named none), `ours` that
    between asking and hearing. What may not be read is left empty or "unknown", since the missing right is reported.
    """
    crds = _listed(client, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    nodes = _listed(client, "v1", "Node")
    enforced, plugin = network(_listed(client, "apps/v1", "DaemonSet"))
    return {
        "served": _served(client),
        "crds": sorted(crd["metadata"]["name"] for crd in crds)[:_MOST_NAMES],
        "network_policy": enforced,
        "network_plugin": plugin,
        "cgroup": cgroup(nodes),
        "clock_skew_seconds": skew(ours, theirs),
        "node_pools": pools(nodes),
        "storage_classes": [_storage_class(found) for found in _listed(client, "storage.k8s.io/v1", "StorageClass")],
        "node_selector": _node_selector(client),
    }


def skew(ours: datetime, theirs: datetime | None) -> float:
    """By how many seconds the cluster's clock is ahead of ours; its answer names whole seconds only."""
    return round((theirs - ours).total_seconds(), 1) if theirs else 0.0


def date_of(header: str | None) -> datetime | None:
    """The time in a Date header (RFC 9110), None for anything else."""
    try:
        found = parsedate_to_datetime(header or "")
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def pools(nodes: Sequence[Manifest]) -> list[Facts]:
    """The nodes by role, region, zone and rack ("" where it has no such label): how many there are and are ready, and
    what those have for pods, in thousandths of a core and bytes. By role, then by place."""
    found: dict[tuple[str, ...], Facts] = {}
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        rack = next((labels[name] for name in _RACKS if labels.get(name)), "")
        key = (role_of(labels), labels.get(_REGION, ""), labels.get(_ZONE, ""), rack)
        names = dict(zip(("role", "region", "zone", "rack"), key, strict=True))
        pool = found.setdefault(key, {**names, "nodes": 0, "ready": 0, "cpu": 0, "memory": 0})
        pool["nodes"] += 1
        status = node.get("status") or {}
        if any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or []):
            given = status.get("allocatable") or {}
            pool["ready"] += 1
            pool["cpu"] += int(quantity.parse(given.get("cpu", "0")) * 1000)
            pool["memory"] += int(quantity.parse(given.get("memory", "0")))
    return [found[key] for key in sorted(found)]


def role_of(labels: dict[str, str]) -> Role:
    """What the node is for by its role labels; what the cluster itself runs on is no compute node, whatever else."""
    roles = {name.removeprefix("node-role.kubernetes.io/") for name in labels if name.startswith("node-role.")}
    if roles & {"control-plane", "master"}:
        return "control-plane"
    return "infra" if "infra" in roles else "compute"


def cgroup(nodes: Sequence[Manifest]) -> Cgroup:
    """Which cgroup version the nodes run with, where their operating system leaves no choice; the API does not say.

    Containers need Linux 4.15 for v2 (its CPU controller); RHEL 10 removed v1 (its release notes). Everything in
    between can be either.
    """
    said = {_cgroup((node.get("status") or {}).get("nodeInfo") or {}) for node in nodes}
    if len(said) == 1:
        return said.pop()
    return "mixed" if said == {"v1", "v2"} else "unknown"


def _cgroup(info: dict[str, Any]) -> Cgroup:
    kernel = re.match(r"([0-9]{1,3})\.([0-9]{1,4})\.", str(info.get("kernelVersion", "")))
    if kernel and (int(kernel[1]), int(kernel[2])) < (4, 15):
        return "v1"
    return "v2" if re.match(r"Red Hat Enterprise Linux 1[0-9]\b", str(info.get("osImage", ""))) else "unknown"


def _served(client: Client) -> list[str]:
    """Versions of the API that are served, the core's first."""
    core = client.call("get", "/api").get("versions") or []
    groups = client.call("get", "/apis").get("groups") or []
    return sorted(map(str, core)) + sorted(one["groupVersion"] for group in groups for one in group["versions"])


def network(daemons: Sequence[Manifest]) -> tuple[Enforced, str]:
    """Whether NetworkPolicies are enforced, and the plugin's name ("" where none is known), from what runs on every
    node."""
    by_name = {found["metadata"]["name"]: found for found in daemons}
    running = {plugin: enforced for name, plugin, enforced in _PLUGINS if name in by_name}
    if _ADDED in str((by_name.get("kube-flannel-ds") or {}).get("spec")):
        running["Flannel"] = "enforced"
    said = set(running.values())
    # One plugin connects and another may enforce, so the best of them counts.
    order: tuple[Enforced, ...] = ("enforced", "unknown", "not-enforced")
    return next((enforced for enforced in order if enforced in said), "unknown"), ", ".join(sorted(running))


def _storage_class(found: Manifest) -> Facts:
    annotations = found["metadata"].get("annotations") or {}
    return {
        "name": found["metadata"]["name"],
        "provisioner": str(found.get("provisioner", "")),
        "is_default": annotations.get(_DEFAULT_CLASS) == "true",
        "expands": bool(found.get("allowVolumeExpansion")),
    }


def _node_selector(client: Client) -> Literal["honoured", "ignored", "unknown"]:
    """Whether a namespace's node selector reaches its pods: many clusters ignore it without a word.

    The scratch namespace has one that fits no node; a dry run shows whether a pod gets it.
    """
    try:
        scratch = client.get(ObjectRef("v1", "Namespace", "", SCRATCH_NAMESPACE))
        wanted = ((scratch or {}).get("metadata", {}).get("annotations") or {}).get(_NODE_SELECTOR, "")
        label, _equals, value = wanted.partition("=")
        if not label:
            return "unknown"
        pod = client.create(_pod(), dry_run=True)
    except DriverError as error:
        if error.transient or error.operator:
            raise
        return "unknown"
    return "honoured" if (pod["spec"].get("nodeSelector") or {}).get(label) == value else "ignored"


def _pod() -> Manifest:
    """As small as a pod can be that pod security "restricted" takes; it is never stored."""
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "none", "image": "none.invalid/none", "securityContext": confined}
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security, "automountServiceAccountToken": False}
    meta = {"name": "portal-node-selector-check", "namespace": SCRATCH_NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _listed(client: Client, api_version: str, kind: str) -> list[Manifest]:
    """All of one kind; [] where the portal may not list them or the kind is not served."""
    try:
        return client.list(api_version, kind)
    except DriverError as error:
        if error.operator or error.transient:
            raise
        return []
