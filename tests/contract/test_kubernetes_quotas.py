"""What the Kubernetes driver promises of quotas: no limit falls below what is in use, whoever is faster."""

import threading

import pytest

from clusters.drivers.base import Applied, DriverError
from clusters.drivers.kubernetes import client, quotas
from tests.contract.conftest import ClusterPlace
from tests.waiting import eventually


def used(place: ClusterPlace, resource: str) -> str:
    return place.live(place.quota().ref).get("status", {}).get("used", {}).get(resource, "")


def with_claims(place: ClusterPlace, count: int, size: str = "1Gi", **hard: str) -> Applied:
    """A quota with volume claims that use some of it, once their use is counted."""
    _, quota = place.done(place.namespaced(), place.quota(persistentvolumeclaims="10", **hard))
    eventually(lambda: used(place, "persistentvolumeclaims") == "0", 60, "the quota is counted")
    for number in range(count):
        place.written_by_somebody(a_claim(place.namespace, f"data-{number}", size))
    eventually(lambda: used(place, "persistentvolumeclaims") == str(count), 60, "the claims are counted")
    return quota


def a_claim(namespace: str, name: str, size: str) -> dict[str, object]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def test_apply__limit_below_what_is_in_use__refused_and_untouched(cluster_place: ClusterPlace) -> None:
    quota = with_claims(cluster_place, 3)
    before = cluster_place.version(quota.ref)
    with pytest.raises(DriverError) as caught:
        cluster_place.open().apply(cluster_place.quota(2, quota.uid, persistentvolumeclaims="2"))
    assert str(caught.value) == (
        "project: 3 of persistentvolumeclaims are in use, so the limit cannot be lowered to 2."
    )
    assert not caught.value.transient and not caught.value.operator
    assert cluster_place.version(quota.ref) == before


def test_apply__limit_lowered_to_what_is_in_use__done(cluster_place: ClusterPlace) -> None:
    quota = with_claims(cluster_place, 2, "1536Mi", requests_storage="10Gi")
    wanted = cluster_place.quota(2, quota.uid, persistentvolumeclaims="2", requests_storage="3Gi")
    assert cluster_place.done(wanted)[0].outcome == "changed"
    less = cluster_place.quota(3, quota.uid, persistentvolumeclaims="2", requests_storage="3071Mi")
    with pytest.raises(DriverError, match=r"3Gi of requests\.storage"):
        cluster_place.open().apply(less)


def test_apply__more_in_use_than_allowed_already__raised_and_the_rest_changed(cluster_place: ClusterPlace) -> None:
    quota = with_claims(cluster_place, 3)
    patch = '{"spec": {"hard": {"persistentvolumeclaims": "1"}}}'
    cluster_place.kubectl("patch", "quota", "project", f"-n={cluster_place.namespace}", f"--patch={patch}")
    raised = cluster_place.quota(2, quota.uid, persistentvolumeclaims="2", services="5")
    assert cluster_place.done(raised)[0].outcome == "changed"
    same = cluster_place.quota(3, quota.uid, persistentvolumeclaims="2", services="6")
    assert cluster_place.done(same)[0].outcome == "changed"


def test_apply__used_between_reading_and_writing__refused_all_the_same(
    cluster_place: ClusterPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim comes after the driver has compared: its count makes what was read old, so it is read again."""
    quota = with_claims(cluster_place, 2)
    apply, late = client.Client.apply, threading.Event()

    def slow(self, manifest, ref, **options):
        if not late.is_set():
            late.set()
            cluster_place.written_by_somebody(a_claim(cluster_place.namespace, "late", "1Gi"))
        return apply(self, manifest, ref, **options)

    monkeypatch.setattr(client.Client, "apply", slow)
    with pytest.raises(DriverError, match="3 of persistentvolumeclaims") as caught:
        cluster_place.open().apply(cluster_place.quota(2, quota.uid, persistentvolumeclaims="2"))
    assert not caught.value.transient
    assert cluster_place.live(quota.ref)["spec"]["hard"] == {"persistentvolumeclaims": "10"}


@pytest.mark.parametrize(
    ("before", "in_use", "wanted", "is_refused"),
    [
        ("2", "1500m", "1.5", False),
        ("2", "1500m", "1499m", True),
        ("2", "1501m", "1.5", True),
        ("8Gi", "8589934591", "8Gi", False),
        ("8Gi", "8G", "7630Mi", False),
        ("8Gi", "8G", "7629Mi", True),
        ("1k", "1000", "999", True),
        ("4", None, "1", False),
        (None, "9", "1", False),
        ("4", "3", "a few", False),
    ],
)
def test_check_use__quantities_in_any_spelling__compared_exactly(before, in_use, wanted, is_refused) -> None:
    live = {"kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {}}, "status": {"used": {}}}
    if before is not None:
        live["spec"]["hard"]["x"] = before
    if in_use is not None:
        live["status"]["used"]["x"] = in_use
    if not is_refused:
        quotas.check_use(live, {"spec": {"hard": {"x": wanted}}})
        return
    with pytest.raises(DriverError, match=wanted):
        quotas.check_use(live, {"spec": {"hard": {"x": wanted}}})


@pytest.mark.parametrize("live", [{"kind": "ResourceQuota", "metadata": {"name": "q"}}, {"kind": "LimitRange"}])
def test_check_use__nothing_known__nothing_refused(live) -> None:
    assert quotas.check_use(live, {"spec": {"hard": {"pods": "0"}}}) is None
