"""OpenShift on a real API server with OpenShift's real definitions (TEST_CRDS): what is rendered is accepted under the
portal's own token, and what goes beyond it is refused."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from clusters.access import driver_for
from clusters.drivers.base import Connection, Desired, Driver
from clusters.drivers.registry import open_driver
from clusters.models import Bundle, Cluster
from script.local.controlplane import PORTAL_ACCOUNT, KubectlFailed
from tenants import ledger, manifests
from tenants.models import Deletion, Project
from tests.builders import a_tenant, a_user
from tests.plugins.cluster import Kubectl
from tests.tenants.doing import approved, arrived, asked, drive_now, everybody, made
from tests.tenants.test_manifests import PLACED, a_state
from tests.waiting import eventually

ROLE = f"system:openshift:scc:{PLACED['security_constraints']}"
AS_PORTAL = (f"--as={PORTAL_ACCOUNT}", "--as-group=system:serviceaccounts", "--as-group=system:authenticated")

# They exist in OpenShift, or might; the portal has no business with them.
FOREIGN_CONSTRAINTS = ("privileged", "anyuid", "hostaccess", "restricted-v3")


def a_role(name: str) -> dict[str, object]:
    """The role that OpenShift has for each security context constraint."""
    use = {"apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"], "verbs": ["use"]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"system:openshift:scc:{name}"},
        "rules": [use | {"resourceNames": [name]}],
    }


@pytest.fixture(scope="module")
def openshift(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The API server with OpenShift's kinds and the role of a security context constraint, until the module ends."""
    given = os.environ.get("TEST_CRDS")
    folder = Path(given) / "openshift" if given else None
    if folder is None or not folder.is_dir():
        pytest.skip("OpenShift's definitions are missing: TEST_CRDS names a folder that has openshift/*.yaml in it.")
    files = [f"--filename={file}" for file in sorted(folder.glob("*.yaml"))]
    kubectl("apply", "--server-side", *files)
    kubectl("wait", "--for=condition=Established", "--timeout=60s", *files)
    for name in (PLACED["security_constraints"], *FOREIGN_CONSTRAINTS):
        kubectl("create", "-f", "-", stdin=json.dumps(a_role(name)))
    yield kubectl
    kubectl("delete", "clusterrole", ROLE, *(f"system:openshift:scc:{name}" for name in FOREIGN_CONSTRAINTS))
    kubectl("delete", "clusterresourcequotas", "--all")
    kubectl("delete", *files)


@pytest.fixture
def driver(openshift: Kubectl, cluster_access: Connection) -> Driver:
    return open_driver("kubernetes", cluster_access, 10)


def names(unique: Callable[[str], str]) -> tuple[str, str]:
    """A tenant's code and a namespace that no other test uses."""
    code = unique("t").replace("-", "")
    return code, f"{code}-imaging-test"


@pytest.mark.parametrize("more", [PLACED, {**PLACED, "network": "openshift-sdn-multitenant"}])
def test_project__whole_output__accepted_unchanged_again_ready_and_removed(driver, unique, more):
    code, namespace = names(unique)
    state = a_state(flavour="openshift", tenant=code, namespace=namespace, **more)
    rendered, bundle = manifests.project(state), str(uuid.uuid4())
    desired = [Desired(manifest, bundle, 1) for manifest in rendered]
    assert {change.action for change in driver.plan(desired, [])} == {"add"}
    first = [driver.apply(item) for item in desired]
    assert {applied.outcome for applied in first} == {"created"}
    again = [Desired(item.manifest, bundle, 1, one.uid) for item, one in zip(desired, first, strict=True)]
    refs = [item.ref for item in desired]
    eventually(lambda: all(seen.ready for seen in driver.observe(refs)), 30, "all of it is ready")
    assert {change.action for change in driver.plan(again, [])} == {"keep"}
    assert {driver.apply(item).outcome for item in again} == {"unchanged"}
    assert {ref.kind for ref in driver.inventory(namespace)} == {ref.kind for ref in refs} - {"Namespace"}
    for one in reversed(first):
        eventually(lambda one=one: driver.delete(one.ref, one.uid), 60, f"{one.ref.kind} is gone")


def test_tenant_quota__whole_output__accepted_ready_without_a_controller_and_removed(driver, unique):
    code, _namespace = names(unique)
    budget = {"cpu": 64_500, "memory": 512 * 1024**3, "storage": 10 * 1024**4, "pods": 2000}
    bundle = str(uuid.uuid4())

    def wanted(number: int, uid: str = "", **limits: int | None) -> Desired:
        (manifest,) = manifests.tenant_quota({"tenant": code, "budget": budget | limits})
        return Desired(manifest, bundle, number, uid)

    (change,) = driver.plan([wanted(1)], [])
    assert change.action == "add"
    made = driver.apply(wanted(1))
    # No controller of OpenShift's is here to write a status: accepted is all there is to wait for.
    assert (made.outcome, driver.observe([made.ref])[0].ready) == ("created", True)
    assert driver.apply(wanted(1, made.uid)).outcome == "unchanged"
    assert made.ref in driver.inventory("")
    (change,) = driver.plan([wanted(2, made.uid, cpu=None, pods=7)], [])
    assert [(path, new) for path, _old, new in change.fields if "hard" in path] == [
        ("spec.quota.hard.limits.cpu", None),
        ("spec.quota.hard.pods", "7"),
        ("spec.quota.hard.requests.cpu", None),
    ]
    assert driver.apply(wanted(2, made.uid, cpu=None, pods=7)).outcome == "changed"
    assert driver.delete(made.ref, made.uid)


def test_tenant_quota__key_added_by_somebody__taken_away_again(driver, openshift, unique):
    code, _namespace = names(unique)
    budget = {"cpu": 1000, "memory": None, "storage": None, "pods": None}
    (manifest,) = manifests.tenant_quota({"tenant": code, "budget": budget})
    made = driver.apply(Desired(manifest, "b", 1))
    added = json.dumps({"spec": {"quota": {"hard": {"services": "0"}}}})
    openshift("patch", "clusterresourcequota", made.ref.name, "--type=merge", "-p", added)
    (change,) = driver.plan([Desired(manifest, "b", 1, made.uid)], [])
    assert change.fields == (("spec.quota.hard.services", "0", None),)
    assert driver.apply(Desired(manifest, "b", 1, made.uid)).outcome == "changed"
    live = json.loads(openshift("get", "clusterresourcequota", made.ref.name, "-o=json"))
    assert live["spec"]["quota"]["hard"] == {"requests.cpu": "1", "limits.cpu": "1"}


@pytest.fixture
def cluster(openshift: Kubectl, real_cluster: Cluster) -> Cluster:
    """The API server as an OpenShift cluster that says where projects run and what they may."""
    real_cluster.flavour, real_cluster.security_constraints = "openshift", PLACED["security_constraints"]
    real_cluster.node_selectors = {"dev": PLACED["node_selector"]}
    real_cluster.save()
    return real_cluster


@pytest.mark.django_db
def test_request__first_project_to_last__quota_comes_follows_the_budget_and_goes(cluster, directory, openshift, unique):
    people = everybody()
    with transaction.atomic():
        ledger.set_budget(tenant=a_tenant("claims"), amounts={"cpu": 64_000}, by=None, at=timezone.now())
    project = made(people["dev"], name=unique("os"))
    bundle = Bundle.objects.get(owner="tenant:claims")
    assert arrived(bundle)
    live = json.loads(openshift("get", "namespace", project.namespace, "-o=json"))
    assert live["metadata"]["annotations"]["openshift.io/node-selector"] == PLACED["node_selector"]
    quota = ("get", "clusterresourcequota", "portal-claims", "--ignore-not-found", "-o=json")
    seen = json.loads(openshift(*quota))
    assert seen["spec"]["quota"]["hard"] == {"requests.cpu": "64", "limits.cpu": "64"}
    selector = ",".join(f"{k}={v}" for k, v in seen["spec"]["selector"]["labels"]["matchLabels"].items())
    assert openshift("get", "namespaces", f"--selector={selector}", "-o=name").split() == [
        f"namespace/{project.namespace}"
    ]
    approved(asked("tenant-quota", people["owner"], tenant="claims", cpu="96"), a_user("dc", "approver:datacenter"))
    bundle.refresh_from_db()
    assert arrived(bundle)
    assert json.loads(openshift(*quota))["spec"]["quota"]["hard"] == {"requests.cpu": "96", "limits.cpu": "96"}
    _remove(project, people)
    bundle.refresh_from_db()
    eventually(lambda: arrived(bundle), 30, "the quota is removed")
    assert openshift(*quota) == ""
    assert driver_for(cluster, 10).inventory("") == ()


def _remove(project: Project, people) -> None:
    values = {"project": str(project.uid), "confirm": project.namespace}
    request = approved(asked("delete-project", people["owner"], **values), people["platform"])
    Deletion.objects.filter(request=request).update(due_from=timezone.now())
    deletion = Deletion.objects.get(request=request)

    def gone() -> bool:
        arrived(project.bundle)
        drive_now(deletion)
        return deletion.done_at is not None

    eventually(gone, 60, "the project is gone")


# Beyond its rights


@pytest.fixture(scope="module")
def namespace(openshift: Kubectl) -> Iterator[str]:
    """A namespace of the portal's."""
    name = f"os-{uuid.uuid4().hex[:8]}"
    meta = {"name": name, "labels": {"portal.cloud/managed": "true"}}
    create(openshift, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    yield name
    openshift("delete", "namespace", name, "--wait=false")


def create(kubectl: Kubectl, manifest: dict[str, object]) -> str:
    return kubectl("create", "--validate=false", "-f", "-", *AS_PORTAL, stdin=json.dumps(manifest))


def a_quota(name: str, selector: dict[str, object], **labels: str) -> dict[str, object]:
    meta = {"name": name, "labels": labels}
    spec = {"selector": selector, "quota": {"hard": {"pods": "0"}}}
    return {"apiVersion": "quota.openshift.io/v1", "kind": "ClusterResourceQuota", "metadata": meta, "spec": spec}


OURS = {"portal.cloud/managed": "true"}
WITHIN = {"labels": {"matchLabels": {**OURS, "portal.cloud/tenant": "claims"}}}


def test_portal__quota_of_its_own__allowed(openshift, unique):
    name = unique("portal")
    create(openshift, a_quota(name, WITHIN, **OURS))
    openshift("delete", "clusterresourcequota", name, *AS_PORTAL)


@pytest.mark.parametrize(
    ("name", "selector", "labels"),
    [
        ("other", WITHIN, OURS),
        ("portal", WITHIN, OURS),
        ("portal-x", WITHIN, {}),
        ("portal-x", WITHIN, {"portal.cloud/managed": "false"}),
        ("portal-x", {}, OURS),
        ("portal-x", {"labels": {}}, OURS),
        ("portal-x", {"labels": {"matchLabels": {"team": "a"}}}, OURS),
        ("portal-x", {"labels": {"matchLabels": {"portal.cloud/managed": "false"}}}, OURS),
        ("portal-x", {"annotations": {"team": "a"}}, OURS),
    ],
)
def test_portal__quota_beyond_its_namespaces__refused(openshift, name, selector, labels):
    with pytest.raises(KubectlFailed, match="portal-confined"):
        create(openshift, a_quota(name, selector, **labels))


def test_portal__quota_of_somebody_else__neither_taken_nor_deleted(openshift, unique):
    name = unique("portal")
    openshift("create", "-f", "-", stdin=json.dumps(a_quota(name, WITHIN)))
    for attempt in (
        ("label", "clusterresourcequota", name, "portal.cloud/managed=true"),
        ("patch", "clusterresourcequota", name, "--type=merge", '-p={"spec":{"quota":{"hard":{"pods":"1"}}}}'),
        ("delete", "clusterresourcequota", name),
    ):
        with pytest.raises(KubectlFailed, match="portal-confined"):
            openshift(*attempt, *AS_PORTAL)


def a_binding(namespace: str, role: str, *subjects: dict[str, str]) -> dict[str, object]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"x-{uuid.uuid4().hex[:8]}", "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, **subject} for subject in subjects],
    }


def accounts_of(namespace: str) -> dict[str, str]:
    return {"kind": "Group", "name": f"system:serviceaccounts:{namespace}"}


def test_portal__own_accounts_to_a_named_constraint__allowed(openshift, namespace):
    create(openshift, a_binding(namespace, ROLE, accounts_of(namespace)))


@pytest.mark.parametrize("even_with_all_rights", [False, True])
@pytest.mark.parametrize("role", FOREIGN_CONSTRAINTS)
def test_portal__other_constraints__refused(openshift, namespace, role, even_with_all_rights):
    binding = f"all-{uuid.uuid4().hex[:8]}"
    if even_with_all_rights:
        openshift("create", "clusterrolebinding", binding, "--clusterrole=cluster-admin", f"--user={PORTAL_ACCOUNT}")
    try:
        by = "portal-confined" if even_with_all_rights else "(?i)forbidden"
        with pytest.raises(KubectlFailed, match=by):
            create(openshift, a_binding(namespace, f"system:openshift:scc:{role}", accounts_of(namespace)))
    finally:
        openshift("delete", "clusterrolebinding", binding, "--ignore-not-found")


@pytest.mark.parametrize(
    "subjects",
    [
        [{"kind": "User", "name": "eve"}],
        [{"kind": "Group", "name": "system:serviceaccounts"}],
        [{"kind": "Group", "name": "system:authenticated"}],
        [accounts_of("default")],
        [accounts_of("portal-system"), {"kind": "User", "name": "eve"}],
        [],
    ],
)
def test_portal__others_to_a_constraint__refused(openshift, namespace, subjects):
    with pytest.raises(KubectlFailed, match="portal-confined"):
        create(openshift, a_binding(namespace, ROLE, *subjects))


def test_portal__net_namespaces_and_constraints__no_rights(openshift):
    for verb in ("create", "update", "patch", "delete"):
        for thing in ("netnamespaces.network.openshift.io", "securitycontextconstraints.security.openshift.io"):
            with pytest.raises(KubectlFailed, match="no"):
                openshift("auth", "can-i", verb, thing, *AS_PORTAL)


def test_probe__rights_on_openshift__all_there_and_missed_by_name(openshift, driver):
    assert driver.probe().problems == ()
    rules = json.loads(openshift("get", "clusterrole", "portal-manager", "-o=json"))["rules"]
    kept = [rule for rule in rules if rule["apiGroups"] != ["quota.openshift.io"]]
    try:
        openshift("patch", "clusterrole", "portal-manager", "--type=merge", "-p", json.dumps({"rules": kept}))
        missing = eventually(lambda: driver.probe().problems, 30, "the right is missed")
        assert any("clusterresourcequotas" in problem.english for problem in missing)
    finally:
        openshift("patch", "clusterrole", "portal-manager", "--type=merge", "-p", json.dumps({"rules": rules}))
