"""Attempts to leave the managed namespaces, with the portal's own token and with a member's, on the real API server.

Each is made for real (no dry run, no impersonation) and must be refused; script/campaign escapes prints who said no.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from script.local.controlplane import KubectlFailed
from tests.plugins.cluster import Kubectl, TestCluster
from tests.waiting import eventually

RBAC = "rbac.authorization.k8s.io/v1"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
MANAGED = {"portal.cloud/managed": "true"}


@dataclass(frozen=True)
class Attempt:
    """What is tried: a kubectl command, {namespace} stands for the tenant's project."""

    what: str
    command: str
    manifest: Any = None


def made(api: str, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("meta", {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


def binding(namespace: str, role: str, kind: str = "ClusterRole") -> dict[str, Any]:
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
    eve = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "eve"}]
    body = {"roleRef": ref, "subjects": eve}
    if not namespace:
        return made(RBAC, "ClusterRoleBinding", "escape", **body)
    return made(RBAC, "RoleBinding", "escape", namespace, **body)


ALLOW_ALL = {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}
CREATE = "create --validate=false -f -"
# Of the portal's token and of a member's alike.
BY_BOTH = [
    Attempt("bind a developer in kube-system", CREATE, binding("kube-system", "portal-developer")),
    Attempt("bind an administrator in kube-system", CREATE, binding("kube-system", "admin")),
    Attempt("bind itself the cluster's administrator", CREATE, binding("", "cluster-admin")),
    Attempt("bind a viewer in the whole cluster", CREATE, binding("", "portal-viewer")),
    Attempt("bind an administrator in the project", CREATE, binding("{namespace}", "admin")),
    Attempt("bind the portal's own role in the project", CREATE, binding("{namespace}", "portal-manager")),
    Attempt("mint a token of a controller", "create token namespace-controller -n kube-system"),
    Attempt("mint a token of the portal", "create token portal -n portal-system"),
    Attempt("mint a token in the project", "create token default -n {namespace}"),
    Attempt("open a foreign namespace by the label", "label namespace default portal.cloud/managed=true"),
    Attempt("open kube-system by the label", "label namespace kube-system portal.cloud/managed=true"),
    Attempt("put another label on a foreign namespace", "annotate namespace default note=escape"),
    Attempt("take the label from the project", "label namespace {namespace} portal.cloud/managed-"),
    Attempt("remove a foreign namespace", "delete namespace kube-node-lease --wait=false"),
    Attempt("remove the scratch namespace", "delete namespace portal-plan --wait=false"),
    Attempt(
        "create a namespace of the system", CREATE, made("v1", "Namespace", "kube-escape", meta={"labels": MANAGED})
    ),
    Attempt("create a namespace without the label", CREATE, made("v1", "Namespace", "escape-unmarked")),
    Attempt("read a Secret of the system", "get secrets -n kube-system"),
    Attempt("remove the policy that confines", f"delete --raw {POLICIES}/portal-confined"),
    Attempt("change the policy that confines", "annotate validatingadmissionpolicy portal-confined note=escape"),
    Attempt("remove its binding", "delete validatingadmissionpolicybinding portal-confined"),
    Attempt("remove the policy that protects", "delete validatingadmissionpolicy portal-protected"),
    Attempt("give its own role more", "annotate clusterrole portal-manager note=escape"),
    Attempt("give developers more", "annotate clusterrole portal-developer note=escape"),
    Attempt("create a role of its own", CREATE, made(RBAC, "ClusterRole", "escape", rules=[])),
    Attempt("act as the administrator", "get nodes --as=admin --as-group=system:masters"),
    Attempt("run a pod in kube-system", CREATE, made("v1", "Pod", "escape", "kube-system", spec={"containers": []})),
    Attempt("run a pod in the scratch namespace", "run escape --image=none.invalid/none -n portal-plan"),
    Attempt(
        "a NetworkPolicy in kube-system",
        CREATE,
        made("networking.k8s.io/v1", "NetworkPolicy", "escape", "kube-system", spec=ALLOW_ALL),
    ),
]
BY_A_MEMBER = [
    Attempt(
        "allow all traffic into the project",
        CREATE,
        made("networking.k8s.io/v1", "NetworkPolicy", "escape", "{namespace}", spec=ALLOW_ALL),
    ),
    Attempt("remove the default deny", "delete networkpolicy default-deny -n {namespace}"),
    Attempt("lift its quota", "patch resourcequota project -n {namespace} -p {quota}"),
    Attempt("remove its quota", "delete resourcequota project -n {namespace}"),
    Attempt("bind somebody in the project", CREATE, binding("{namespace}", "portal-developer")),
    Attempt("create a namespace of its own", CREATE, made("v1", "Namespace", "escape-own", meta={"labels": MANAGED})),
    Attempt("look into another namespace", "get pods -n kube-system"),
]


@pytest.fixture
def project(control_plane: TestCluster) -> Iterator[tuple[str, str]]:
    """(a namespace made with the portal's token, the token of a member who is developer in it)."""
    name, kubectl = f"escape-{uuid.uuid4().hex[:8]}", control_plane.kubectl
    quota = made("v1", "ResourceQuota", "project", name, meta={"labels": MANAGED}, spec={"hard": {"pods": "2"}})
    deny = {"podSelector": {}, "policyTypes": ["Ingress"]}
    wanted = [
        made("v1", "Namespace", name, meta={"labels": MANAGED}),
        quota,
        made("networking.k8s.io/v1", "NetworkPolicy", "default-deny", name, meta={"labels": MANAGED}, spec=deny),
    ]
    for manifest in wanted:
        tried(kubectl, control_plane.token, Attempt("", CREATE, manifest), name)
    kubectl("create", "serviceaccount", "member", f"-n={name}")
    member = f"--serviceaccount={name}:member"
    bind = ("create", "rolebinding", "member", f"-n={name}", "--clusterrole=portal-developer", member)
    kubectl(*bind, f"--token={control_plane.token}")
    token = kubectl("create", "token", "member", f"-n={name}").strip()
    eventually(lambda: kubectl("auth", "can-i", "create", "pods", f"-n={name}", f"--token={token}").strip() == "yes")
    yield name, token
    kubectl("delete", "namespace", name, "--wait=false")


def tried(kubectl: Kubectl, token: str, attempt: Attempt, namespace: str) -> str:
    """Makes the attempt with the token alone; "" if it went through, else what the server said."""
    words = {"{namespace}": namespace, "{quota}": '{"spec":{"hard":{"pods":"999"}}}'}
    command = [words.get(word, word) for word in attempt.command.split()]
    manifest = json.dumps(attempt.manifest).replace("{namespace}", namespace) if attempt.manifest else ""
    try:
        kubectl(*command, f"--token={token}", stdin=manifest)
    except KubectlFailed as error:
        return " ".join(str(error).split())
    return ""


def test_escapes__by_the_portal_and_by_a_member__each_refused(
    control_plane: TestCluster, project: tuple[str, str], is_full: bool, capsys: Any
) -> None:
    namespace, member = project
    kubectl, lines, through = control_plane.kubectl, [], []
    before = state(kubectl)
    whose = [("portal", control_plane.token, BY_BOTH), ("member", member, [*BY_BOTH, *BY_A_MEMBER])]
    for who, token, attempts in whose:
        for attempt in attempts:
            said = tried(kubectl, token, attempt, namespace)
            if not re.search(r"(?i)forbidden|cannot ", said):
                through.append((who, attempt.what, said))
            by = re.search(r"ValidatingAdmissionPolicy '([a-z-]+)'", said)
            lines.append(f"{who:7} {attempt.what:44} {by[1] if by else 'role':17} {shortened(said, namespace)}")
    assert not through, through
    assert state(kubectl) == before
    if is_full:
        with capsys.disabled():
            print(f"\n{len(lines)} attempts, {len(through)} went through: who, what, refused by, and the answer")
            print("\n".join(lines))


def test_escapes__what_they_may__still_works(control_plane: TestCluster, project: tuple[str, str]) -> None:
    """Refusing everything would pass the test above."""
    namespace, member = project
    config = made("v1", "ConfigMap", "own", "{namespace}", data={})
    assert tried(control_plane.kubectl, member, Attempt("", CREATE, config), namespace) == ""
    viewer = binding("{namespace}", "portal-viewer")
    assert tried(control_plane.kubectl, control_plane.token, Attempt("", CREATE, viewer), namespace) == ""


def state(kubectl: Kubectl) -> dict[str, str]:
    """What an escape would have changed, by kind: names, labels and annotations."""
    shape = "jsonpath={range .items[*]}{.metadata.name} {.metadata.labels} {.metadata.annotations}{'\\n'}{end}"
    kinds = ["clusterroles", "clusterrolebindings", "validatingadmissionpolicies", "namespaces"]
    found = {kind: kubectl("get", kind, "-o", shape) for kind in kinds}
    inside = ["rolebindings", "networkpolicies", "pods"]
    return found | {kind: kubectl("get", kind, "-n=kube-system", "-o", shape) for kind in inside}


def shortened(said: str, namespace: str) -> str:
    """The server's own words without kubectl's prefixes and this run's names."""
    said = re.sub(r'^Error from server \(Forbidden\): (error when creating "STDIN": )?', "", said)
    said = re.sub(r"escape-[0-9a-f]{8}", "<project>", said.replace(namespace, "<project>"))
    return said if len(said) <= 200 else f"{said[:199]}…"
