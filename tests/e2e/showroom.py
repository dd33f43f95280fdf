"""A portal in which no page is empty: requests in every state, a project with a history, a fleet in all weathers."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import issue_token
from clusters.models import Bundle, BundleObject, BundleRun, Cluster, DriftCheck, Health
from clusters.services import state_capacity
from notify.models import Attempt, Delivery, Endpoint, Occurrence
from tenants.models import Deletion, Project
from tenants.services import service_accounts
from tests.builders import a_bundle, a_cluster, a_tenant, a_user, decided_by, wish
from tests.e2e.using import use
from tests.tenants.doing import approved, arrived, asked, everybody, made
from tests.waiting import eventually
from web.sentences import Sentence
from workflow.models import Delegation, Request
from workflow.services import comment, decide

SILENT = Sentence("The cluster cannot be reached (%(reason)s).", {"reason": "connection refused"}).stored()
REFUSED = Sentence("The cluster says: %(message)s", {"message": 'namespaces "claims-scans-dev" is forbidden'}).stored()
GI = 1024**3
GIVEN_UP = {"disabled_at": timezone.now(), "disabled_reason": Sentence("It has taken nothing for three days.").stored()}
FACTS: dict[str, Any] = {
    "served": ["apps/v1", "v1", "networking.k8s.io/v1", "admissionregistration.k8s.io/v1"],
    "crds": ["widgets.example.org", "certificates.cert-manager.io"],
    "network_policy": "not-enforced",
    "network_plugin": "flannel",
    "cgroup": "v2",
    "clock_skew_seconds": 41.7,
    "node_pools": [
        {"role": "control-plane", "region": "ec1", "zone": "a", "rack": "", "nodes": 3, "ready": 3, "cpu": 12000,
         "memory": 48 * GI},
        {"role": "compute", "region": "ec1", "zone": "a", "rack": "r7", "nodes": 12, "ready": 11, "cpu": 384000,
         "memory": 1536 * GI},
    ],
    "storage_classes": [
        {"name": "ceph", "provisioner": "rbd.csi.ceph.com", "is_default": True, "expands": True},
        {"name": "nfs", "provisioner": "nfs.csi.k8s.io", "is_default": False, "expands": False},
    ],
    "node_selector": "ignored",
}  # fmt: skip
LARGER = {"cpu": "4", "memory": "2Gi", "storage": "20Gi", "pods": 20}


@dataclass
class Showroom:
    """What pages are about; requests by how they stand."""

    people: dict[str, User]
    project: Project
    leaving: Project
    stuck: Bundle
    requests: dict[str, Request]
    webhook: Endpoint


def furnish(gitops: Cluster) -> Showroom:
    """All of it, committed; `gitops` takes the projects."""
    people = everybody()
    people["admin2"] = a_user("admin2", "administrator")
    project, leaving = _project(people), made(people["dev"], name="archive", display_name="Claims archive")
    due_from = timezone.now() + timedelta(days=1)
    Deletion.objects.create(project=leaving, request=Request.objects.get(uid=leaving.uid), due_from=due_from)
    _fleet(gitops, people["admin"])
    _programs(people["owner"])
    webhook = _webhook(people["admin"])
    show = Showroom(people, project, leaving, _stuck(), _requests(people, project), webhook)
    # What is in use there is known, as where somebody lets the portal look at the cluster behind the repository.
    Cluster.objects.filter(pk=gitops.pk).update(observer_address="https://127.0.0.1:1")
    return show


def _programs(owner: User) -> None:
    """Service accounts: one that works, one that is switched off."""
    given = {"tenant": a_tenant("claims"), "by": owner, "at": _now()}
    works = service_accounts.create(name="pipeline", role="developer", description="Builds and deploys", **given)
    for name in ("build", "deploy"):
        service_accounts.issue_token(account=works, name=name, scopes=["read"], days=90, by=owner, at=_now())
    off = service_accounts.create(name="old-pipeline", role="viewer", description="", **given)
    service_accounts.change(account=off, is_active=False, by=owner, at=_now())


def _webhook(admin: User) -> Endpoint:
    """One that the portal switched off, with a delivery of every sort."""
    known = {"url": "https://192.0.2.7/events/of/the/container/cloud/portal/for/the/service/desk", "tenant": a_tenant()}
    found = Endpoint.objects.create(**known, created_by=admin, created_at=_now(), secret_sealed="none", **GIVEN_UP)
    for state, status in (("delivered", 204), ("failed", 500), ("pending", None)):
        sent = Occurrence.objects.create(type="request.approved", data={}, at=_now())
        one = Delivery.objects.create(endpoint=found, occurrence=sent, created_at=_now(), state=state, attempts=1)
        Attempt.objects.create(delivery=one, at=_now(), milliseconds=12, status=status, problem=SILENT, excerpt="no")
    return found


def _now() -> Any:
    return timezone.now()


def _project(people: dict[str, User]) -> Project:
    """One with three revisions, runs over it, and drift of every sort."""
    project = made(people["dev"], name="imaging", display_name="Claims imaging", viewers=["auditor"])
    asked("change-quota", people["dev"], project=str(project.uid), **LARGER)
    eventually(lambda: arrived(project.bundle), 30, "the cluster has the larger quota")
    asked("change-members", people["owner"], project=str(project.uid), developers=["dev"])
    eventually(lambda: arrived(project.bundle), 30, "the cluster has the other members")
    _runs(project.bundle, "committed", "retrying")
    _drift(project.bundle)
    use(project.bundle, _now())
    return Project.objects.select_related("tenant", "bundle__cluster").get(pk=project.pk)


def _ref(bundle: Bundle, kind: str, name: str, version: str = "v1") -> dict[str, str]:
    return {"api_version": version, "kind": kind, "namespace": bundle.namespace, "name": name}


def _runs(bundle: Bundle, *outcomes: str) -> None:
    for outcome in outcomes:
        is_bad = outcome in ("blocked", "retrying")
        seen = {"ref": _ref(bundle, "ResourceQuota", "portal-quota"), "outcome": "refused" if is_bad else "changed",
                "message": SILENT if is_bad else None}  # fmt: skip
        BundleRun.objects.create(
            bundle=bundle,
            revision=bundle.generation,
            began_at=_now() - timedelta(seconds=2),
            ended_at=_now(),
            outcome=outcome,
            message=SILENT if is_bad else None,
            objects_seen=[seen],
        )


def _drift(bundle: Bundle) -> None:
    blank = {"place": "", "fields": [], "uid": "", "by": "", "at": "", "refused": None, "held_back": None}
    blank["since"] = _now().isoformat()
    fields = [["spec.hard.pods", "99", "20"], ["metadata.labels.portal.cloud/tenant", None, "claims"]]
    policy = _ref(bundle, "NetworkPolicy", "allow-everything-from-the-reporting-team", "networking.k8s.io/v1")
    somebody = {"by": "kubectl-edit", "at": "2026-11-20T08:00:00Z"}
    found = [
        {"ref": _ref(bundle, "ResourceQuota", "portal-quota"), "sort": "changed", "fields": fields, **somebody},
        {"ref": _ref(bundle, "LimitRange", "portal-limits"), "sort": "missing"},
        {"ref": policy, "sort": "foreign", **somebody},
    ]
    values = {"found": [blank | one for one in found], "found_at": _now(), "checked_at": _now()}
    DriftCheck.objects.update_or_create(bundle=bundle, defaults=values)


def _health(cluster: Cluster, **fields: Any) -> None:
    told = {"checked_at": _now() - timedelta(minutes=3), "version": "v1.36.3", "facts": FACTS, "due_at": None}
    Health.objects.update_or_create(cluster=cluster, defaults=told | fields)


def _fleet(gitops: Cluster, admin: User) -> None:
    """A cluster of every state, one for a single tenant and one that is out of service."""
    Cluster.objects.filter(pk=gitops.pk).update(description="Container cloud of the data centre in Shanghai")
    _health(gitops)
    figures = {"cpu_millicores": 64_000, "pods": 500, "cpu_overcommit": Decimal("1.5")}
    state_capacity(name=gitops.name, by=admin, at=_now(), source="stated", **figures)
    far = a_cluster("far", description="Branch office", environments=["prod"])
    due_at = _now() + timedelta(minutes=2)
    _health(far, open_since=_now() - timedelta(minutes=10), reason=SILENT, problems=[SILENT], due_at=due_at)
    missing = [
        Sentence("The cluster's clock differs from the portal's by %(seconds)d seconds.", {"seconds": 42}).stored(),
        Sentence("The namespace %(name)s is missing; apply deploy/cluster-access.yaml.", {"name": "portal"}).stored(),
    ]
    _health(a_cluster("troubled", flavour="openshift", environments=["dev", "test"]), problems=missing)
    a_cluster("quiet", dedicated_to=a_tenant("claims"))
    a_cluster("retired", is_active=False)
    held = a_cluster("held", held_since=_now() - timedelta(hours=1))
    rows = [
        {"sort": sort, "bundle": str(uuid4()), "owner": "", "namespace": f"claims-{sort}-prod", "known": 1, "live": 3,
         "objects": 7}
        for sort in ("newer", "unknown", "gone", "pending")
    ]  # fmt: skip
    _health(held, beyond=rows)


def _stuck() -> Bundle:
    """On a cluster that nobody reaches: what a cluster refused, with runs that say so."""
    fields = {
        "generation": 1,
        "blocked": True,
        "message": REFUSED,
        "namespace": "claims-scans-of-all-branches-in-the-north-east-dev",
    }
    bundle = a_bundle(cluster=Cluster.objects.get(name="far"), **fields)
    BundleObject.objects.create(
        bundle=bundle, **_ref(bundle, "ResourceQuota", "portal-quota"), revision=1, state="failed", message=REFUSED
    )
    _runs(bundle, "blocked")
    return bundle


def _requests(people: dict[str, User], project: Project) -> dict[str, Request]:
    dev, platform, admin = people["dev"], people["platform"], people["admin"]
    decided_by("platform")
    said = {"reason": "The scanners of the new branch need it", "cost_centre": "CC-4711"}

    def ask(name: str, **more: Any) -> Request:
        return asked("new-project", dev, **wish(name=name, **said, **more))

    def refused(name: str, verdict: str) -> Request:
        one, note = ask(name), "Please use the project that you have."
        return decide(number=one.number, verdict=verdict, note=note, plan_digest="", by=platform, at=_now())

    parts = [{"environment": name, "size": "s"} for name in ("dev", "test", "prod")]
    stood = {
        "waiting": ask("waiting"),
        "sent back": refused("again", "send_back"),
        "rejected": refused("never", "reject"),
        "family": asked("new-project", dev, **wish(name="family", **said) | {"environments": parts}),
        "quota": asked("change-quota", dev, project=str(project.uid), **LARGER | {"cpu": "40"}),
        "done": Request.objects.get(uid=project.uid),
        "tenant": asked("new-tenant", admin, code="health", name_zh="健康险", name_en="Health insurance"),
        "budget": asked("tenant-quota", admin, tenant="claims", cpu="400"),
        "policy": asked("change-policy", admin, action="retire", slug="dev"),
        "on its way": approved(ask("arriving"), platform),
    }
    comment(number=stood["waiting"].number, text="When is it needed?", by=platform, at=_now())
    period = {"starts_at": _now(), "ends_at": _now() + timedelta(days=2), "created_at": _now()}
    Delegation.objects.create(by=platform, to=people["owner"], reason="Leave", **period)
    for name in ("pipeline", "nightly report"):
        token, _text = issue_token(user=dev, name=name, scopes=["read", "request"], days=90, by=dev, at=_now())
    long_ago = _now() - timedelta(days=30)
    ApiToken.objects.filter(pk=token.pk).update(created_at=long_ago, expires_at=long_ago + timedelta(days=1))
    return stood
