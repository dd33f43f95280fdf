"""What a cluster says of itself: its version, whether the portal is confined in it, and the rights it lacks."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils.translation import gettext_noop

from clusters.drivers.base import SCRATCH_NAMESPACE, DriverError, ObjectRef, Probe
from clusters.drivers.kubernetes.client import Client
from clusters.drivers.kubernetes.errors import Absent
from clusters.drivers.kubernetes.facts import date_of, facts
from web.sentences import Sentence

_RBAC = "rbac.authorization.k8s.io"
_KEPT = (("", "resourcequotas"), ("", "limitranges"), ("networking.k8s.io", "networkpolicies"), (_RBAC, "rolebindings"))
# (verb, API group, resource, name): what the portal needs, as deploy/cluster-access.yaml grants it.
_RIGHTS = (
    *((verb, "", "namespaces", "") for verb in ("get", "list", "create", "patch", "delete")),
    *((verb, group, kind, "") for group, kind in _KEPT for verb in ("list", "create", "patch", "delete")),
    *(("bind", _RBAC, "clusterroles", name) for name in ("portal-developer", "portal-viewer")),
    ("list", "", "pods", ""),
    ("list", "", "events", ""),
    ("list", "apps", "deployments", ""),
    ("list", "", "nodes", ""),
    ("list", "storage.k8s.io", "storageclasses", ""),
    ("list", "apiextensions.k8s.io", "customresourcedefinitions", ""),
    ("list", "apps", "daemonsets", ""),
)
# Beside, where OpenShift's quotas are served. Which security context constraints it binds is the cluster's row to say,
# and a plan tells where it may not.
_QUOTAS = "quota.openshift.io"
_ON_OPENSHIFT = tuple(
    (verb, _QUOTAS, "clusterresourcequotas", "") for verb in ("get", "list", "create", "patch", "delete")
)
# Certificates, leases and tokens go by clocks; a bit of difference is everywhere.
_MOST_SKEW_SECONDS = 30
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_POLICIES = ("portal-confined", "portal-protected")


def probe(client: Client) -> Probe:
    """Asks the cluster; raises DriverError where it cannot be reached or does not know the portal."""
    version = str(client.call("get", "/version").get("gitVersion", "?"))
    ours, date = client.clock()
    seen = facts(client, ours, date_of(date))
    problems = (*_clock(seen["clock_skew_seconds"]), *_problems(client, version))
    return Probe(version, problems, datetime.now(UTC), seen)


def _clock(skew: float) -> Iterator[Sentence]:
    if abs(skew) > _MOST_SKEW_SECONDS:
        text = gettext_noop("The cluster's clock differs from the portal's by %(seconds)d seconds.")
        yield Sentence(text, {"seconds": round(abs(skew))})


def _problems(client: Client, version: str) -> Iterator[Sentence]:
    if _knows_policies(client):
        yield from _policies(client)
    else:
        text = gettext_noop(
            "This cluster (%(version)s) has no ValidatingAdmissionPolicy (Kubernetes 1.30 and newer have it): only its"
            " role confines the portal, and that is not enough."
        )
        yield Sentence(text, {"version": version})
    yield from _confinement(client)
    if not _has_scratch(client):
        text = gettext_noop("The namespace %(name)s is missing; apply deploy/cluster-access.yaml.")
        yield Sentence(text, {"name": SCRATCH_NAMESPACE})
    if _allowed(client, "*", "*", "*", ""):
        text = gettext_noop("The token has all rights in this cluster; use one of the portal's own service account.")
        yield Sentence(text)
    for verb, group, resource, name in (*_RIGHTS, *(_ON_OPENSHIFT if _serves(client, _QUOTAS) else ())):
        if not _allowed(client, verb, group, resource, name):
            words = {"verb": verb, "resource": " ".join(part for part in (resource, name) if part)}
            text = gettext_noop("The portal may not %(verb)s %(resource)s; apply deploy/cluster-access.yaml.")
            yield Sentence(text, words)


def _serves(client: Client, group: str) -> bool:
    try:
        client.call("get", f"/apis/{group}")
    except Absent:
        return False
    return True


def _knows_policies(client: Client) -> bool:
    try:
        served = client.call("get", _ADMISSION).get("resources") or []
    except Absent:
        return False
    return any(resource.get("name") == "validatingadmissionpolicies" for resource in served)


def _policies(client: Client) -> Iterator[Sentence]:
    """Whether both policies and their bindings are there and deny."""
    for name in _POLICIES:
        try:
            client.call("get", f"{_ADMISSION}/validatingadmissionpolicies/{name}")
            binding = client.call("get", f"{_ADMISSION}/validatingadmissionpolicybindings/{name}")
        except DriverError as error:
            if error.operator or (error.transient and not isinstance(error, Absent)):
                raise
            text = gettext_noop(
                "The admission policy %(name)s is missing; apply deploy/cluster-access.yaml. %(reason)s"
            )
            yield Sentence(text, {"name": name, "reason": error.sentence})
            continue
        if "Deny" not in binding["spec"].get("validationActions", []):
            yield Sentence(gettext_noop("The admission policy %(name)s does not deny anything."), {"name": name})


def _has_scratch(client: Client) -> bool:
    try:
        return client.get(ObjectRef("v1", "Namespace", "", SCRATCH_NAMESPACE)) is not None
    except DriverError as error:
        if error.transient or error.operator:
            raise
        # Not allowed to look; the missing right is reported by itself.
        return True


def _confinement(client: Client) -> Iterator[Sentence]:
    """Tries, by dry run, what the portal must never be able to do."""
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "portal-access-check", "namespace": "kube-system"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "portal-viewer"},
        "subjects": [],
    }
    try:
        client.create(binding, dry_run=True)
    except DriverError as error:
        if error.transient or error.operator:
            raise
        return
    yield Sentence(gettext_noop("Nothing keeps the portal out of kube-system; apply deploy/cluster-access.yaml."))


def _allowed(client: Client, verb: str, group: str, resource: str, name: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": resource, "name": name}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = client.call("post", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer["status"].get("allowed"))
