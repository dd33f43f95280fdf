"""Plans: against the live place, against the last revision where there is none to ask, and digests that hold still."""

import json
import socket
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters import planning
from clusters.access import driver_for
from clusters.drivers.base import REVISION_ANNOTATION, Change, DriverError, ObjectRef
from clusters.drivers.gitops import GitOpsDriver
from clusters.models import BundleObject, Cluster
from clusters.planning import Refused, Wanted
from clusters.services import create_bundle, set_desired
from tests.builders import a_bundle, a_cluster, a_tenant
from tests.waiting import eventually
from work.tasks import drive

LIMITS = ObjectRef("v1", "LimitRange", "claims-a-dev", "portal-limits")


def a_namespace(**labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "claims-a-dev", "labels": labels}}


def a_limit(cpu):
    meta = {"name": "portal-limits", "namespace": "claims-a-dev"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": [{"max": {"cpu": cpu}}]}}


def entries(*manifests):
    return [{"manifest": manifest, "changed_in": 1} for manifest in manifests]


def actions(changes):
    return [(change["ref"]["kind"], change["action"]) for change in changes]


def test_against_revision__nothing_before__all_is_added():
    (change,) = planning.against_revision([], [a_namespace(a="1")])
    assert change["ref"] == {"api_version": "v1", "kind": "Namespace", "namespace": "", "name": "claims-a-dev"}
    assert change["action"] == "add"
    assert ["metadata.labels.a", None, "1"] in change["fields"]


def test_against_revision__the_same__kept_without_fields():
    changes = planning.against_revision(entries(a_namespace(), a_limit("1")), [a_namespace(), a_limit("1")])
    assert [(change["action"], change["fields"]) for change in changes] == [("keep", []), ("keep", [])]


def test_against_revision__one_differs__its_leaves_alone():
    (_same, change) = planning.against_revision(entries(a_namespace(), a_limit("1")), [a_namespace(), a_limit("2")])
    assert change["action"] == "change"
    assert change["fields"] == [["spec.limits", [{"max": {"cpu": "1"}}], [{"max": {"cpu": "2"}}]]]


def test_against_revision__no_longer_wanted__removed_last():
    changes = planning.against_revision(entries(a_limit("1"), a_namespace()), [a_namespace()])
    assert actions(changes) == [("Namespace", "keep"), ("LimitRange", "remove")]


def test_against_revision__same_name_elsewhere__another_object():
    moved = a_limit("1")
    moved["metadata"] = {"name": "portal-limits", "namespace": "claims-b-dev"}
    assert actions(planning.against_revision(entries(a_limit("1")), [moved])) == [
        ("LimitRange", "add"),
        ("LimitRange", "remove"),
    ]


def test_digest__read_back_from_the_database__the_same():
    changes = planning.against_revision([], [a_limit("影像")])
    stored = json.loads(json.dumps(changes))
    turned = {key: a_limit("影像")[key] for key in reversed(a_limit("影像"))}
    digest = planning.digest_of(1, [a_limit("影像")], changes)
    assert digest == planning.digest_of(1, [turned], stored)
    assert len(digest) == 64


def test_digest__base_object_or_difference_differs__another():
    changes = planning.against_revision([], [a_limit("1")])
    digests = {
        planning.digest_of(0, [a_limit("1")], changes),
        planning.digest_of(1, [a_limit("1")], changes),
        planning.digest_of(0, [a_limit("2")], changes),
        planning.digest_of(0, [a_limit("1")], []),
        planning.digest_of(0, [a_limit("1"), a_namespace()], changes),
    }
    assert len(digests) == 5


def test_plain__the_fence_alone_differs__nothing_anybody_decides():
    fence = (f"metadata.annotations.{REVISION_ANNOTATION}", "x/1", "x/2")
    assert planning._plain(Change(LIMITS, "change", (fence,)))["action"] == "keep"
    both = planning._plain(Change(LIMITS, "change", (fence, ("spec.a", 1, 2))))
    assert (both["action"], both["fields"]) == ("change", [["spec.a", 1, 2]])


@pytest.fixture
def bundle(gitops_cluster):
    made = create_bundle(cluster=gitops_cluster, tenant_id=a_tenant().pk, owner="project:1", namespace="claims-a-dev")
    want = [a_namespace(), a_limit("1")]
    set_desired(bundle=made, manifests=want, state={}, provenance={}, by=None, at=timezone.now())
    drive("clusters.Bundle", made.pk)
    return made


@pytest.mark.django_db
def test_plan__live_place__from_the_newest_revision_without_a_problem(bundle):
    plan = planning.plan(cluster=bundle.cluster, owner="project:1", manifests=[a_namespace(), a_limit("2")])
    assert (plan.base_revision, plan.problem) == (1, None)
    assert actions(plan.changes) == [("Namespace", "keep"), ("LimitRange", "change")]


@pytest.mark.django_db
def test_plan__asked_twice__the_same_digest(bundle):
    wanted = {"cluster": bundle.cluster, "owner": "project:1", "manifests": [a_namespace()]}
    assert planning.plan(**wanted) == planning.plan(**wanted)


@pytest.mark.django_db
def test_plan__repository_gone__against_the_last_revision_with_the_reason(bundle, tmp_path):
    Cluster.objects.update(address=str(tmp_path / "nowhere.git"))
    cluster = Cluster.objects.get()
    plan = planning.plan(cluster=cluster, owner="project:1", manifests=[a_namespace(), a_limit("1")])
    assert "nowhere.git" in str(plan.problem)
    assert actions(plan.changes) == [("Namespace", "keep"), ("LimitRange", "keep")]


@pytest.mark.django_db
def test_plan__nobody_listens__against_the_last_revision_with_the_reason():
    plan = planning.plan(cluster=a_cluster(), owner="project:9", manifests=[a_namespace()])
    assert (plan.base_revision, actions(plan.changes)) == (0, [("Namespace", "add")])
    assert str(plan.problem)


@pytest.mark.django_db
def test_plan__token_cannot_be_decrypted__against_the_last_revision_with_the_reason(bundle):
    Cluster.objects.update(token_sealed="lost:00")
    plan = planning.plan(cluster=Cluster.objects.get(), owner="project:1", manifests=[a_namespace(), a_limit("1")])
    assert "lost" in str(plan.problem)
    assert actions(plan.changes) == [("Namespace", "keep"), ("LimitRange", "keep")]


@pytest.mark.django_db
def test_plan__the_cluster_refuses_for_good__raises(gitops_cluster):
    outside = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "../../etc"}}
    with pytest.raises(DriverError) as refused:
        planning.plan(cluster=gitops_cluster, owner="project:1", manifests=[outside])
    assert not refused.value.transient


@pytest.mark.django_db
def test_plan__use_moves__the_same_digest(monkeypatch):
    figures = iter(["1", "2"])

    def look(self, desired, removed):
        used = {"hard": {"pods": "4"}, "used": {"pods": next(figures)}}
        return tuple(Change(item.ref, "keep", (), used) for item in desired)

    monkeypatch.setattr(GitOpsDriver, "plan", look)
    wanted = {"cluster": a_cluster(driver="gitops"), "owner": "project:1", "manifests": [a_namespace()]}
    first, second = planning.plan(**wanted), planning.plan(**wanted)
    assert (first.usage, second.usage) == ({"pods": "1"}, {"pods": "2"})
    assert first.digest == second.digest


@pytest.mark.django_db
def test_plan__nobody_listens__use_as_it_was_last_sampled():
    bundle = a_bundle()
    about = {"bundle": bundle, "api_version": "v1", "namespace": "x", "revision": 1}
    sampled = {"hard": {"pods": "9"}, "used": {"pods": "7", "limits.cpu": "1500m"}}
    BundleObject.objects.create(kind="ResourceQuota", name="portal-quota", had=True, usage=sampled, **about)
    BundleObject.objects.create(kind="ResourceQuota", name="gone", usage={"used": {"pods": "99"}}, **about)
    plan = planning.plan(cluster=bundle.cluster, owner=bundle.owner, manifests=[a_namespace()])
    assert plan.problem and plan.usage == {"pods": "7", "limits.cpu": "1500m"}


def named(manifest, number):
    """The manifest in the namespace of owner `number`."""
    meta = manifest["metadata"]
    changed = {"namespace": f"claims-{number}"} if "namespace" in meta else {"name": f"claims-{number}"}
    return {**manifest, "metadata": {**meta, **changed}}


def wishes(count, cpu="1"):
    return [
        Wanted(f"project:{number}", [named(a_namespace(), number), named(a_limit(cpu), number)])
        for number in range(count)
    ]


@pytest.mark.django_db
def test_plan_many__owners_with_and_without_bundles__each_as_alone_and_in_order(gitops_cluster):
    tenant = a_tenant()
    for number in (0, 2):
        made = create_bundle(
            cluster=gitops_cluster, tenant_id=tenant.pk, owner=f"project:{number}", namespace=f"claims-{number}"
        )
        for cpu in ("1", str(number + 1)):
            want = [named(a_namespace(), number), named(a_limit(cpu), number)]
            set_desired(bundle=made, manifests=want, state={}, provenance={}, by=None, at=timezone.now())
            drive("clusters.Bundle", made.pk)
    many = planning.plan_many(cluster=gitops_cluster, wanted=wishes(4))
    assert [(plan.base_revision, plan.problem) for plan in many] == [(2, None), (0, None), (2, None), (0, None)]
    assert [[action for _kind, action in actions(plan.changes)] for plan in many] == [
        ["keep", "keep"],
        ["add", "add"],
        ["keep", "change"],
        ["add", "add"],
    ]
    alone = [planning.plan(cluster=gitops_cluster, owner=item.owner, manifests=item.manifests) for item in wishes(4)]
    assert many == alone


@pytest.mark.django_db
def test_plan_many__many_owners__as_many_queries_as_for_one(gitops_cluster):
    for number in range(20):
        bundle = a_bundle(cluster=gitops_cluster, owner=f"project:{number}", namespace=f"claims-{number}")
        want = [named(a_namespace(), number)]
        set_desired(bundle=bundle, manifests=want, state={}, provenance={}, by=None, at=timezone.now())
    for count in (1, 20):
        with CaptureQueriesContext(connection) as queries:
            planning.plan_many(cluster=gitops_cluster, wanted=wishes(count))
        assert len(queries) == 3


@pytest.mark.django_db
def test_plan_many__some_refused__all_reasons_by_owner(gitops_cluster):
    wanted = wishes(3)
    bad = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "../../etc"}}
    wanted[0] = Wanted("project:0", [bad])
    wanted[2] = Wanted("project:2", [bad])
    with pytest.raises(Refused, match="cannot be the name") as refused:
        planning.plan_many(cluster=gitops_cluster, wanted=wanted)
    assert list(refused.value.sentences) == ["project:0", "project:2"]
    assert not refused.value.transient and not refused.value.operator


@pytest.mark.django_db
def test_plan_many__silent_server__one_reason_for_all_within_the_time_of_one(monkeypatch):
    monkeypatch.setattr(planning, "PLAN_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        cluster = a_cluster(address=f"https://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        plans = planning.plan_many(cluster=cluster, wanted=wishes(60))
        assert time.monotonic() - started < 3
    assert {str(plan.problem) for plan in plans} == {"The cluster did not answer in time."}
    assert {action for plan in plans for _kind, action in actions(plan.changes)} == {"add"}


@pytest.mark.django_db
def test_plan_many__nothing_wanted__no_plans(gitops_cluster):
    assert planning.plan_many(cluster=gitops_cluster, wanted=[]) == []


# Against a real API server


def the_quota(namespace, services="4"):
    meta = {"name": "portal-quota", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"services": services}}}


def the_namespace(name, **labels):
    meta = {"name": name, "labels": {"portal.cloud/managed": "true", **labels}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


@pytest.mark.django_db
def test_plan__live_quota__with_what_is_in_use(real_cluster, kubectl, unique):
    name = unique("use")
    bundle = a_bundle(cluster=real_cluster, owner="project:1", namespace=name, lane="real")
    want = [the_namespace(name), the_quota(name)]
    set_desired(bundle=bundle, manifests=want, state={}, provenance={}, by=None, at=timezone.now())
    drive("clusters.Bundle", bundle.pk)
    asked = {"cluster": real_cluster, "owner": "project:1", "manifests": [the_namespace(name), the_quota(name, "9")]}
    eventually(lambda: planning.plan(**asked).usage == {"services": "0"}, 60, "the quota is counted")
    before = planning.plan(**asked)
    kubectl("create", "service", "clusterip", "web", "--tcp=80", f"-n={name}")
    after = planning.plan(**asked)
    assert after.usage == {"services": "1"} and after.digest == before.digest
    Cluster.objects.update(address="https://127.0.0.1:1")
    bundle.objects_kept.filter(kind="ResourceQuota").update(usage={"used": {"services": "3"}})
    assert planning.plan(**asked | {"cluster": Cluster.objects.get()}).usage == {"services": "3"}


@pytest.mark.django_db
def test_plan__fence_lost_but_the_very_object_we_remember__planned_as_it_would_be_applied(
    real_cluster, kubectl, unique
):
    name = unique("fence")
    bundle = a_bundle(cluster=real_cluster, owner="project:1", namespace=name, lane="real")
    set_desired(bundle=bundle, manifests=[the_namespace(name)], state={}, provenance={}, by=None, at=timezone.now())
    drive("clusters.Bundle", bundle.pk)
    kubectl("annotate", "namespace", name, "portal.cloud/revision-")
    plan = planning.plan(cluster=real_cluster, owner="project:1", manifests=[the_namespace(name, team="a")])
    assert plan.changes[0]["fields"] == [["metadata.labels.team", None, "a"]]


@pytest.mark.django_db
def test_plan_many__300_namespaces_taken_over__few_queries(real_cluster, kubectl, unique):
    mark = unique("batch")
    names = [f"{mark}-{number:03}" for number in range(300)]
    theirs = [the_namespace(name, batch=mark, team="a") for name in names]
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": theirs}))
    live = driver_for(real_cluster, 10).survey(f"batch={mark}")
    wanted = [
        Wanted(
            f"project:{found.name}",
            [the_namespace(found.name, tenant="claims"), the_quota(found.name)],
            {("v1", "Namespace", "", found.name): found.uid},
        )
        for found in live
    ]
    with CaptureQueriesContext(connection) as queries:
        plans = planning.plan_many(cluster=real_cluster, wanted=wanted)
    assert len(plans) == 300 and len(queries) <= 3
    for plan in plans:
        assert plan.problem is None
        assert [change["action"] for change in plan.changes] == ["change", "add"]
        assert plan.changes[0]["fields"] == [["metadata.labels.tenant", None, "claims"]]
    # Nothing was changed by looking, and what nobody takes over is refused by name.
    assert all(
        found.bundle == "" and not found.quotas for found in driver_for(real_cluster, 10).survey(f"batch={mark}")
    )
    unasked = [Wanted(item.owner, item.manifests) for item in wanted[:2]]
    with pytest.raises(Refused, match="is not the portal's") as refused:
        planning.plan_many(cluster=real_cluster, wanted=[*unasked, *wanted[2:4]])
    assert list(refused.value.sentences) == [item.owner for item in unasked]
