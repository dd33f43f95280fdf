"""What the Kubernetes driver promises of what others keep: namespaces with their contents, and nodes."""

import json
from collections.abc import Callable, Iterator

import pytest

from clusters.drivers.base import Capacity, Connection, DriverError
from clusters.drivers.kubernetes import KubernetesDriver, client
from clusters.drivers.kubernetes.surveying import summed
from tests.contract.conftest import ClusterPlace
from tests.plugins.cluster import Kubectl
from tests.waiting import eventually


def the_list(*objects: dict[str, object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def a_namespace(name: str, **labels: str) -> dict[str, object]:
    meta = {"name": name, "labels": labels, "annotations": {"theirs": "kept"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def a_quota(namespace: str, name: str = "team-quota") -> dict[str, object]:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "9"}}}


def a_policy(namespace: str, name: str) -> dict[str, object]:
    meta = {"name": name, "namespace": namespace}
    spec = {"podSelector": {}}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def test_survey__namespaces_of_others__what_is_in_them(cluster_place: ClusterPlace) -> None:
    name, mark = cluster_place.namespace, f"survey={cluster_place.namespace}"
    other, hidden = f"{name}-other", f"{name}-hidden"
    objects = [
        a_namespace(name, survey=name, **{"portal.cloud/managed": "true"}),
        a_namespace(other, survey=name),
        a_namespace(hidden),
        a_quota(name),
        a_quota(name, "second"),
        a_policy(name, "b"),
        a_policy(name, "a"),
        a_policy(hidden, "a"),
    ]
    cluster_place.kubectl("create", "-f", "-", stdin=the_list(*objects))
    cluster_place.kubectl("create", "rolebinding", "team", f"-n={name}", "--clusterrole=view", "--user=ada")
    driver = cluster_place.open()
    counted = {"hard": {"pods": "9"}, "used": {"pods": "0"}}
    eventually(lambda: driver.survey(mark)[0].quotas == {"team-quota": counted, "second": counted}, 60, "counted")
    first, second = driver.survey(mark)
    live = cluster_place.live(cluster_place.namespaced().ref)["metadata"]
    assert (first.name, first.uid, first.is_open, first.bundle) == (name, live["uid"], True, "")
    assert first.labels["survey"] == name and first.annotations == {"theirs": "kept"} and not first.terminating
    assert first.others == {"NetworkPolicy": ["a", "b"], "RoleBinding": ["team"]}
    assert (second.name, second.is_open, second.quotas, second.others) == (other, False, {}, {})
    assert [found.name for found in driver.survey(names=[hidden, name, f"{name}-nowhere", "not/a name"])] == [
        name,
        hidden,
    ]
    assert [found.others for found in driver.survey(names=[hidden])] == [{"NetworkPolicy": ["a"]}]
    assert driver.survey(mark, [hidden]) == ()


def test_survey__namespace_of_the_portals_or_on_its_way_out__said(cluster_place: ClusterPlace) -> None:
    namespace, _ = cluster_place.done(cluster_place.namespaced(), cluster_place.quota())
    driver = cluster_place.open()
    (found,) = driver.survey(names=[cluster_place.namespace])
    assert found.bundle == cluster_place.bundle and not found.terminating
    driver.delete(namespace.ref, namespace.uid)
    assert all(found.terminating for found in driver.survey(names=[cluster_place.namespace]))


@pytest.mark.parametrize("names", [["../../nodes"], ["a,b"], ["A b"], [""], ["x" * 64]])
def test_survey__names_that_cannot_be__nothing_found(cluster_place: ClusterPlace, names: list[str]) -> None:
    assert cluster_place.open().survey(names=names) == ()


def test_survey__everything__with_system_namespaces_but_without_the_scratch_one(cluster_place: ClusterPlace) -> None:
    names = {found.name for found in cluster_place.open().survey()}
    assert {"kube-system", "portal-system"} <= names and "portal-plan" not in names


def test_survey__malformed_selector__permanent_with_the_servers_sentence(cluster_place: ClusterPlace) -> None:
    with pytest.raises(DriverError, match="unable to parse") as caught:
        cluster_place.open().survey("team in (")
    assert not caught.value.transient


def test_survey__more_than_a_page__all_of_them(cluster_place: ClusterPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PAGE", "2")
    name = cluster_place.namespace
    spaces = [f"{name}-{number}" for number in range(5)]
    objects = [a_namespace(space, survey=name) for space in spaces] + [a_quota(space) for space in spaces]
    cluster_place.kubectl("create", "-f", "-", stdin=the_list(*objects))
    found = cluster_place.open().survey(f"survey={name}")
    assert [item.name for item in found] == spaces
    assert all(list(item.quotas) == ["team-quota"] for item in found)


def test_survey__300_namespaces__all_found(
    cluster_access: Connection, kubectl: Kubectl, unique: Callable[[str], str]
) -> None:
    mark = unique("many")
    spaces = [f"{mark}-{number:03}" for number in range(300)]
    objects = [a_namespace(space, survey=mark) for space in spaces] + [a_quota(space) for space in spaces]
    kubectl("create", "-f", "-", stdin=the_list(*objects))
    # They stay: 300 deletions would keep the namespace controller from those that other tests wait for.
    driver = KubernetesDriver(cluster_access, 10)
    found = driver.survey(f"survey={mark}")
    assert [item.name for item in found] == spaces and all(item.quotas for item in found)


# Nodes


def a_node(name: str = "n", *, ready: str = "True", cordoned: bool = False, roles: tuple[str, ...] = (), **given: str):
    labels = {f"node-role.kubernetes.io/{role}": "" for role in roles}
    allocatable = {"cpu": "4", "memory": "16Gi", "pods": "110"} | given
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"allocatable": allocatable, "conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], Capacity(0, 0, 0, 0, 0)),
        ([a_node(), a_node(cpu="3920m", memory="15Gi")], Capacity(7920, 31 * 2**30, 220, 2, 2)),
        ([a_node(roles=("worker",)), a_node(roles=("compute", "gpu"))], Capacity(8000, 32 * 2**30, 220, 2, 2)),
        ([a_node(), a_node(roles=("control-plane",))], Capacity(4000, 2**34, 110, 1, 1)),
        ([a_node(), a_node(roles=("master", "worker")), a_node(roles=("infra",))], Capacity(4000, 2**34, 110, 1, 1)),
        ([a_node(), a_node(cordoned=True)], Capacity(4000, 2**34, 110, 2, 1)),
        ([a_node(), a_node(ready="False"), a_node(ready="Unknown")], Capacity(4000, 2**34, 110, 3, 1)),
        ([{"metadata": {"name": "new"}}], Capacity(0, 0, 0, 1, 0)),
        ([a_node(cpu="1500500u", memory="1500m"), a_node(cpu="1500500u")], Capacity(3000, 1 + 2**34, 220, 2, 2)),
    ],
)
def test_summed__nodes__compute_nodes_that_take_pods(nodes, expected) -> None:
    assert summed(nodes) == expected


@pytest.fixture
def nodes(kubectl: Kubectl, unique: Callable[[str], str]) -> Iterator[Callable[..., None]]:
    """Adds a node as its kubelet would, and removes it in the end."""
    made = []

    def add(**about: object) -> None:
        node = a_node(unique("node"), **about)
        made.append(node["metadata"]["name"])
        kubectl("create", "-f", "-", stdin=json.dumps(node))
        status = json.dumps({"status": node["status"]})
        kubectl("patch", "node", made[-1], "--subresource=status", f"--patch={status}")

    yield add
    kubectl("delete", "node", *made, "--ignore-not-found")


def test_capacity__nodes_of_the_cluster__theirs_is_counted(cluster_place: ClusterPlace, nodes) -> None:
    # Large figures: whatever other tests add and remove meanwhile is small beside them.
    nodes(cpu="100000", memory="1Pi", pods="1000000")
    nodes(cpu="200000", memory="2Pi", pods="2000000")
    nodes(cpu="900000", memory="9Pi", pods="9000000", roles=("control-plane",))
    nodes(cpu="900000", memory="9Pi", pods="9000000", cordoned=True)
    seen = cluster_place.open().capacity()
    assert 300_000_000 <= seen.cpu_millicores < 310_000_000
    assert 3 * 2**50 <= seen.memory_bytes < 4 * 2**50
    assert 3_000_000 <= seen.pods < 3_100_000
    assert seen.nodes > seen.ready >= 2
