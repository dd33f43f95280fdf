"""A bundle driven to its end on a GitOps cluster, by the same task that a worker runs."""

import pytest
from django.utils import timezone

from clusters.models import Bundle, BundleObject, Cluster
from clusters.services import create_bundle, set_desired
from tests.builders import a_tenant
from web.sentences import shown
from work.tasks import drive

pytestmark = pytest.mark.django_db


def a_namespace(**labels: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "claims-a-dev", "labels": dict(labels)}}


def a_limit(cpu: str) -> dict[str, object]:
    limits = [{"type": "Container", "max": {"cpu": cpu}}]
    meta = {"name": "portal-limits", "namespace": "claims-a-dev"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": limits}}


@pytest.fixture
def bundle(gitops_cluster) -> Bundle:
    return create_bundle(cluster=gitops_cluster, tenant_id=a_tenant().pk, owner="project:1", namespace="claims-a-dev")


def want(bundle: Bundle, *manifests: dict[str, object]) -> None:
    source = {"request": 1, "asker": "dev", "approvers": ["platform"]}
    set_desired(bundle=bundle, manifests=manifests, state={}, provenance=source, by=None, at=timezone.now())


def test_drive__first_revision__committed_and_at_rest(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert (bundle.observed_generation, bundle.due_at, bundle.lease_owner) == (1, None, None)
    assert len(bundle.committed) == 40
    kinds = {manifest["kind"] for manifest in committed().values()}
    assert kinds == {"Namespace", "LimitRange"}
    assert set(bundle.objects_kept.values_list("state", flat=True)) == {"applied"}


def test_drive__two_changes_before_a_worker_comes__last_one_is_applied(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    want(bundle, a_namespace(), a_limit("2"))
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert bundle.observed_generation == 2
    (limit,) = [m for m in committed().values() if m["kind"] == "LimitRange"]
    assert limit["spec"]["limits"][0]["max"]["cpu"] == "2"


def test_drive__object_no_longer_wanted__removed(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    drive("clusters.Bundle", bundle.pk)
    want(bundle, a_namespace())
    drive("clusters.Bundle", bundle.pk)
    assert {manifest["kind"] for manifest in committed().values()} == {"Namespace"}
    assert BundleObject.objects.get(kind="LimitRange").state == "gone"


def test_drive__unchanged_object__keeps_the_revision_of_its_last_change(bundle):
    want(bundle, a_namespace(), a_limit("1"))
    want(bundle, a_namespace(), a_limit("2"))
    wanted = bundle.revisions.get(number=2).objects_wanted
    assert [entry["changed_in"] for entry in wanted] == [1, 2]


def test_drive__repository_gone__tried_again_with_the_reason(bundle, tmp_path):
    Cluster.objects.update(address=str(tmp_path / "nowhere.git"))
    bundle.refresh_from_db()
    want(bundle, a_namespace())
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert bundle.message["parameters"] == {"address": str(tmp_path / "nowhere.git")}
    assert bundle.observed_generation == 0
    assert bundle.blocked or bundle.due_at > timezone.now()


def test_drive__sealed_token_unreadable__stops_with_the_reason(bundle):
    Cluster.objects.update(token_sealed="lost:00")
    want(bundle, a_namespace())
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert bundle.blocked and "lost" in shown(bundle.message)
    assert bundle.due_at is None


@pytest.mark.parametrize(
    ("kind", "namespace"),
    [("ClusterRoleBinding", ""), ("Secret", "claims-a-dev"), ("LimitRange", "kube-system"), ("Namespace", "")],
)
def test_set_desired__outside_its_confines__refused(bundle, kind, namespace):
    from clusters.rules import NotConfined

    api_version = {"ClusterRoleBinding": "rbac.authorization.k8s.io/v1"}.get(kind, "v1")
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": namespace}}
    with pytest.raises(NotConfined):
        want(bundle, manifest)
    assert not bundle.revisions.exists()
