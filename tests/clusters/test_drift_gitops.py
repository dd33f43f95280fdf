"""Drift of files in a Git repository, and of the live objects where there is an observer."""

import json
import subprocess
import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from django.db import connection
from django.utils import timezone

from clusters.drivers.base import Connection, Desired, ObjectRef
from clusters.drivers.gitops import GitOpsDriver
from clusters.models import Bundle, Cluster, DriftCheck
from clusters.services import repair
from tests.builders import a_bundle, a_tenant, a_user
from tests.clusters.doing import a_project, arrived, compared, created, kept
from tests.waiting import eventually
from web.errors import Conflict
from web.sentences import shown

pytestmark = pytest.mark.django_db
NAME = "claims-a-dev"
QUOTA, LIMITS = f"{NAME}/resourcequota-portal-quota.yaml", f"{NAME}/limitrange-portal-limits.yaml"


@pytest.fixture
def bundle(gitops_cluster) -> Bundle:
    a_tenant("claims", dev="developer")
    return kept(gitops_cluster, NAME)


@pytest.fixture
def push(gitops_cluster, tmp_path) -> Callable[[Callable[[Path], None]], None]:
    """Somebody else commits and pushes, with git itself."""

    def git(within: Path, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(within), *arguments], check=True, capture_output=True)

    def done(change: Callable[[Path], None]) -> None:
        clone = tmp_path / uuid.uuid4().hex
        git(tmp_path, "clone", "-q", "-b", "main", gitops_cluster.address, str(clone))
        change(clone)
        git(clone, "add", "-A")
        git(clone, "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-q", "-m", "by hand")
        git(clone, "push", "-q", "origin", "main")

    return done


def edited(path: str, change: Callable[[dict], None]) -> Callable[[Path], None]:
    def edit(clone: Path) -> None:
        manifest = yaml.safe_load((clone / path).read_text())
        change(manifest)
        (clone / path).write_text(yaml.safe_dump(manifest))

    return edit


def test_drift__nothing_touched__nothing_found(bundle):
    row = compared(bundle)
    assert (row.found, row.found_at, row.problem) == ([], None, None)
    assert row.due_at is not None


def test_drift__file_edited_and_another_removed__found_and_brought_back(bundle, push, committed):
    before = committed()
    push(edited(QUOTA, lambda quota: quota["spec"]["hard"].update({"pods": "99", "count/secrets": "3"})))
    push(lambda clone: (clone / LIMITS).unlink())
    found = {entry["ref"]["kind"]: entry for entry in compared(bundle).found}
    assert found["ResourceQuota"]["fields"] == [
        ["spec.hard.count/secrets", "3", None],
        ["spec.hard.pods", "99", "20"],
    ]
    assert found["LimitRange"]["sort"] == "missing" and len(found) == 2
    repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    eventually(lambda: arrived(bundle), 30, "it is committed")
    assert committed() == before
    assert compared(bundle).found == []


def test_drift__policy_says_repair__committed_by_itself(bundle, push, committed):
    Cluster.objects.update(on_drift="repair")
    before = committed()
    push(edited(QUOTA, lambda quota: quota["spec"]["hard"].update({"pods": "99"})))
    compared(bundle)
    eventually(lambda: arrived(bundle), 30, "it is committed")
    assert bundle.observed_generation == 2 and committed() == before


def test_drift__only_written_in_another_order__no_drift(bundle, push):
    push(edited(QUOTA, lambda quota: None))
    assert compared(bundle).found == []


def test_drift__file_without_its_fence__found_and_not_overwritten(bundle, push):
    push(edited(QUOTA, lambda quota: quota["metadata"].pop("annotations")))
    (found,) = compared(bundle).found
    assert "is not the portal's" in shown(found["refused"])
    with pytest.raises(Conflict, match="cannot be brought back"):
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())


def test_drift__file_that_is_no_object__found_and_said(bundle, push):
    push(lambda clone: (clone / QUOTA).write_text("pods: 99"))
    row = compared(bundle)
    assert "is not a Kubernetes object" in shown(row.problem)
    assert row.attempts == 1


def test_drift__file_of_somebody_else_in_the_folder__listed(bundle, push, committed):
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "allow-all", "namespace": NAME},
        "spec": {"podSelector": {}, "ingress": [{}]},
    }
    push(lambda clone: (clone / NAME / "theirs.yaml").write_text(yaml.safe_dump(policy)) and None)
    (found,) = compared(bundle).found
    assert (found["sort"], found["ref"]["name"]) == ("foreign", "allow-all")
    assert f"{NAME}/theirs.yaml" in committed()


def test_drift__repository_gone__said(bundle, tmp_path):
    Cluster.objects.update(address=str(tmp_path / "nowhere.git"))
    row = compared(bundle)
    assert str(tmp_path / "nowhere.git") in shown(row.problem) and row.checked_at is None


def test_driver_drift__observer__live_objects_compared_by_reading_alone(
    control_plane, cluster_access, kubectl, unique, tmp_path
):
    name, bundle = unique("observed"), str(uuid.uuid4())
    folder = tmp_path / "fleet.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    observer = a_reader(control_plane, kubectl, unique("reader"))
    driver = GitOpsDriver(Connection("git", str(folder), observer=observer), 10.0)
    desired = [Desired(manifest, bundle, 1) for manifest in a_project(name)]
    driver.commit(desired, [], "Test\n")
    found = driver.drift(desired, name)
    assert {(one.sort, one.place) for one in found} == {("missing", "observed")} and len(found) == len(desired)
    # As Argo CD would, from the repository.
    files = subprocess.run(["git", "-C", str(folder), "archive", "main"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=files, check=True)
    kubectl("apply", "--server-side", "-f", str(tmp_path / name / f"namespace-{name}.yaml"))
    kubectl("apply", "--server-side", "--recursive", "-f", str(tmp_path / name))
    assert driver.drift(desired, name) == ()
    patch = json.dumps({"spec": {"hard": {"pods": "99", "count/secrets": "3"}}})
    kubectl("patch", "quota", "portal-quota", f"-n={name}", "--type=merge", f"--patch={patch}")
    meta = {"name": "allow-all", "namespace": name}
    spec = {"podSelector": {}, "ingress": [{}], "policyTypes": ["Ingress"]}
    created(kubectl, {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec})
    changed, foreign = driver.drift(desired, name)
    assert changed.ref == ObjectRef("v1", "ResourceQuota", name, "portal-quota")
    assert changed.fields == (("spec.hard.count/secrets", "3", None), ("spec.hard.pods", "99", "20"))
    assert (changed.place, changed.by, changed.refused) == ("observed", "kubectl-patch", None)
    assert (foreign.sort, foreign.ref.name, foreign.place) == ("foreign", "allow-all", "observed")


def a_reader(control_plane, kubectl, name: str) -> Connection:
    """A way to the API server that may read and nothing else."""
    kubectl("create", "serviceaccount", name, "-n=default")
    kubectl("create", "clusterrole", name, "--verb=get,list,watch", "--resource=*.*")
    kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", f"--serviceaccount=default:{name}")
    token = kubectl("create", "token", name, "-n=default").strip()
    return Connection(name, control_plane.server, control_plane.ca, token, "1")


def test_repair__differs_only_in_the_cluster_behind_git__left_to_its_tool(bundle):
    ref = {"api_version": "v1", "kind": "ResourceQuota", "namespace": NAME, "name": "portal-quota"}
    found = {"ref": ref, "sort": "changed", "place": "observed", "fields": [], "uid": "", "by": "", "at": ""}
    found |= {"since": timezone.now().isoformat(), "refused": None, "held_back": None}
    DriftCheck.objects.update(found=[found], found_at=timezone.now())
    with pytest.raises(Conflict, match="Nothing differs"):
        repair(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())


def test_migration__bundles_that_agreed_before__get_a_row_and_others_none(bundle):
    DriftCheck.objects.all().delete()
    waiting = a_bundle()
    with connection.cursor() as cursor:
        cursor.execute(import_module("clusters.migrations.0006_drift_of_existing_bundles").EXISTING)
        cursor.execute(import_module("clusters.migrations.0006_drift_of_existing_bundles").EXISTING)
    row = DriftCheck.objects.get()
    assert row.bundle == bundle and row.bundle != waiting
    assert compared(bundle).checked_at is not None
