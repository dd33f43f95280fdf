"""Drift of every sort, made with kubectl on a real API server: found, repaired or reported."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Event
from clusters import drift
from clusters.drivers.kubernetes.client import Client
from clusters.models import Bundle, Cluster, DriftCheck, Health
from clusters.services import create_bundle, repair
from tests.builders import a_tenant, a_user
from tests.clusters.doing import a_project, arrived, compared, created, kept, now_due, read, want
from tests.waiting import eventually
from web.errors import Conflict, Forbidden, NotFound
from web.sentences import shown
from work.tasks import drive

pytestmark = pytest.mark.django_db
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture
def name(unique) -> str:
    return unique("drift")


@pytest.fixture
def bundle(real_cluster, name) -> Bundle:
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    return kept(real_cluster, name)


def patched(kubectl, name: str, kind: str, of: str, **body: Any) -> None:
    kubectl("patch", kind, of, f"-n={name}", "--type=merge", f"--patch={json.dumps(body)}")


def a_limit_of_theirs(name: str) -> dict[str, Any]:
    limits = [{"type": "Container", "max": {"cpu": "64"}}]
    meta = {"name": "portal-limits", "namespace": name}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": limits}}


def an_allow_all(name: str) -> dict[str, Any]:
    meta = {"name": "allow-all", "namespace": name}
    spec = {"podSelector": {}, "ingress": [{}], "policyTypes": ["Ingress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def a_binding(name: str, role: str = "admin", called: str = "friends") -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": called, "namespace": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "mallory"}],
    }


def replaced_limits(kubectl, name: str) -> None:
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    created(kubectl, a_limit_of_theirs(name))


def add_subject(kubectl, name: str) -> None:
    subject = {"apiGroup": RBAC, "kind": "User", "name": "mallory"}
    patch = json.dumps([{"op": "add", "path": "/subjects/-", "value": subject}])
    kubectl("patch", "rolebinding", "portal-developer", f"-n={name}", "--type=json", f"--patch={patch}")


Act = Callable[[Any, str], object]
# (what somebody does, kind, name or "" for the project's namespace, sort, path, live, wanted, who)
SORTS: dict[str, tuple[Act, str, str, str, str, Any, Any, str]] = {
    "label removed": (
        lambda kubectl, ns: kubectl("label", "namespace", ns, "portal.cloud/tenant-"),
        *("Namespace", "", "changed", "metadata.labels.portal.cloud/tenant", None, "claims", ""),
    ),
    "pod security lowered": (
        lambda kubectl, ns: kubectl(
            "label", "namespace", ns, "pod-security.kubernetes.io/enforce=privileged", "--overwrite"
        ),
        *("Namespace", "", "changed", "metadata.labels.pod-security.kubernetes.io/enforce"),
        *("privileged", "baseline", "kubectl-label"),
    ),
    "quota raised": (
        lambda kubectl, ns: patched(kubectl, ns, "quota", "portal-quota", spec={"hard": {"pods": "99"}}),
        *("ResourceQuota", "portal-quota", "changed", "spec.hard.pods", "99", "20", "kubectl-patch"),
    ),
    "key added to the quota": (
        lambda kubectl, ns: patched(kubectl, ns, "quota", "portal-quota", spec={"hard": {"count/secrets": "3"}}),
        *("ResourceQuota", "portal-quota", "changed", "spec.hard.count/secrets", "3", None, "kubectl-patch"),
    ),
    "network policy loosened": (
        lambda kubectl, ns: patched(kubectl, ns, "networkpolicy", "portal-default-deny", spec={"ingress": [{}]}),
        *("NetworkPolicy", "portal-default-deny", "changed", "spec.ingress", [{}], None, "kubectl-patch"),
    ),
    "subject added": (
        add_subject,
        *("RoleBinding", "portal-developer", "changed", "subjects"),
        [{"apiGroup": RBAC, "kind": "User", "name": one} for one in ("oidc:dev", "mallory")],
        *([{"apiGroup": RBAC, "kind": "User", "name": "oidc:dev"}], "kubectl-patch"),
    ),
    "fence removed": (
        lambda kubectl, ns: kubectl("annotate", "quota", "portal-quota", f"-n={ns}", "portal.cloud/revision-"),
        *("ResourceQuota", "portal-quota", "changed", "metadata.annotations.portal.cloud/revision", None, "*", ""),
    ),
    "object deleted": (
        lambda kubectl, ns: kubectl("delete", "limitrange", "portal-limits", f"-n={ns}"),
        *("LimitRange", "portal-limits", "missing", "", None, None, ""),
    ),
    "object deleted and made anew": (
        replaced_limits,
        *("LimitRange", "portal-limits", "replaced", "metadata.labels.portal.cloud/managed"),
        *(None, "true", "kubectl-create"),
    ),
}


@pytest.mark.parametrize("sort", SORTS)
def test_drift__made_with_kubectl__found_and_brought_back_by_a_person(bundle, kubectl, name, sort):
    act, kind, of, expected, path, live, wanted, by = SORTS[sort]
    of = of or name
    within = [] if kind == "Namespace" else [f"-n={name}"]
    before = read(kubectl, kind, of, *within)
    act(kubectl, name)
    row = compared(bundle)
    (found,) = row.found
    assert (found["ref"]["kind"], found["ref"]["name"], found["sort"]) == (kind, of, expected)
    assert found["by"] == by and found["refused"] is None and found["place"] == ""
    if path:
        fields = {entry[0]: entry[1:] for entry in found["fields"]}
        assert fields[path] == [live, wanted if wanted != "*" else f"{bundle.uid}/1"]
    assert row.found_at == row.checked_at and row.problem is None
    event = Event.objects.get(action="bundle.drift-found")
    assert event.after["objects"][0]["ref"] == found["ref"] and event.tenant == "claims"
    # Reported alone: nothing is written until somebody says so.
    bundle.refresh_from_db()
    assert bundle.generation == 1

    dev = a_user("dev")
    revision = repair(bundle=bundle.uid, by=dev, at=timezone.now())
    assert revision.number == 2 and revision.digest == bundle.revisions.get(number=1).digest
    assert revision.provenance["request"] == 7 and revision.provenance["repair"]["by"] == "dev"
    assert revision.state == {"cpu": 1}
    eventually(lambda: arrived(bundle), 60, "it is brought back")
    after = read(kubectl, kind, of, *within)
    for part in ("spec", "subjects", "roleRef"):
        assert after.get(part) == before.get(part)
    for part in ("labels", "annotations"):
        assert after["metadata"].get(part) == before["metadata"].get(part)
    row = compared(bundle)
    assert (row.found, row.found_at) == ([], None)
    assert Event.objects.get(action="bundle.drift-gone").after["objects"][0]["ref"] == found["ref"]
    event = Event.objects.get(action="bundle.drift-repair")
    assert (event.actor, event.after) == ("dev", {"revision": 2, "objects": [found["ref"]]})


def test_drift__labels_and_annotations_of_others_on_the_namespace__no_drift_and_they_stay(bundle, kubectl, name):
    kubectl("label", "namespace", name, "team=blue")
    kubectl("annotate", "namespace", name, "example.org/note=ours")
    kubectl("label", "quota", "portal-quota", f"-n={name}", "team=blue")
    assert compared(bundle).found == []
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    compared(bundle)
    repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    eventually(lambda: arrived(bundle), 60, "it is brought back")
    assert compared(bundle).found == []
    meta = read(kubectl, "namespace", name)["metadata"]
    assert meta["labels"]["team"] == "blue" and meta["annotations"]["example.org/note"] == "ours"
    assert read(kubectl, "quota", "portal-quota", f"-n={name}")["metadata"]["labels"]["team"] == "blue"


def test_drift__objects_of_others_beside_the_portals__listed_and_never_touched(bundle, kubectl, name):
    Cluster.objects.update(on_drift="repair")
    theirs = [an_allow_all(name), a_binding(name)]
    created(kubectl, *theirs)
    kubectl("create", "quota", "team-quota", "--hard=services=3", f"-n={name}")
    row = compared(bundle)
    found = {(entry["ref"]["kind"], entry["ref"]["name"]): entry for entry in row.found}
    assert found.keys() == {
        ("NetworkPolicy", "allow-all"),
        ("RoleBinding", "friends"),
        ("ResourceQuota", "team-quota"),
    }
    assert {entry["sort"] for entry in row.found} == {"foreign"}
    assert found["NetworkPolicy", "allow-all"]["by"] == "kubectl-create"
    bundle.refresh_from_db()
    assert bundle.generation == 1
    with pytest.raises(Conflict, match="Nothing differs"):
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    assert read(kubectl, "networkpolicy", "allow-all", f"-n={name}")["spec"] == theirs[0]["spec"]
    kubectl("delete", "networkpolicy", "allow-all", f"-n={name}")
    assert len(compared(bundle).found) == 2
    gone = Event.objects.get(action="bundle.drift-gone").after["objects"]
    assert [one["ref"]["name"] for one in gone] == ["allow-all"]


def test_drift__foreign_object_that_claims_to_be_the_portals__listed_all_the_same(bundle, kubectl, name):
    forged = an_allow_all(name)
    forged["metadata"] |= {
        "labels": {"portal.cloud/managed": "true"},
        "annotations": {"portal.cloud/revision": "0b6ff3bc-0000-4000-8000-000000000000/1"},
    }
    created(kubectl, forged)
    assert [entry["ref"]["name"] for entry in compared(bundle).found] == ["allow-all"]


def test_drift__object_of_another_bundle_in_the_namespace__not_foreign(bundle, kubectl, name):
    other = create_bundle(cluster=bundle.cluster, tenant_id=bundle.tenant_id, owner="project:other", namespace=name)
    policy = an_allow_all(name)
    policy["metadata"]["name"] = "for-the-database"
    want(other, [policy])
    eventually(lambda: arrived(other), 60, "it is there")
    created(kubectl, an_allow_all(name))
    assert [entry["ref"]["name"] for entry in compared(bundle).found] == ["allow-all"]
    # Told of once, by whoever keeps the namespace.
    assert compared(other).found == []


def test_drift__bindings_that_openshift_makes_by_itself__not_listed_unless_they_are_others(bundle, kubectl, name):
    pullers = a_binding(name, "system:image-puller", "system:image-pullers")
    pullers["subjects"] = [{"apiGroup": RBAC, "kind": "Group", "name": f"system:serviceaccounts:{name}"}]
    deployers = a_binding(name, "system:deployer", "system:deployers")
    deployers["subjects"] = [{"kind": "ServiceAccount", "name": "deployer", "namespace": "elsewhere"}]
    created(kubectl, pullers, deployers)
    assert [entry["ref"]["name"] for entry in compared(bundle).found] == ["system:deployers"]


# What the cluster, or the fence, would refuse


def test_drift__portals_label_taken_from_the_namespace__found_and_said_that_it_cannot_be_brought_back(
    bundle, kubectl, name
):
    Cluster.objects.update(on_drift="repair")
    kubectl("label", "namespace", name, "portal.cloud/managed-")
    (found,) = compared(bundle).found
    assert found["fields"] == [["metadata.labels.portal.cloud/managed", None, "true"]]
    assert "portal.cloud/managed=true" in shown(found["refused"])
    with pytest.raises(Conflict, match="cannot be brought back"):
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    bundle.refresh_from_db()
    assert (bundle.generation, bundle.blocked) == (1, False)


@pytest.mark.parametrize("forged", ["0b6ff3bc-0000-4000-8000-000000000000/1", "{uid}/9"])
def test_drift__fence_of_another_bundle_or_a_newer_one__found_and_not_overwritten(bundle, kubectl, name, forged):
    fence = f"portal.cloud/revision={forged.format(uid=bundle.uid)}"
    kubectl("annotate", "quota", "portal-quota", f"-n={name}", fence, "--overwrite")
    (found,) = compared(bundle).found
    assert found["sort"] == "changed" and found["refused"] is not None
    with pytest.raises(Conflict, match="cannot be brought back"):
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())


def test_drift__more_in_use_than_the_quota_allows__said_and_not_lowered(bundle, kubectl, name):
    Cluster.objects.update(on_drift="repair")
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"services": "60"}})
    for number in range(51):
        kubectl("create", "service", "clusterip", f"s{number}", "--tcp=80", f"-n={name}")

    def counted() -> bool:
        used = read(kubectl, "quota", "portal-quota", f"-n={name}")["status"]["used"]
        return used["services"] == "51"

    eventually(counted, 60, "the services are counted")
    (found,) = compared(bundle).found
    assert "51 of services are in use" in shown(found["refused"])
    bundle.refresh_from_db()
    assert bundle.generation == 1


# The namespace itself


def test_drift__namespace_removed__reported_even_by_policy_and_made_again_by_a_person(bundle, kubectl, name):
    Cluster.objects.update(on_drift="repair")
    kubectl("delete", "namespace", name)
    row = compared(bundle)
    assert {entry["sort"] for entry in row.found} == {"missing"}
    assert len(row.found) == len(a_project(name))
    (space,) = [entry for entry in row.found if entry["ref"]["kind"] == "Namespace"]
    assert "only when a person says so" in shown(space["held_back"])
    bundle.refresh_from_db()
    assert bundle.generation == 1
    repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    eventually(lambda: arrived(bundle), 60, "it is there again")
    assert compared(bundle).found == []
    uid = read(kubectl, "namespace", name)["metadata"]["uid"]
    assert bundle.objects_kept.get(kind="Namespace").uid == uid


# By the cluster's policy


def test_drift__policy_says_repair__brought_back_by_itself_three_times_an_hour_then_reported(bundle, kubectl, name):
    Cluster.objects.update(on_drift="repair")
    for generation in (2, 3, 4):
        patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
        compared(bundle)
        bundle.refresh_from_db()
        assert bundle.generation == generation
        eventually(lambda: arrived(bundle), 60, "it is brought back")
        assert read(kubectl, "quota", "portal-quota", f"-n={name}")["spec"]["hard"]["pods"] == "20"
    assert set(Event.objects.filter(action="bundle.drift-repair").values_list("actor", flat=True)) == {"system"}
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    (found,) = compared(bundle).found
    assert "3 times within an hour" in shown(found["held_back"]) and "kubectl-patch" in shown(found["held_back"])
    bundle.refresh_from_db()
    assert bundle.generation == 4
    # An hour later it is tried again.
    bundle.revisions.update(created_at=timezone.now() - timedelta(minutes=61))
    compared(bundle)
    bundle.refresh_from_db()
    assert bundle.generation == 5


def test_drift__policy_says_repair_and_a_person_repaired_before__counts_only_the_portals_own(bundle, kubectl, name):
    for _ in range(3):
        patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
        compared(bundle)
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
        eventually(lambda: arrived(bundle), 60, "it is brought back")
    Cluster.objects.update(on_drift="repair")
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    (found,) = compared(bundle).found
    assert found["held_back"] is None
    bundle.refresh_from_db()
    assert bundle.generation == 5


def test_drift__policy_says_repair_but_the_cluster_is_held__not_even_looked_at(bundle, kubectl, name):
    Cluster.objects.update(on_drift="repair", held_since=timezone.now())
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    row = compared(bundle)
    bundle.refresh_from_db()
    assert row.found == [] and bundle.generation == 1
    # Due all the same, for when a person has confirmed.
    assert row.due_at <= timezone.now() and row.lease_until is None


def test_drift__policy_says_repair_and_several_differ__one_revision_for_all(bundle, kubectl, name):
    Cluster.objects.update(on_drift="repair")
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    replaced_limits(kubectl, name)
    kubectl("delete", "networkpolicy", "portal-default-deny", f"-n={name}")
    add_subject(kubectl, name)
    assert len(compared(bundle).found) == 4
    eventually(lambda: arrived(bundle), 60, "all is brought back")
    assert bundle.observed_generation == 2
    assert compared(bundle).found == []


# When it is looked


def test_check__change_under_way__not_compared_and_soon_due_again(bundle, kubectl, name):
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    want(bundle, a_project(name, cost_centre="4712"))
    row = compared(bundle)
    assert (row.found, row.checked_at, row.attempts) == ([], None, 0)
    assert timedelta(seconds=30) < row.due_at - timezone.now() < timedelta(seconds=90)
    eventually(lambda: arrived(bundle), 60, "the change is applied")
    # It applied everything anyway.
    assert compared(bundle).found == []


def test_check__change_asked_for_while_the_cluster_answers__what_was_seen_is_not_written(
    bundle, kubectl, name, monkeypatch
):
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    look = drift._look

    def late(seen: Bundle) -> list[Any]:
        found = look(seen)
        want(bundle, a_project(name, cost_centre="4712"))
        eventually(lambda: arrived(bundle), 60, "the change is applied meanwhile")
        return found

    monkeypatch.setattr(drift, "_look", late)
    row = compared(bundle)
    assert (row.found, row.checked_at) == ([], None)
    assert not Event.objects.filter(action="bundle.drift-found").exists()


def test_check__bundle_blocked__not_compared(bundle, kubectl, name):
    Bundle.objects.update(blocked=True)
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    assert compared(bundle).checked_at is None


def test_check__cluster_unreachable__said_and_old_findings_keep_their_age(bundle, kubectl, name):
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    before = compared(bundle)
    address = bundle.cluster.address
    Cluster.objects.update(address="https://127.0.0.1:1")
    row = compared(bundle)
    assert "cannot be reached" in shown(row.problem)
    assert (row.found, row.found_at, row.checked_at) == (before.found, before.found_at, before.checked_at)
    assert row.attempts == 1 and row.due_at > timezone.now()
    for _ in range(2):
        row = compared(bundle)
    assert Health.objects.get().open_since is not None
    # Behind the open circuit nothing is offered any more.
    assert not DriftCheck.workable().filter(pk=row.pk).exists()
    Cluster.objects.update(address=address)
    Health.objects.update(open_since=None, reason=None)
    row = compared(bundle)
    assert (row.problem, row.found, row.found_at) == (None, before.found, before.found_at)
    assert row.checked_at > before.checked_at


def test_check__agrees__due_again_after_about_ten_minutes(bundle, settings):
    row = compared(bundle)
    assert (row.found, row.attempts, row.observed_generation) == ([], 0, row.generation)
    assert timedelta(minutes=8) < row.due_at - timezone.now() < timedelta(minutes=12)
    settings.DRIFT_SECONDS = 60
    assert timedelta(seconds=50) < compared(bundle).due_at - timezone.now() < timedelta(seconds=70)


def test_check__nothing_kept_any_more__findings_gone_and_never_due_again(bundle, kubectl, name):
    created(kubectl, an_allow_all(name))
    assert compared(bundle).found != []
    want(bundle, [])
    eventually(lambda: arrived(bundle), 90, "the project is gone")
    row = compared(bundle)
    assert (row.found, row.found_at, row.due_at) == ([], None, None)
    want(bundle, a_project(name))
    eventually(lambda: arrived(bundle), 90, "it is wanted again")
    assert DriftCheck.objects.get().due_at is not None


def test_agreed__first_time__compared_within_the_period_and_not_at_once(bundle):
    row = DriftCheck.objects.get(bundle=bundle)
    assert row.lane == "real" and row.due_at > timezone.now() + timedelta(minutes=8)


# What it costs


def test_check__bundle_that_agrees__five_reads_and_no_dry_run(bundle, calls):
    calls.clear()
    compared(bundle)
    assert [method for method, _path in calls] == ["get"] * 5


def test_check__one_object_differs__one_dry_run_more_and_one_for_its_defaults(bundle, kubectl, name, calls):
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"pods": "99"}})
    calls.clear()
    compared(bundle)
    assert [method for method, _path in calls if method != "get"] == ["patch"]
    patched(kubectl, name, "quota", "portal-quota", spec={"hard": {"count/secrets": "3"}})
    calls.clear()
    compared(bundle)
    assert [method for method, _path in calls if method != "get"] == ["patch", "post"]


def test_check__more_bundles_and_objects__as_many_calls_and_queries(bundle, kubectl, name, unique, calls):
    def cost() -> tuple[int, int]:
        calls.clear()
        with CaptureQueriesContext(connection) as captured:
            compared(bundle)
        return len(calls), len(captured)

    before = cost()
    for number in range(3):
        kept(bundle.cluster, unique("drift"), owner=f"project:{number + 2}")
    created(kubectl, *(a_binding(name, called=f"friends{number}") for number in range(30)))
    # Something foreign costs the question whose it is, and the event.
    compared(bundle)
    calls_after, queries_after = cost()
    assert calls_after == before[0] and queries_after <= before[1] + 1
    assert len(DriftCheck.objects.get(bundle=bundle).found) == 30


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, str]]:
    """(method, path) of every call to the API server."""
    made: list[tuple[str, str]] = []
    call = Client.call

    def counted(self: Client, method: str, path: str, *arguments: Any, **more: Any) -> Any:
        made.append((method, path))
        return call(self, method, path, *arguments, **more)

    monkeypatch.setattr(Client, "call", counted)
    return made


# Hostile contents


def test_check__what_others_wrote_is_endless_or_not_storable__cut_and_cleaned(bundle, kubectl, name):
    label = "metadata.annotations.portal.cloud/display-name"
    patched(
        kubectl, name, "namespace", name, metadata={"annotations": {"portal.cloud/display-name": "\0" + "x" * 9000}}
    )
    (found,) = compared(bundle).found
    ((path, live, wanted),) = found["fields"]
    assert (path, wanted) == (label, "Claims imaging")
    assert len(live) <= drift.LONGEST_VALUE + 1 and "\0" not in live
    patched(kubectl, name, "namespace", name, metadata={"annotations": {"portal.cloud/display-name": "a\\u0000b\0c"}})
    (found,) = compared(bundle).found
    assert found["fields"][0][1] == "a\\u0000bc"


# Who may


@pytest.mark.parametrize(
    ("who", "roles", "error"),
    [
        ("dev", (), None),
        ("owner", (), None),
        ("admin", ("administrator",), None),
        ("platform", ("approver:platform",), None),
        ("guest", (), Forbidden),
        ("auditor", ("auditor",), Forbidden),
        ("stranger", (), NotFound),
    ],
)
def test_repair__by_role__allowed_or_refused(bundle, kubectl, name, who, roles, error):
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    compared(bundle)
    person = a_user(who, *roles)
    if error is None:
        assert repair(bundle=bundle.uid, by=person, at=timezone.now()).number == 2
        return
    with pytest.raises(error):
        repair(bundle=bundle.uid, by=person, at=timezone.now())
    bundle.refresh_from_db()
    assert bundle.generation == 1


def test_repair__asked_for_twice__the_second_is_told_that_it_is_under_way(bundle, kubectl, name):
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    compared(bundle)
    repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    with pytest.raises(Conflict, match="under way"):
        repair(bundle=bundle.uid, by=a_user("owner"), at=timezone.now())


def test_repair__cluster_held_after_a_restore__refused(bundle, kubectl, name):
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    compared(bundle)
    Cluster.objects.update(held_since=timezone.now())
    with pytest.raises(Conflict, match="until an administrator confirms"):
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())


def test_repair__change_stopped_because_its_object_was_removed__created_again(bundle, kubectl, name):
    kubectl("delete", "limitrange", "portal-limits", f"-n={name}")
    want(bundle, a_project(name, cost_centre="4712"))
    now_due(bundle)
    assert bundle.blocked and "not created again" in shown(bundle.message)
    repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    eventually(lambda: arrived(bundle), 60, "it is brought back")
    assert read(kubectl, "limitrange", "portal-limits", f"-n={name}") != {}
    annotations = read(kubectl, "namespace", name)["metadata"]["annotations"]
    assert annotations["portal.cloud/cost-centre"] == "4712"
    assert compared(bundle).found == []


def test_repair__replaced_once_more_after_it_was_seen__left_alone(bundle, kubectl, name):
    replaced_limits(kubectl, name)
    compared(bundle)
    replaced_limits(kubectl, name)
    repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert bundle.blocked and "is not the portal's" in shown(bundle.message)
    limits = read(kubectl, "limitrange", "portal-limits", f"-n={name}")
    assert limits["spec"]["limits"][0]["max"] == {"cpu": "64"}
