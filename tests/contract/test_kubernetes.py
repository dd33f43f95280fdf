"""What only the Kubernetes driver promises of objects: ownership, closed kinds, refusals, readiness."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from clusters.drivers.base import REVISION_ANNOTATION, Desired, DriverError, ObjectRef
from clusters.drivers.fence import stamped
from clusters.drivers.kubernetes.client import bounded
from clusters.drivers.kubernetes.errors import Conflict
from tests.contract.conftest import ClusterPlace


def network_policy(place: ClusterPlace, changed_in: int = 1, **spec: object) -> Desired:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "isolated", "namespace": place.namespace},
        "spec": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}], **spec},
    }
    return Desired(manifest, place.bundle, changed_in)


def members(place: ClusterPlace, role: str, *people: str, changed_in: int = 1) -> Desired:
    group = "rbac.authorization.k8s.io"
    manifest = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "members", "namespace": place.namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": person} for person in people],
    }
    return Desired(manifest, place.bundle, changed_in)


def limits(place: ClusterPlace) -> Desired:
    manifest = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "defaults", "namespace": place.namespace},
        "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]},
    }
    return Desired(manifest, place.bundle, 1)


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        pause.wait(0.05)


# Ownership and closed kinds


def test_apply__kinds_with_defaults__created_then_unchanged_and_kept(cluster_place: ClusterPlace) -> None:
    wanted = [
        cluster_place.namespaced(),
        limits(cluster_place),
        network_policy(cluster_place),
        members(cluster_place, "portal-developer", "ada"),
    ]
    assert {item.outcome for item in cluster_place.done(*wanted)} == {"created"}
    before = [cluster_place.version(item.ref) for item in wanted]
    assert {item.outcome for item in cluster_place.done(*wanted)} == {"unchanged"}
    assert [cluster_place.version(item.ref) for item in wanted] == before
    assert {change.action for change in cluster_place.open().plan(wanted, [])} == {"keep"}


def test_apply__worker_ended_after_its_post__fields_are_owned_all_the_same(cluster_place: ClusterPlace) -> None:
    cluster_place.done(cluster_place.namespaced())
    half = cluster_place.quota(1, pods="4", services="2").manifest
    half["metadata"] |= {
        "labels": {"portal.cloud/managed": "true"},
        "annotations": {"portal.cloud/revision": f"{cluster_place.bundle}/1"},
    }
    cluster_place.kubectl("create", "--field-manager=cloud-portal", "-f", "-", stdin=json.dumps(half))
    (applied,) = cluster_place.done(cluster_place.quota(2, pods="4"))
    assert applied.outcome == "changed"
    live = cluster_place.live(applied.ref)
    assert live["spec"]["hard"] == {"pods": "4"}
    ours = [entry for entry in live["metadata"]["managedFields"] if entry["manager"] == "cloud-portal"]
    assert [entry["operation"] for entry in ours] == ["Apply"]


def test_quota__key_of_somebody_else__planned_as_change_and_removed(cluster_place: ClusterPlace) -> None:
    _, quota = cluster_place.done(cluster_place.namespaced(), cluster_place.quota(pods="4"))
    patch = '{"spec": {"hard": {"count/secrets": "0"}}}'
    cluster_place.kubectl("patch", "quota", "project", f"-n={cluster_place.namespace}", f"--patch={patch}")
    wanted = cluster_place.quota(1, quota.uid, pods="4")
    (change,) = cluster_place.open().plan([wanted], [])
    assert change.action == "change"
    assert change.fields == (("spec.hard.count/secrets", "0", None),)
    assert cluster_place.done(wanted)[0].outcome == "changed"
    assert cluster_place.live(quota.ref)["spec"]["hard"] == {"pods": "4"}
    assert cluster_place.open().plan([wanted], [])[0].action == "keep"


def test_network_policy__egress_added_by_somebody_else__planned_and_removed(cluster_place: ClusterPlace) -> None:
    wanted = network_policy(cluster_place)
    cluster_place.done(cluster_place.namespaced(), wanted)
    patch = '{"spec": {"egress": [{}]}}'
    cluster_place.kubectl("patch", "netpol", "isolated", f"-n={cluster_place.namespace}", f"--patch={patch}")
    (change,) = cluster_place.open().plan([wanted], [])
    assert change.fields == (("spec.egress", [{}], None),)
    cluster_place.done(wanted)
    assert "egress" not in cluster_place.live(wanted.ref)["spec"]


def test_members__subject_added_by_somebody_else__planned_and_removed(cluster_place: ClusterPlace) -> None:
    wanted = members(cluster_place, "portal-viewer", "ada")
    cluster_place.done(cluster_place.namespaced(), wanted)
    patch = '[{"op": "add", "path": "/subjects/-", "value": {"kind": "User", "name": "eve"}}]'
    namespace = f"-n={cluster_place.namespace}"
    cluster_place.kubectl("patch", "rolebinding", "members", namespace, "--type=json", f"--patch={patch}")
    (change,) = cluster_place.open().plan([wanted], [])
    assert [path for path, _, _ in change.fields] == ["subjects"]
    cluster_place.done(wanted)
    assert [subject["name"] for subject in cluster_place.live(wanted.ref)["subjects"]] == ["ada"]


def test_namespace__labels_of_others__kept_and_not_planned(cluster_place: ClusterPlace) -> None:
    (namespace,) = cluster_place.done(cluster_place.namespaced(1, team="a"))
    cluster_place.kubectl("label", "namespace", cluster_place.namespace, "cost=low")
    assert cluster_place.open().plan([cluster_place.namespaced(1, namespace.uid, team="a")], [])[0].action == "keep"
    cluster_place.done(cluster_place.namespaced(2, namespace.uid, team="b"))
    labels = cluster_place.live(namespace.ref)["metadata"]["labels"]
    assert labels["cost"] == "low" and labels["team"] == "b"


def test_plan__namespace_taken_over__what_would_be_added_and_nothing_of_others(cluster_place: ClusterPlace) -> None:
    labels = {"portal.cloud/managed": "true", "team": "a", "cost": "high"}
    meta = {"name": cluster_place.namespace, "labels": labels, "annotations": {"theirs": "x"}}
    cluster_place.written_by_somebody({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    uid = cluster_place.live(cluster_place.namespaced().ref)["metadata"]["uid"]
    with pytest.raises(DriverError, match="is not the portal's"):
        cluster_place.open().plan([cluster_place.namespaced(tenant="claims")], [])
    with pytest.raises(DriverError, match="is not the portal's"):
        cluster_place.open().plan(
            [cluster_place.namespaced(1, "0b6ff3bc-0000-4000-8000-000000000000", tenant="claims")], []
        )
    taken = cluster_place.namespaced(1, uid, tenant="claims", cost="low")
    change, added = cluster_place.open().plan([taken, cluster_place.quota(pods="4")], [])
    assert (change.action, added.action) == ("change", "add")
    assert change.fields == (("metadata.labels.cost", "high", "low"), ("metadata.labels.tenant", None, "claims"))
    assert cluster_place.done(taken)[0].outcome == "changed"
    live = cluster_place.live(taken.ref)["metadata"]
    assert live["uid"] == uid and live["annotations"]["theirs"] == "x" and live["labels"]["team"] == "a"
    assert live["annotations"][REVISION_ANNOTATION] == f"{cluster_place.bundle}/1"


def test_apply__annotation_lost_but_same_uid__still_ours(cluster_place: ClusterPlace) -> None:
    (namespace,) = cluster_place.done(cluster_place.namespaced(1, team="a"))
    cluster_place.kubectl("annotate", "namespace", cluster_place.namespace, "portal.cloud/revision-")
    (again,) = cluster_place.done(cluster_place.namespaced(1, namespace.uid, team="a"))
    assert again.outcome == "changed" and again.uid == namespace.uid


# What the server refuses


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(("field", "value"), [("hrad", {"pods": "1"}), ("hard", {"pods": "a few"})])
def test_apply__unknown_field_or_malformed_quantity__permanent_with_the_servers_sentence(
    cluster_place: ClusterPlace, exists: bool, field: str, value: object
) -> None:
    cluster_place.done(cluster_place.namespaced(), *([cluster_place.quota(1)] if exists else []))
    wanted = cluster_place.quota(2)
    wanted.manifest["spec"] = {field: value}
    for attempt in (cluster_place.open().apply, lambda item: cluster_place.open().plan([item], [])):
        with pytest.raises(DriverError, match=r"hrad|quantities") as caught:
            attempt(wanted)
        assert not caught.value.transient and not caught.value.operator


def test_plan__malformed_object_in_a_namespace_that_is_not_there__permanent(cluster_place: ClusterPlace) -> None:
    with pytest.raises(DriverError, match="quantities") as caught:
        cluster_place.open().plan([cluster_place.namespaced(), cluster_place.quota(pods="a few")], [])
    assert not caught.value.transient
    assert cluster_place.kubectl("get", "quota", "-n=portal-plan", "-o=name") == ""


def test_apply__immutable_field__permanent(cluster_place: ClusterPlace) -> None:
    cluster_place.done(cluster_place.namespaced(), members(cluster_place, "portal-developer", "ada"))
    with pytest.raises(DriverError, match="cannot change roleRef") as caught:
        cluster_place.open().apply(members(cluster_place, "portal-viewer", "ada", changed_in=2))
    assert not caught.value.transient


def test_apply__role_the_portal_may_not_bind__permanent(cluster_place: ClusterPlace) -> None:
    cluster_place.done(cluster_place.namespaced())
    with pytest.raises(DriverError, match="forbidden") as caught:
        cluster_place.open().apply(members(cluster_place, "cluster-admin", "eve"))
    assert not caught.value.transient and not caught.value.operator
    assert len(str(caught.value)) < 600


def test_apply__kind_the_cluster_does_not_know__permanent(cluster_place: ClusterPlace) -> None:
    manifest = {"apiVersion": "example.org/v1", "kind": "Nothing", "metadata": {"name": "x"}}
    with pytest.raises(DriverError, match="does not know") as caught:
        cluster_place.open().apply(Desired(manifest, cluster_place.bundle, 1))
    assert not caught.value.transient


def test_apply__namespace_gone__transient(cluster_place: ClusterPlace) -> None:
    with pytest.raises(DriverError, match="not found") as caught:
        cluster_place.open().apply(cluster_place.quota())
    assert caught.value.transient


def test_delete__namespace__being_deleted_then_gone(cluster_place: ClusterPlace) -> None:
    namespace, quota = cluster_place.done(cluster_place.namespaced(), cluster_place.quota())
    driver = cluster_place.open()
    assert driver.delete(namespace.ref, namespace.uid) is False
    (seen,) = driver.observe([namespace.ref])
    assert seen.exists and not seen.ready and "being deleted" in seen.message.english
    for attempt in (
        lambda: driver.apply(cluster_place.namespaced(2, namespace.uid, team="a")),
        lambda: driver.apply(cluster_place.quota(2, name="another")),
        lambda: driver.plan([cluster_place.namespaced(2, namespace.uid, team="a")], []),
    ):
        with pytest.raises(DriverError, match=r"being (deleted|terminated)") as caught:
            attempt()
        assert caught.value.transient
    until(lambda: driver.delete(namespace.ref, namespace.uid))
    assert driver.observe([namespace.ref, quota.ref])[0].exists is False
    assert driver.apply(cluster_place.namespaced(3, namespace.uid)).outcome == "missing"


# Observing


def test_observe__quota__ready_with_what_is_used(cluster_place: ClusterPlace) -> None:
    wanted = [cluster_place.namespaced(), cluster_place.quota(pods="4", requests_cpu="1500m")]
    refs = [item.ref for item in cluster_place.done(*wanted)]
    until(lambda: all(item.ready for item in cluster_place.open().observe(refs)))
    namespace, quota = cluster_place.open().observe(refs)
    assert quota.usage == {
        "hard": {"pods": "4", "requests.cpu": "1500m"},
        "used": {"pods": "0", "requests.cpu": "0"},
    }
    assert namespace.usage == {} and namespace.message is quota.message is None


def test_observe__deployment_over_quota__not_ready_and_says_why(cluster_place: ClusterPlace) -> None:
    cluster_place.done(cluster_place.namespaced(), cluster_place.quota(pods="0"))
    until(lambda: cluster_place.open().observe([cluster_place.quota().ref])[0].ready)
    cluster_place.kubectl("create", "deployment", "web", "--image=web", f"-n={cluster_place.namespace}")
    ref = ObjectRef("apps/v1", "Deployment", cluster_place.namespace, "web")
    until(lambda: "exceeded quota" in str(cluster_place.open().observe([ref])[0].message))
    assert not cluster_place.open().observe([ref])[0].ready


def test_create_by_apply__eight_creators_at_once__one_creates_and_nothing_is_written_over(
    cluster_place: ClusterPlace,
) -> None:
    cluster_place.done(cluster_place.namespaced())
    driver = cluster_place.open()
    wanted = [cluster_place.quota(number, pods=str(number)) for number in range(1, 9)]

    def create(desired: Desired) -> str:
        with bounded(10):
            try:
                return driver._client.create_by_apply(stamped(desired), desired.ref)["spec"]["hard"]["pods"]
            except Conflict:
                return ""

    with ThreadPoolExecutor(8) as pool:
        made = [pods for pods in pool.map(create, wanted) if pods]
    assert len(made) == 1
    live = cluster_place.live(wanted[0].ref)
    assert live["spec"]["hard"] == {"pods": made[0]}
    ours = [entry["operation"] for entry in live["metadata"]["managedFields"] if entry["manager"] == "cloud-portal"]
    assert ours == ["Apply"]
