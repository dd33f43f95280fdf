"""deploy/cluster-access.yaml holds: what the portal and the people in its projects try beyond their rights fails."""

import json
import uuid
from collections.abc import Iterator

import pytest

from script.local.controlplane import PORTAL_ACCOUNT, KubectlFailed
from tests.plugins.cluster import Kubectl

AS_PORTAL = f"--as={PORTAL_ACCOUNT}"
# Groups that a service account has; kubectl does not add them by itself when it impersonates.
GROUPS = (
    "--as-group=system:serviceaccounts",
    "--as-group=system:serviceaccounts:portal-system",
    "--as-group=system:authenticated",
)
CONFINED = "portal-confined"
PROTECTED = "portal-protected"


@pytest.fixture(scope="module")
def project(kubectl: Kubectl) -> Iterator[str]:
    """A managed namespace with a developer (dora), a viewer (vic) and one with Kubernetes' own admin role (adam)."""
    name = f"access-{uuid.uuid4().hex[:8]}"
    kubectl("create", AS_PORTAL, *GROUPS, "-f", "-", stdin=_namespace(name))
    kubectl("create", AS_PORTAL, *GROUPS, "-f", "-", stdin=_object("ResourceQuota", name, {"hard": {"pods": "9"}}))
    policy = _object("NetworkPolicy", name, {"podSelector": {}})
    kubectl("create", AS_PORTAL, *GROUPS, "-f", "-", stdin=policy)
    for person, role in (("dora", "portal-developer"), ("vic", "portal-viewer")):
        kubectl(
            "create",
            "rolebinding",
            person,
            f"-n={name}",
            f"--clusterrole={role}",
            f"--user={person}",
            AS_PORTAL,
            *GROUPS,
        )
    kubectl("create", "rolebinding", "adam", f"-n={name}", "--clusterrole=admin", "--user=adam")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def refused(kubectl: Kubectl, *arguments: str, stdin: str = "", by: str = "") -> None:
    """The attempt fails with "forbidden", by the policy named where one is expected."""
    with pytest.raises(KubectlFailed, match=by or "(?i)forbidden|cannot"):
        kubectl(*arguments, stdin=stdin)


# The portal beyond its namespaces


@pytest.mark.parametrize("namespace", ["kube-system", "default", "portal-system"])
def test_portal__role_binding_in_foreign_namespace__refused(kubectl: Kubectl, namespace: str) -> None:
    bind = ("create", "rolebinding", "x", f"-n={namespace}", "--clusterrole=portal-developer", "--user=eve")
    refused(kubectl, *bind, AS_PORTAL, *GROUPS, by=CONFINED)


@pytest.mark.parametrize("kind", ["ResourceQuota", "LimitRange", "NetworkPolicy"])
def test_portal__object_in_foreign_namespace__refused(kubectl: Kubectl, kind: str) -> None:
    spec = {"podSelector": {}} if kind == "NetworkPolicy" else {}
    refused(kubectl, "create", AS_PORTAL, *GROUPS, "-f", "-", stdin=_object(kind, "kube-system", spec), by=CONFINED)


def test_portal__token_of_a_system_account__refused(kubectl: Kubectl) -> None:
    refused(kubectl, "create", "token", "namespace-controller", "-n=kube-system", AS_PORTAL, *GROUPS)


def test_portal__token_of_its_own_account__refused(kubectl: Kubectl) -> None:
    refused(kubectl, "create", "token", "portal", "-n=portal-system", AS_PORTAL, *GROUPS)


def test_portal__cluster_role_binding__refused(kubectl: Kubectl) -> None:
    refused(
        kubectl, "create", "clusterrolebinding", "x", "--clusterrole=portal-viewer", "--user=eve", AS_PORTAL, *GROUPS
    )


def test_portal__even_with_all_rights__confined_by_the_policy(kubectl: Kubectl, project: str) -> None:
    """Role and policy are independent: with system rights added, the policy alone still refuses."""
    name = f"all-{project}"
    kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", f"--user={PORTAL_ACCOUNT}")
    try:
        refused(kubectl, "create", "configmap", "x", "-n=kube-system", AS_PORTAL, *GROUPS, by=CONFINED)
        refused(kubectl, "create", "token", "namespace-controller", "-n=kube-system", AS_PORTAL, *GROUPS, by=CONFINED)
        bind = ("create", "clusterrolebinding", "x", "--clusterrole=view", "--user=eve")
        refused(kubectl, *bind, AS_PORTAL, *GROUPS, by=CONFINED)
        refused(
            kubectl, "label", "namespace", "kube-public", "portal.cloud/managed=true", AS_PORTAL, *GROUPS, by=CONFINED
        )
        refused(
            kubectl, "delete", "namespace", "kube-node-lease", AS_PORTAL, *GROUPS, by=f"{CONFINED}|may not be deleted"
        )
    finally:
        kubectl("delete", "clusterrolebinding", name)


@pytest.mark.parametrize("change", ["portal.cloud/managed=true", "team=a"])
def test_portal__label_on_foreign_namespace__refused(kubectl: Kubectl, change: str) -> None:
    refused(kubectl, "label", "namespace", "default", change, AS_PORTAL, *GROUPS, by=CONFINED)


def test_portal__label_taken_from_its_namespace__refused(kubectl: Kubectl, project: str) -> None:
    refused(kubectl, "label", "namespace", project, "portal.cloud/managed-", AS_PORTAL, *GROUPS, by=CONFINED)


def test_portal__deleting_foreign_namespaces__refused(kubectl: Kubectl) -> None:
    for namespace in ("portal-system", "portal-plan"):
        refused(kubectl, "delete", "namespace", namespace, AS_PORTAL, *GROUPS, by=CONFINED)


def test_portal__namespace_without_label_or_with_a_system_name__refused(kubectl: Kubectl, project: str) -> None:
    refused(kubectl, "create", "namespace", f"{project}-x", AS_PORTAL, *GROUPS, by=CONFINED)
    for name in (f"kube-{project}", f"openshift-{project}"):
        refused(kubectl, "create", AS_PORTAL, *GROUPS, "-f", "-", stdin=_namespace(name), by=CONFINED)


@pytest.mark.parametrize("role", ["cluster-admin", "admin", "edit", "portal-manager"])
def test_portal__other_roles_in_its_own_namespace__refused(kubectl: Kubectl, project: str, role: str) -> None:
    refused(
        kubectl,
        "create",
        "rolebinding",
        "x",
        f"-n={project}",
        f"--clusterrole={role}",
        "--user=eve",
        AS_PORTAL,
        *GROUPS,
    )


def test_portal__its_role_and_the_policies__cannot_be_changed_by_it(kubectl: Kubectl) -> None:
    for verb, thing in (
        ("update", "clusterroles/portal-developer"),
        ("escalate", "clusterroles/portal-developer"),
        ("delete", "validatingadmissionpolicies.admissionregistration.k8s.io/portal-confined"),
        ("patch", "validatingadmissionpolicybindings.admissionregistration.k8s.io/portal-confined"),
        ("get", "secrets"),
        ("get", "configmaps"),
        ("create", "pods"),
        ("impersonate", "users"),
    ):
        assert not _may(kubectl, verb, thing, AS_PORTAL, *GROUPS), (verb, thing)


# The people in a project


@pytest.mark.parametrize("person", ["dora", "vic"])
@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete", "deletecollection"])
@pytest.mark.parametrize(
    "thing",
    [
        "networkpolicies",
        "resourcequotas",
        "limitranges",
        "rolebindings",
        "roles",
        "serviceaccounts/token",
        "namespaces",
    ],
)
def test_people__what_the_portal_keeps__not_writable(
    kubectl: Kubectl, project: str, person: str, verb: str, thing: str
) -> None:
    resource, _, sub = thing.partition("/")
    extra = [f"--subresource={sub}"] if sub else []
    assert not _may(kubectl, verb, resource, f"--as={person}", f"-n={project}", *extra)


@pytest.mark.parametrize(
    "thing", ["networkpolicies", "resourcequotas", "limitranges", "rolebindings", "events", "pods"]
)
def test_people__what_the_portal_keeps__readable(kubectl: Kubectl, project: str, thing: str) -> None:
    for person in ("dora", "vic"):
        assert _may(kubectl, "list", thing, f"--as={person}", f"-n={project}")
        assert not _may(kubectl, "list", thing, f"--as={person}", "-n=default")


def test_people__work__developer_yes_viewer_no(kubectl: Kubectl, project: str) -> None:
    things = ["pods", "deployments.apps", "services", "configmaps", "secrets", "persistentvolumeclaims", "jobs.batch"]
    for thing in [
        *things,
        "ingresses.networking.k8s.io",
        "horizontalpodautoscalers.autoscaling",
        "pods --subresource=exec",
    ]:
        resource, *extra = thing.split()
        assert _may(kubectl, "create", resource, "--as=dora", f"-n={project}", *extra), thing
        assert not _may(kubectl, "create", resource, "--as=vic", f"-n={project}", *extra), thing
    assert not _may(kubectl, "get", "secrets", "--as=vic", f"-n={project}")


def test_namespace_admin__objects_of_the_portal__refused_by_the_policy(kubectl: Kubectl, project: str) -> None:
    within = (f"-n={project}", "--as=adam")
    refused(kubectl, "delete", "networkpolicy", "portals", *within, by=PROTECTED)
    refused(kubectl, "delete", "networkpolicy", "--all", *within, by=PROTECTED)
    refused(kubectl, "label", "networkpolicy", "portals", "portal.cloud/managed-", *within, by=PROTECTED)
    lookalike = _object("NetworkPolicy", project, {"podSelector": {}}, name="lookalike")
    refused(kubectl, "create", "--validate=false", "-f", "-", *within, stdin=lookalike, by=PROTECTED)
    assert "portals" in kubectl("get", "networkpolicy", f"-n={project}")


def test_collection_delete__by_raw_request__refused_by_the_policy(kubectl: Kubectl, project: str) -> None:
    path = f"/apis/networking.k8s.io/v1/namespaces/{project}/networkpolicies"
    refused(kubectl, "delete", f"--raw={path}", "--as=adam", by=PROTECTED)
    assert "portals" in kubectl("get", "networkpolicy", f"-n={project}")


def test_namespace_admin__objects_of_his_own__allowed(kubectl: Kubectl, project: str) -> None:
    own = json.loads(_object("NetworkPolicy", project, {"podSelector": {}}, name="own"))
    del own["metadata"]["labels"]
    kubectl("create", "--validate=false", "-f", "-", "--as=adam", stdin=json.dumps(own))
    kubectl("delete", "networkpolicy", "own", f"-n={project}", "--as=adam")


def test_cluster_administrator_by_role__objects_of_the_portal__allowed(kubectl: Kubectl, project: str) -> None:
    name = f"root-{project}"
    kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", "--user=carla")
    try:
        kubectl("annotate", "networkpolicy", "portals", "note=x", f"-n={project}", "--as=carla")
    finally:
        kubectl("delete", "clusterrolebinding", name)


def test_namespace__deleted__controllers_may_empty_it(kubectl: Kubectl, project: str) -> None:
    name = f"{project}-gone"
    kubectl("create", AS_PORTAL, *GROUPS, "-f", "-", stdin=_namespace(name))
    kubectl("create", AS_PORTAL, *GROUPS, "-f", "-", stdin=_object("NetworkPolicy", name, {"podSelector": {}}))
    kubectl("delete", "namespace", name, AS_PORTAL, *GROUPS, "--wait=false")
    kubectl("wait", "--for=delete", f"namespace/{name}", "--timeout=60s")
    assert kubectl("get", "namespace", name, "--ignore-not-found") == ""


def _may(kubectl: Kubectl, verb: str, resource: str, *arguments: str) -> bool:
    try:
        return kubectl("auth", "can-i", verb, resource, *arguments).strip().endswith("yes")
    except KubectlFailed as error:
        # "no" ends with an error code, as does a question that makes no sense.
        assert str(error).splitlines()[-1].startswith("no"), str(error)
        return False


def _namespace(name: str) -> str:
    meta = {"name": name, "labels": {"portal.cloud/managed": "true"}}
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


def _object(kind: str, namespace: str, spec: dict[str, object], name: str = "portals") -> str:
    meta = {"name": name, "namespace": namespace, "labels": {"portal.cloud/managed": "true"}}
    api_version = "networking.k8s.io/v1" if kind == "NetworkPolicy" else "v1"
    return json.dumps({"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec})
