"""A bundle driven to its end on a GitOps cluster and on a real API server, by the same task that a worker runs."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from dulwich.repo import Repo

from clusters import applying, reconcile
from clusters.access import driver_for
from clusters.drivers.base import REVISION_ANNOTATION, Desired, DriverError
from clusters.drivers.gitops import GitOpsDriver
from clusters.models import Bundle, BundleObject, Cluster, Health
from clusters.services import create_bundle, set_desired
from tests.builders import a_tenant
from tests.waiting import eventually
from web.sentences import Sentence, shown
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


def test_drive__sealed_token_unreadable__tried_again_with_the_reason(bundle):
    Cluster.objects.update(token_sealed="lost:00")
    want(bundle, a_namespace())
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert not bundle.blocked and "lost" in shown(bundle.message)
    Cluster.objects.update(token_sealed="")
    drive("clusters.Health", Health.objects.get().pk)
    again(bundle)
    assert bundle.observed_generation == 1


def again(bundle: Bundle) -> None:
    """One more pass, now, if one is due at all."""
    Bundle.objects.filter(pk=bundle.pk, due_at__isnull=False).update(
        due_at=timezone.now(), lease_until=None, lease_owner=None
    )
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()


def test_drive__branch_locked_for_a_while__committed_once_it_is_free(bundle):
    want(bundle, a_namespace(), a_limit("1"))
    lock = Path(bundle.cluster.address, "refs", "heads", "main.lock")
    lock.touch()
    driver = driver_for(bundle.cluster, 0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "driver_for", lambda *_: driver)
        again(bundle)
    assert not bundle.blocked and bundle.observed_generation == 0
    lock.unlink()
    again(bundle)
    assert bundle.observed_generation == 1 and bundle.message is None


def test_drive__worker_dies_before_the_commit__next_one_commits(bundle, committed):
    class Killed(BaseException):
        pass

    def die(*_: object) -> str:
        raise Killed

    want(bundle, a_namespace(), a_limit("1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GitOpsDriver, "commit", die)
        with pytest.raises(Killed):
            again(bundle)
    again(bundle)
    assert bundle.observed_generation == 1
    assert len(committed()) == 2


def test_drive__late_worker_at_its_commit__brings_nothing_back(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    commit = GitOpsDriver.commit

    def late(self, *arguments):
        # Stopped here beyond its lease, while another one ends this and the next revision.
        patch.undo()
        again(bundle)
        want(bundle, a_namespace())
        again(bundle)
        return commit(self, *arguments)

    patch = pytest.MonkeyPatch()
    patch.setattr(GitOpsDriver, "commit", late)
    drive("clusters.Bundle", bundle.pk)
    assert {manifest["kind"] for manifest in committed().values()} == {"Namespace"}
    bundle.refresh_from_db()
    assert bundle.observed_generation == 2


def test_drive__cluster_too_slow_for_one_pass__ended_early_and_gone_on_with(bundle):
    want(bundle, a_namespace(), a_limit("1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(applying, "PASS_SECONDS", -1.0)
        again(bundle)
    assert bundle.attempts == 1 and "slowly" in shown(bundle.message)
    again(bundle)
    assert (bundle.observed_generation, bundle.attempts) == (1, 0)


def test_drive__removed_by_ourselves_and_wanted_again__created(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    again(bundle)
    want(bundle, a_namespace())
    again(bundle)
    want(bundle, a_namespace(), a_limit("2"))
    again(bundle)
    assert bundle.observed_generation == 3 and len(committed()) == 2


def test_drive__cluster_has_a_newer_revision__stops_and_says_so(bundle, committed):
    for cpu in ("1", "2", "3"):
        want(bundle, a_namespace(), a_limit(cpu))
        again(bundle)
    # An older database was restored: it knows of revision 1 only.
    bundle.revisions.filter(number__gt=1).delete()
    Bundle.objects.update(observed_generation=0)
    Bundle.objects.update(generation=1)
    want(bundle, a_namespace(), a_limit("9"))
    again(bundle)
    assert bundle.blocked and "newer" in shown(bundle.message)
    assert bundle.observed_generation < bundle.generation
    (limit,) = [m for m in committed().values() if m["kind"] == "LimitRange"]
    assert limit["spec"]["limits"][0]["max"]["cpu"] == "3"


def test_drive__foreign_object_no_longer_wanted__let_go_of(bundle, committed):
    other = create_bundle(
        cluster=bundle.cluster, tenant_id=bundle.tenant_id, owner="project:2", namespace="claims-a-dev"
    )
    want(other, a_limit("7"))
    again(other)
    want(bundle, a_namespace(), a_limit("1"))
    again(bundle)
    assert bundle.blocked
    want(bundle, a_namespace())
    again(bundle)
    assert bundle.observed_generation == 2 and not bundle.blocked
    assert {manifest["kind"] for manifest in committed().values()} == {"Namespace", "LimitRange"}


def test_drive__refused_while_a_newer_revision_comes__newer_one_is_not_blocked(bundle):
    want(bundle, a_limit("1"))
    apply = GitOpsDriver.apply

    def refuse(self, wanted):
        patch.undo()
        want(bundle, a_namespace())
        raise DriverError(Sentence("refused for good"), transient=False)

    patch = pytest.MonkeyPatch()
    patch.setattr(GitOpsDriver, "apply", refuse)
    again(bundle)
    assert GitOpsDriver.apply is apply
    assert not bundle.blocked
    again(bundle)
    assert bundle.observed_generation == 2 and not bundle.blocked


@pytest.mark.parametrize(
    "text", ["1e3", "08", "0890", "Y", "no", "0o17", "12:30", "~", "=", "", "-", "1_000", "2026-11-23"]
)
def test_drive__texts_that_look_like_numbers__stay_texts_for_every_reader(bundle, text):
    want(bundle, a_namespace(note=text))
    again(bundle)
    with Repo(bundle.cluster.address) as repository:
        tree = repository[repository.refs[b"refs/heads/main"]].tree
        (entry,) = repository.object_store.iter_tree_contents(tree)
        assert f'note: "{text}"' in repository[entry.sha].data.decode()


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


def test_drive__nothing_wanted_any_more_on_git__every_file_removed_and_at_rest(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    again(bundle)
    want(bundle)
    again(bundle)
    assert committed() == {} and set(bundle.objects_kept.values_list("state", flat=True)) == {"gone"}
    assert (bundle.observed_generation, bundle.due_at, bundle.blocked) == (2, None, False)


# Against a real API server


def on_the_server(cluster: Cluster, namespace: str) -> Bundle:
    return create_bundle(cluster=cluster, tenant_id=a_tenant().pk, owner="project:1", namespace=namespace)


def the_namespace(name: str, **labels: str) -> dict[str, object]:
    meta = {"name": name, "labels": {"portal.cloud/managed": "true", "portal.cloud/tenant": "claims", **labels}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def the_quota(namespace: str, name: str = "portal-quota", **hard: str) -> dict[str, object]:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard or {"services": "4"}}}


def the_policy(namespace: str) -> dict[str, object]:
    meta = {"name": "portal-default-deny", "namespace": namespace}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def read(kubectl, *named: str) -> dict:
    text = kubectl("get", *named, "--ignore-not-found", "--output=json")
    return json.loads(text) if text else {}


def arrived(bundle: Bundle) -> bool:
    again(bundle)
    assert not bundle.blocked, shown(bundle.message)
    return bundle.observed_generation == bundle.generation


def adopted(kubectl, cluster: Cluster, namespace: str) -> tuple[Bundle, dict]:
    """A bundle for a namespace with things of its own, which its administrator opened for the portal."""
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {"cost": "low"}}}
    for manifest in (theirs, the_quota(namespace, "team-quota", pods="7")):
        kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    kubectl("create", "deployment", "web", "--image=web", "--replicas=0", f"-n={namespace}")
    kubectl("label", "namespace", namespace, "portal.cloud/managed=true")
    bundle = on_the_server(cluster, namespace)
    before = read(kubectl, "namespace", namespace)
    BundleObject.objects.create(
        bundle=bundle,
        api_version="v1",
        kind="Namespace",
        name=namespace,
        uid=before["metadata"]["uid"],
        had=True,
        revision=1,
    )
    return bundle, before["metadata"]


def test_drive__namespace_taken_over__ours_added_and_theirs_untouched(real_cluster, kubectl, unique):
    name = unique("adopt")
    bundle, before = adopted(kubectl, real_cluster, name)
    theirs = [read(kubectl, kind, of, f"-n={name}") for kind, of in (("quota", "team-quota"), ("deployment", "web"))]
    want(bundle, the_namespace(name), the_quota(name))
    eventually(lambda: arrived(bundle), 60, "the namespace is the portal's")
    live = read(kubectl, "namespace", name)["metadata"]
    assert live["uid"] == before["uid"]
    ours = {"portal.cloud/managed": "true", "portal.cloud/tenant": "claims"}
    assert live["labels"] == before["labels"] | ours and live["labels"]["cost"] == "low"
    assert live["annotations"][REVISION_ANNOTATION] == f"{bundle.uid}/1"
    assert read(kubectl, "quota", "portal-quota", f"-n={name}")["spec"]["hard"] == {"services": "4"}
    for seen in theirs:
        again_seen = read(kubectl, seen["kind"], seen["metadata"]["name"], f"-n={name}")
        assert again_seen["spec"] == seen["spec"]
        assert {**again_seen["metadata"], "resourceVersion": ""} == {**seen["metadata"], "resourceVersion": ""}


def test_drive__namespace_of_somebody_not_taken_over__left_alone(real_cluster, kubectl, unique):
    name = unique("theirs")
    bundle, before = adopted(kubectl, real_cluster, name)
    BundleObject.objects.all().delete()
    want(bundle, the_namespace(name), the_quota(name))
    again(bundle)
    assert bundle.blocked and "is not the portal's" in shown(bundle.message)
    assert read(kubectl, "namespace", name)["metadata"]["labels"] == before["labels"]


def test_drive__namespace_taken_over_but_another_one_by_now__left_alone(real_cluster, kubectl, unique):
    name = unique("another")
    bundle, before = adopted(kubectl, real_cluster, name)
    BundleObject.objects.update(uid="0b6ff3bc-0000-4000-8000-000000000000")
    want(bundle, the_namespace(name))
    again(bundle)
    assert bundle.blocked and "is not the portal's" in shown(bundle.message)
    want(bundle)
    again(bundle)
    assert bundle.blocked and "replaced" in shown(bundle.message)
    assert read(kubectl, "namespace", name)["metadata"]["labels"] == before["labels"]


def test_drive__namespace_taken_over_and_no_longer_opened__refused_with_the_servers_sentence(
    real_cluster, kubectl, unique
):
    name = unique("closed")
    bundle, _before = adopted(kubectl, real_cluster, name)
    kubectl("label", "namespace", name, "portal.cloud/managed-")
    want(bundle, the_namespace(name))
    again(bundle)
    assert bundle.blocked and "portal.cloud/managed=true" in shown(bundle.message)


@pytest.mark.parametrize("is_adopted", [False, True])
def test_drive__nothing_wanted_any_more__namespace_gone_last_and_only_then_done(
    real_cluster, kubectl, unique, is_adopted
):
    name = unique("remove")
    bundle = adopted(kubectl, real_cluster, name)[0] if is_adopted else on_the_server(real_cluster, name)
    want(bundle, the_namespace(name), the_quota(name), the_policy(name))
    eventually(lambda: arrived(bundle), 60, "the project is there")
    # Whatever holds the namespace up is said for as long as it does.
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.org/held"]}}
    kubectl("create", f"-n={name}", "-f", "-", stdin=json.dumps(held))
    want(bundle)
    again(bundle)
    assert bundle.observed_generation == 1 and not bundle.blocked and bundle.attempts == 0
    states = dict(bundle.objects_kept.values_list("kind", "state"))
    assert states == {"Namespace": "removing", "ResourceQuota": "gone", "NetworkPolicy": "gone"}
    assert read(kubectl, "namespace", name)["metadata"]["deletionTimestamp"]

    def says_why() -> bool:
        assert not arrived(bundle)
        return "example.org/held" in shown(bundle.message)

    eventually(says_why, 60, "the namespace says what holds it up")
    assert "example.org/held" in shown(bundle.objects_kept.get(kind="Namespace").message)
    patch = '{"metadata": {"finalizers": null}}'
    kubectl("patch", "configmap", "held", f"-n={name}", f"--patch={patch}")
    eventually(lambda: arrived(bundle), 90, "everything is gone")
    assert read(kubectl, "namespace", name) == {}
    assert set(bundle.objects_kept.values_list("state", "uid", "message")) == {("gone", "", None)}
    assert (bundle.message, bundle.attempts) == (None, 0)
    assert timedelta(0) < bundle.due_at - timezone.now() <= reconcile.OBSERVE_EVERY, "looked at once more"


def test_drive__created_by_a_late_worker_after_everything_was_removed__swept_away(real_cluster, kubectl, unique):
    name = unique("late")
    bundle = on_the_server(real_cluster, name)
    for manifests in ([the_namespace(name)], []):
        want(bundle, *manifests)
        eventually(lambda: arrived(bundle), 90, "as wanted")
    desired = Desired(bundle.revisions.get(number=1).objects_wanted[0]["manifest"], str(bundle.uid), 1)
    driver_for(bundle.cluster, 10).apply(desired)
    assert read(kubectl, "namespace", name), "there is something to be swept away"
    again(bundle)
    eventually(lambda: read(kubectl, "namespace", name) == {}, 60, "it is swept away")
    # Nobody looks for ever.
    bundle.revisions.update(agreed_at=timezone.now() - reconcile.SWEEP_FOR)
    again(bundle)
    assert bundle.due_at is None


def test_drive__wanted_again_after_it_was_removed__created(real_cluster, kubectl, unique):
    name = unique("return")
    bundle = on_the_server(real_cluster, name)
    for manifests in ([the_namespace(name)], [], [the_namespace(name), the_quota(name)]):
        want(bundle, *manifests)
        eventually(lambda: arrived(bundle), 90, "as wanted")
    assert read(kubectl, "quota", "portal-quota", f"-n={name}")["spec"]["hard"] == {"services": "4"}


def test_drive__quota_below_what_is_in_use__blocked_until_something_possible_is_wanted(real_cluster, kubectl, unique):
    name = unique("lower")
    bundle = on_the_server(real_cluster, name)
    want(bundle, the_namespace(name), the_quota(name, services="4"))
    eventually(lambda: arrived(bundle), 60, "the quota is counted")
    for service in ("a", "b", "c"):
        kubectl("create", "service", "clusterip", service, "--tcp=80", f"-n={name}")
    want(bundle, the_namespace(name), the_quota(name, services="2"))
    again(bundle)
    assert bundle.blocked and bundle.observed_generation == 1
    assert shown(bundle.message) == "portal-quota: 3 of services are in use, so the limit cannot be lowered to 2."
    assert read(kubectl, "quota", "portal-quota", f"-n={name}")["spec"]["hard"] == {"services": "4"}
    want(bundle, the_namespace(name), the_quota(name, services="3"))
    eventually(lambda: arrived(bundle), 60, "lowered to what is in use")


def test_drive__slow_cluster_while_removing__gone_on_with(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    again(bundle)
    want(bundle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(applying, "PASS_SECONDS", -1.0)
        again(bundle)
    assert bundle.observed_generation == 1 and "slowly" in shown(bundle.message)
    again(bundle)
    assert bundle.observed_generation == 2 and committed() == {}


def test_drive__one_of_several_of_a_kind_refused__others_written_later_kinds_not_begun(real_cluster, kubectl, unique):
    name = unique("several")
    bundle = on_the_server(real_cluster, name)
    policies = [the_policy(name) for _number in range(6)]
    for number, policy in enumerate(policies):
        policy["metadata"]["name"] = f"policy-{number}"
    policies[0]["spec"]["podSelector"] = {"matchLabels": {"not a label": "x"}}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "portal-members", "namespace": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "portal-viewer"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dev"}],
    }
    want(bundle, the_namespace(name), the_quota(name), *policies, binding)
    again(bundle)
    assert bundle.blocked and "policy-0" in shown(bundle.message)
    states = dict(bundle.objects_kept.values_list("name", "state"))
    assert states["policy-0"] == "failed" and states["portal-members"] == "pending"
    live = set(kubectl("get", "networkpolicy", f"-n={name}", "--output=name").split())
    assert {f"networkpolicy.networking.k8s.io/{key}" for key, state in states.items() if state == "ready"} >= live
    assert not read(kubectl, "rolebinding", "portal-members", f"-n={name}")
    # What was refused is mended, and what was written stays as it is.
    policies[0]["spec"]["podSelector"] = {}
    want(bundle, the_namespace(name), the_quota(name), *policies, binding)
    eventually(lambda: arrived(bundle), 60, "all of them are there")
    assert len(kubectl("get", "networkpolicy", f"-n={name}", "--output=name").split()) == 6
    assert read(kubectl, "rolebinding", "portal-members", f"-n={name}")
