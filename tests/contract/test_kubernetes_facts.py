"""What the probe finds on a real API server: nodes, storage classes, CRDs, clocks, selectors; made with kubectl."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clusters.drivers.base import Connection, Probe
from clusters.drivers.kubernetes import KubernetesDriver, probing
from clusters.drivers.kubernetes.facts import cgroup, date_of, network, pools, role_of, skew
from script.local.controlplane import PORTAL_ACCOUNT, KubectlFailed
from tests.plugins.cluster import Kubectl

NODES = {
    "facts-c1": {"topology.kubernetes.io/zone": "z1", "topology.kubernetes.io/region": "r1", "rack": "k1"},
    "facts-c2": {"topology.kubernetes.io/zone": "z1", "topology.kubernetes.io/region": "r1", "rack": "k1"},
    "facts-i1": {"node-role.kubernetes.io/infra": "", "node-role.kubernetes.io/worker": ""},
    "facts-m1": {"node-role.kubernetes.io/control-plane": ""},
}


@pytest.fixture(scope="module")
def seen(kubectl: Kubectl, cluster_access: Connection) -> Iterator[Probe]:
    """A probe of a cluster with four nodes (one of them not ready), two classes and a plugin."""
    for name, labels in NODES.items():
        made(kubectl, "v1", "Node", name, labels=labels)
        ready = "False" if name == "facts-c2" else "True"
        status = {
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "3500m", "memory": "8Gi"},
            "nodeInfo": {},
        }
        patch = json.dumps({"status": status})
        kubectl("patch", "node", name, "--subresource=status", "--type=merge", f"-p={patch}")
    expands = {"provisioner": "csi.example", "allowVolumeExpansion": True}
    made(kubectl, "storage.k8s.io/v1", "StorageClass", "facts-fast", expands, annotations=DEFAULT)
    made(kubectl, "storage.k8s.io/v1", "StorageClass", "facts-slow", {"provisioner": "nfs.example"})
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    spec = {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}}
    made(kubectl, "apps/v1", "DaemonSet", "calico-node", spec, namespace="kube-system")
    yield KubernetesDriver(cluster_access, 20).probe()
    kubectl("delete", "node", *NODES)
    kubectl("delete", "storageclass", "facts-fast", "facts-slow")
    kubectl("delete", "daemonset", "calico-node", "--namespace=kube-system")


DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def made(kubectl: Kubectl, api: str, kind: str, name: str, body: dict[str, Any] | None = None, **meta: Any) -> None:
    manifest = {"apiVersion": api, "kind": kind, "metadata": {"name": name, **meta}, **(body or {})}
    kubectl("create", "-f", "-", stdin=json.dumps(manifest))


def test_probe__nodes__pools_by_role_and_place(seen: Probe) -> None:
    keys = ("role", "region", "zone", "rack", "nodes", "ready", "cpu", "memory")
    assert [tuple(pool[key] for key in keys) for pool in seen.facts["node_pools"]] == [
        ("compute", "r1", "z1", "k1", 2, 1, 3500, 8 * 1024**3),
        ("control-plane", "", "", "", 1, 1, 3500, 8 * 1024**3),
        ("infra", "", "", "", 1, 1, 3500, 8 * 1024**3),
    ]


def test_probe__storage_classes__said_with_default_and_expansion(seen: Probe) -> None:
    assert [one for one in seen.facts["storage_classes"] if one["name"].startswith("facts-")] == [
        {"name": "facts-fast", "provisioner": "csi.example", "is_default": True, "expands": True},
        {"name": "facts-slow", "provisioner": "nfs.example", "is_default": False, "expands": False},
    ]


def test_probe__plugin_of_the_network__found_by_its_daemonset(seen: Probe) -> None:
    assert (seen.facts["network_policy"], seen.facts["network_plugin"]) == ("enforced", "Calico")


def test_probe__whole__problem_free_plain_data(seen: Probe) -> None:
    assert seen.problems == ()
    assert {"v1", "apps/v1", "networking.k8s.io/v1"} <= set(seen.facts["served"])
    assert abs(seen.facts["clock_skew_seconds"]) < 30
    assert seen.facts["cgroup"] == "unknown"
    assert json.loads(json.dumps(seen.facts)) == seen.facts


def test_probe__node_selector__found_out_by_a_pod_that_is_never_stored(seen: Probe, kubectl: Kubectl) -> None:
    # The test's API server runs without PodNodeSelector, as most clusters do.
    assert seen.facts["node_selector"] == "ignored"
    assert kubectl("get", "pods", "--namespace=portal-plan", "--output=name") == ""


def test_portal__pod_that_would_be_stored__refused_by_the_policy(kubectl: Kubectl) -> None:
    restricted = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "x", "image": "x", "securityContext": confined}
    meta = {"name": "real", "namespace": "portal-plan"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    pod["spec"]["securityContext"] = restricted
    create = ("create", "--validate=false", "-f", "-", f"--as={PORTAL_ACCOUNT}")
    kubectl(*create, "--dry-run=server", stdin=json.dumps(pod))
    with pytest.raises(KubectlFailed, match="runs no pods"):
        kubectl(*create, stdin=json.dumps(pod))


def test_probe__custom_resource_definition__named(kubectl: Kubectl, cluster_access: Connection) -> None:
    names = {"plural": "facts", "singular": "fact", "kind": "Fact"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {
        "group": "facts.example",
        "scope": "Cluster",
        "names": names,
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    made(kubectl, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "facts.facts.example", {"spec": spec})
    try:
        assert "facts.facts.example" in KubernetesDriver(cluster_access, 20).probe().facts["crds"]
    finally:
        kubectl("delete", "crd", "facts.facts.example")


# What the real server of the tests cannot be: pure reading


def test_skew__date_of_the_answer_against_ours__in_seconds_and_a_problem_over_thirty() -> None:
    ours = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert skew(ours, date_of("Fri, 02 Jan 2026 03:05:05 GMT")) == 60.0
    assert skew(ours, ours - timedelta(seconds=31)) == -31.0
    assert [said.english for said in probing._clock(-31.0)] == [
        "The cluster's clock differs from the portal's by 31 seconds."
    ]
    assert not list(probing._clock(30.0)) and not list(probing._clock(-30.0))


@pytest.mark.parametrize("header", [None, "", "yesterday", "99 99 99", "Fri, 99 Jan 2026 03:05:05 GMT"])
def test_date_of__no_date__none(header: str | None) -> None:
    assert date_of(header) is None
    assert skew(datetime.now(UTC), date_of(header)) == 0.0


@pytest.mark.parametrize(
    ("labels", "role"),
    [
        ({}, "compute"),
        ({"node-role.kubernetes.io/worker": ""}, "compute"),
        ({"node-role.kubernetes.io/master": "", "node-role.kubernetes.io/worker": ""}, "control-plane"),
        ({"node-role.kubernetes.io/infra": ""}, "infra"),
        ({"node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/infra": ""}, "control-plane"),
    ],
)
def test_role_of__labels__what_it_is_for(labels: dict[str, str], role: str) -> None:
    assert role_of(labels) == role


def node(kernel: str, image: str) -> dict[str, Any]:
    info = {"kernelVersion": kernel, "osImage": image}
    return {"metadata": {"name": "n"}, "status": {"nodeInfo": info}}


OLD = node("3.10.0-1160.el7.x86_64", "CentOS Linux 7 (Core)")
NEW = node("6.12.0-55.el10.x86_64", "Red Hat Enterprise Linux 10.0 (Coughlan)")
EITHER = node("5.14.0-427.el9.x86_64", "Red Hat Enterprise Linux CoreOS 416.94")


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "unknown"),
        ([OLD], "v1"),
        ([NEW, NEW], "v2"),
        ([OLD, NEW], "mixed"),
        ([EITHER], "unknown"),
        ([NEW, EITHER], "unknown"),
        ([{"metadata": {"name": "n"}}], "unknown"),
    ],
)
def test_cgroup__only_what_leaves_no_choice__said(nodes: list[dict[str, Any]], said: str) -> None:
    assert cgroup(nodes) == said


def daemon(name: str, image: str = "x") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


@pytest.mark.parametrize(
    ("daemons", "said"),
    [
        ([], ("unknown", "")),
        ([daemon("kube-proxy")], ("unknown", "")),
        ([daemon("kube-flannel-ds")], ("not-enforced", "Flannel")),
        ([daemon("kube-flannel-ds", "registry.k8s.io/networking/kube-network-policies:v1")], ("enforced", "Flannel")),
        ([daemon("kube-flannel-ds"), daemon("calico-node")], ("enforced", "Calico, Flannel")),
        ([daemon("sdn")], ("unknown", "OpenShift SDN")),
        ([daemon("ovnkube-node")], ("enforced", "OVN-Kubernetes")),
    ],
)
def test_network__daemons_on_every_node__enforced_or_not(daemons: list[dict[str, Any]], said: tuple[str, str]) -> None:
    assert network(daemons) == said


def test_pools__nodes_without_status__counted_and_not_ready() -> None:
    (pool,) = pools([{"metadata": {"name": "n"}}])
    assert (pool["role"], pool["nodes"], pool["ready"], pool["cpu"]) == ("compute", 1, 0, 0)
