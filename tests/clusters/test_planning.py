"""Plans: against the live place, against the last revision where there is none to ask, and digests that hold still."""

import json

import pytest
from django.utils import timezone

from clusters import planning
from clusters.drivers.base import REVISION_ANNOTATION, Change, DriverError, ObjectRef
from clusters.models import Cluster
from clusters.services import create_bundle, set_desired
from tests.builders import a_cluster, a_tenant
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
