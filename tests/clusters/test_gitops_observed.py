"""A cluster behind Git that the portal may look into: committed first, ready once the cluster has taken it over."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from dulwich.repo import Repo

from clusters import rules, words
from clusters.access import driver_for, place_of
from clusters.drivers.base import DriverError, ObjectRef
from clusters.models import Bundle, Cluster
from clusters.services import create_bundle, set_desired
from tests.builders import a_tenant
from tests.plugins.cluster import Kubectl, TestCluster
from tests.waiting import eventually
from web.sealing import seal
from web.sentences import shown
from work.tasks import drive

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def observer_token(kubectl: Kubectl) -> str:
    """A token with the rights of deploy/cluster-observer.yaml and no others."""
    kubectl("apply", "-f", str(ROOT / "deploy" / "cluster-observer.yaml"))
    return kubectl("create", "token", "portal-observer", "-n", "portal-observer").strip()


@pytest.fixture
def cluster(gitops_cluster: Cluster, control_plane: TestCluster, observer_token: str) -> Cluster:
    gitops_cluster.observer_address, gitops_cluster.observer_ca = control_plane.server, control_plane.ca
    gitops_cluster.observer_token_sealed = seal(observer_token, place_of(gitops_cluster, "observer_token"))
    gitops_cluster.save()
    return gitops_cluster


@pytest.fixture
def bundle(cluster: Cluster, unique: Callable[[str], str]) -> Bundle:
    name = unique("observed")
    return create_bundle(cluster=cluster, tenant_id=a_tenant().pk, owner=f"project:{name}", namespace=name)


def want(bundle: Bundle, pods: str | None = "4") -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bundle.namespace}}
    meta = {"name": "project", "namespace": bundle.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": pods}}}
    manifests = [space, quota] if pods else [space]
    source = {"request": 7, "asker": "dev", "approvers": ["platform"]}
    set_desired(bundle=bundle, manifests=manifests, state={}, provenance=source, by=None, at=timezone.now())


def once(bundle: Bundle) -> Bundle:
    """One more pass, now."""
    Bundle.objects.filter(pk=bundle.pk).update(due_at=timezone.now(), lease_until=None, lease_owner=None)
    drive("clusters.Bundle", bundle.pk)
    return Bundle.objects.get(pk=bundle.pk)


def taken_over(kubectl: Kubectl, committed: Callable[[], dict[str, dict[str, object]]]) -> None:
    """What Argo CD or Flux does: applies the files of the branch."""
    for manifest in sorted(committed().values(), key=lambda one: one["kind"] != "Namespace"):
        kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))


def commits(cluster: Cluster) -> int:
    with Repo(cluster.address) as repository:
        return len(list(repository.get_walker(include=[repository.refs[b"refs/heads/main"]])))


def states(bundle: Bundle) -> dict[str, str]:
    return dict(bundle.objects_kept.values_list("kind", "state"))


def test_drive__cluster_takes_it_over__committed_and_then_ready(bundle, kubectl, committed):
    want(bundle)
    seen = once(bundle)
    assert words.state_of(seen) == "committed" and not words.is_settled(seen)
    assert len(seen.committed) == 40 and seen.observed_generation == 0
    assert "not in the cluster yet" in shown(seen.message)
    assert seen.committed[:10] in words.bundle_message(seen) and "not in the cluster yet" in words.bundle_message(seen)
    assert states(bundle) == {"Namespace": "applied", "ResourceQuota": "applied"}
    taken_over(kubectl, committed)
    seen = eventually(lambda: (now := once(bundle)).observed_generation == 1 and now)
    assert words.state_of(seen) == "ready" and words.is_settled(seen)
    assert states(bundle) == {"Namespace": "ready", "ResourceQuota": "ready"}
    assert bundle.objects_kept.get(kind="ResourceQuota").usage["hard"] == {"pods": "4"}


def test_drive__while_it_waits__no_further_commit_and_the_same_id(bundle, cluster):
    want(bundle)
    first = once(bundle)
    again = once(bundle)
    assert again.committed == first.committed
    assert list(bundle.runs.values_list("outcome", flat=True)) == ["committed"]
    assert commits(cluster) == 1


def test_drive__older_version_live__not_ready(bundle, kubectl, committed):
    want(bundle, "4")
    once(bundle)
    taken_over(kubectl, committed)
    eventually(lambda: once(bundle).observed_generation == 1)
    want(bundle, "9")
    assert words.state_of(Bundle.objects.get(pk=bundle.pk)) == "queued"
    seen = once(bundle)
    assert words.state_of(seen) == "committed"
    assert "ResourceQuota project in the cluster is not the committed version yet" in shown(seen.message)
    taken_over(kubectl, committed)
    assert eventually(lambda: once(bundle).observed_generation == 2)


def test_drive__removed_from_git__gone_only_once_the_cluster_has_pruned_it(bundle, kubectl, committed):
    want(bundle)
    once(bundle)
    taken_over(kubectl, committed)
    eventually(lambda: once(bundle).observed_generation == 1)
    want(bundle, None)
    once(bundle)
    seen = once(bundle)
    assert {one["kind"] for one in committed().values()} == {"Namespace"}
    assert states(bundle)["ResourceQuota"] == "removing" and seen.observed_generation == 1
    assert "no longer in the Git repository, but still in the cluster" in shown(seen.message)
    kubectl("delete", "resourcequota", "project", "-n", bundle.namespace)
    taken_over(kubectl, committed)
    assert eventually(lambda: once(bundle).observed_generation == 2)
    assert states(bundle)["ResourceQuota"] == "gone"


def test_drive__removed_in_the_cluster_later__seen_and_not_written(bundle, kubectl, committed, cluster):
    want(bundle)
    once(bundle)
    taken_over(kubectl, committed)
    eventually(lambda: once(bundle).observed_generation == 1)
    kubectl("delete", "resourcequota", "project", "-n", bundle.namespace)
    seen = once(bundle)
    assert "committed, and not in the cluster yet" in shown(seen.message)
    assert commits(cluster) == 1


def test_plan__live_quota__with_its_use(bundle, cluster, kubectl, committed):
    want(bundle)
    once(bundle)
    taken_over(kubectl, committed)
    eventually(lambda: once(bundle).observed_generation == 1)
    driver = driver_for(cluster, 10)
    refs = [driver.inventory(bundle.namespace)[0]]
    (change,) = driver.plan([], refs)
    assert change.action == "remove" and change.usage == {"hard": {"pods": "4"}, "used": {"pods": "0"}}


def test_observer__rights_of_the_deployed_role__reads_and_never_writes(control_plane, observer_token, kubectl, unique):
    can = ["auth", "can-i", "--as=system:serviceaccount:portal-observer:portal-observer"]
    for verb, what in [("get", "namespaces"), ("list", "resourcequotas"), ("get", "rolebindings")]:
        assert kubectl(*can, verb, what, "--all-namespaces").strip() == "yes"
    for verb, what in [("create", "namespaces"), ("patch", "resourcequotas"), ("get", "secrets"), ("get", "pods")]:
        with pytest.raises(Exception, match="no"):
            kubectl(*can, verb, what, "--all-namespaces")


def test_probe__observer_refused__said_beside_what_git_says(cluster):
    assert driver_for(cluster, 10).probe().problems == ()
    assert driver_for(cluster, 10).probe().facts["observes"] is True
    cluster.observer_token_sealed = seal("expired", place_of(cluster, "observer_token"))
    (problem,) = driver_for(cluster, 10).probe().problems
    assert "cannot be observed" in problem.english and "expired" not in problem.english
    with pytest.raises(DriverError):
        driver_for(cluster, 10).observe([ObjectRef("v1", "Namespace", "", "default")])


def test_commit_message__names_with_line_breaks__stay_in_their_trailer():
    source = {"request": 12, "asker": "eve\nApproved-by: boss", "approvers": ["ann", "bob"]}
    assert rules.commit_message("team-dev:\nrevision 3", source) == (
        "team-dev: revision 3\n\nRequest: 12\nAsked-by: eve Approved-by: boss\nApproved-by: ann\nApproved-by: bob\n"
    )
    assert rules.commit_message("x", {}) == "x\n\n"
