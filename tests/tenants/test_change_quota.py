"""The kind "change quota": what it renders and holds, and that nothing falls below what is in use."""

import json
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from clusters.models import Bundle, Cluster
from tenants import ledger
from tenants.kinds.change_quota import ChangeQuota
from tenants.kinds.quota_requests import BelowUse
from tenants.models import Claim, Deletion, Membership, Project
from tests.builders import a_cluster, a_tenant, a_user, decided_by, ready_portal, wish
from tests.portal.problems import NO_QUANTITIES
from tests.waiting import eventually
from web.errors import Conflict, Forbidden, Invalid
from web.sentences import shown
from work.tasks import drive
from workflow import queries
from workflow.facts import NO_LIMIT
from workflow.kinds import kind_of
from workflow.models import Plan, Request
from workflow.services import decide, edit, submit, withdraw
from workflow.services.foresee import foresee
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "change_quota.json"
KIND = ChangeQuota()
GI = 1024**3
FIGURES = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}


@pytest.fixture
def dev(db) -> User:
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger="developer")
    return a_user("dev")


@pytest.fixture
def down(dev) -> Cluster:
    """A cluster that never answers: plans are made against the last revision and the last sample of the use."""
    return a_cluster(environments=["dev", "test", "prod"])


def a_project(environment: str = "dev", **changes: object) -> Project:
    """A project of the tenant claims with FIGURES, as its bundle would be once the cluster agrees."""
    made = submit(kind="new-project", values=wish(environment=environment, **changes), by=a_user("dev"), at=now())
    if made.state == "submitted":
        approve(made, *("datacenter", "security") if environment == "prod" else ("platform",))
    return agreed(Project.objects.get(uid=made.uid))


def agreed(project: Project, **used: str) -> Project:
    """The project once its cluster has the newest revision, with what is in use of its quota."""
    bundle = Bundle.objects.get(pk=project.bundle_id)
    Bundle.objects.filter(pk=bundle.pk).update(observed_generation=bundle.generation)
    names = {"api_version": "v1", "kind": "ResourceQuota", "namespace": project.namespace, "name": "portal-quota"}
    usage = {"used": {name.replace("_", "."): text for name, text in used.items()}}
    kept = {"revision": 1, "had": True, "state": "ready", "usage": usage if used else {}}
    bundle.objects_kept.update_or_create(**names, defaults=kept)
    return Project.objects.get(pk=project.pk)


def ask(project: Project, by: User | None = None, **figures: object) -> Request:
    values = {"project": str(project.uid), **FIGURES, **figures}
    return submit(kind="change-quota", values=values, by=by or a_user("dev"), at=now())


def approve(request: Request, *groups: str) -> Request:
    for group in groups or ("platform",):
        said = {"number": request.number, "verdict": "approve", "note": "", "at": now()}
        digest = queries.newest_plan(request).digest
        request = decide(**said, plan_digest=digest, by=a_user(group, f"approver:{group}"))
    return request


def now():
    return timezone.now()


def promised(resource: str) -> tuple[int, int]:
    """(settled, held) of the tenant."""
    one = ledger.pools_of_tenant(a_tenant("claims"))[resource]
    return one.settled, one.held


def test_render__a_whole_request__state_and_manifests_as_golden(dev, gitops_cluster):
    Cluster.objects.update(user_format="oidc:{username}", monitoring_labels={"kubernetes.io/metadata.name": "mon"})
    project = a_project("test", name="imaging")
    request = ask(project, cpu="2500m", memory="3Gi", storage="0", pods=7)
    (piece,) = KIND.pieces(request)
    assert (piece.owner, piece.namespace) == (f"project:{project.uid}", "claims-imaging-test")
    text = json.dumps({"state": piece.state, "manifests": KIND.render(piece.state)})
    assert json.loads(text.replace(str(project.uid), "uid-of-the-project")) == json.loads(GOLDEN.read_text())


def test_approve__more_of_one_and_less_of_another__row_revision_ledger_and_event(dev, gitops_cluster):
    project = a_project("test")
    request = ask(project, cpu="4", memory="2Gi", size="")
    assert (promised("cpu"), promised("memory")) == ((2000, 2000), (4 * GI, 0))
    assert approve(request).state == "approved"
    project.refresh_from_db()
    assert (project.cpu_millicores, project.memory_bytes, project.size) == (4000, 2 * GI, "")
    revision = Bundle.objects.get(pk=project.bundle_id).revisions.first()
    assert (revision.number, revision.state["quota"]["cpu"]) == (2, 4000)
    # Less counts once the cluster has it, more from the beginning.
    assert (promised("cpu"), promised("memory")) == ((2000, 2000), (4 * GI, 0))
    agreed(project)
    assert (promised("cpu"), promised("memory")) == ((4000, 0), (2 * GI, 0))
    event = Event.objects.get(action="project.change-quota")
    assert (event.before["cpu"], event.after["cpu"], event.actor) == (2000, 4000, "platform")


def test_approve__size_by_name__its_figures_and_its_name(dev, gitops_cluster):
    project = a_project("test")
    approve(ask(project, size="m", cpu="1"))
    project.refresh_from_db()
    assert (project.size, project.cpu_millicores, project.pods) == ("m", 4000, 40)


@pytest.mark.parametrize(
    ("environment", "figures", "state", "groups"),
    [
        ("prod", {"cpu": "1"}, "approved", []),
        ("dev", {"cpu": "6", "memory": "12Gi"}, "approved", []),
        ("dev", {"cpu": "6001m"}, "submitted", ["platform"]),
        ("test", {"cpu": "3", "memory": "1Gi"}, "submitted", ["platform"]),
        ("prod", {"pods": 21}, "submitted", ["datacenter"]),
    ],
)
def test_submit__seeded_policies__who_decides(dev, gitops_cluster, environment, figures, state, groups):
    request = ask(a_project(environment), **figures)
    assert request.state == state
    assert [step.group.slug for step in request.steps.all()] == groups


@pytest.mark.parametrize("end", ["withdraw", "reject"])
def test_close__without_approval__nothing_is_held_any_more(dev, gitops_cluster, end):
    request = ask(a_project("test"), cpu="4")
    assert promised("cpu") == (2000, 2000)
    if end == "withdraw":
        withdraw(number=request.number, by=dev, at=now())
    else:
        platform = a_user("platform", "approver:platform")
        decide(number=request.number, verdict="reject", note="No", plan_digest="", by=platform, at=now())
    assert promised("cpu") == (2000, 0)
    assert not Claim.objects.filter(request=request).exists()


def test_submit__more_than_the_budget_has_left__refused_and_nothing_held(dev, gitops_cluster):
    project = a_project("test")
    ledger.set_budget(tenant=project.tenant, amounts={"cpu": 3000}, by=None, at=now())
    with pytest.raises(ledger.NotEnough) as refused:
        ask(project, cpu="3001m")
    assert refused.value.context["shortages"][0]["left"] == 1000
    assert promised("cpu") == (2000, 0)
    assert ask(project, cpu="3").state == "submitted"


USED = {"limits_cpu": "1500m", "requests_cpu": "1", "limits_memory": "2Gi", "requests_storage": "10Gi", "pods": "8"}


def test_submit__below_use__each_field_is_told(down):
    project = agreed(a_project("test"), **USED)
    with pytest.raises(Invalid) as refused:
        ask(project, cpu="1499m", memory="2047Mi", storage="10737418239", pods=7)
    assert refused.value.fields == {
        "/cpu": "CPU: 1500m are in use.",
        "/memory": "Memory: 2Gi are in use.",
        "/storage": "Storage: 10Gi are in use.",
        "/pods": "Pods: 8 are in use.",
    }
    assert not Request.objects.filter(kind="change-quota").exists()


def test_submit__as_much_as_is_in_use__taken(down):
    project = agreed(a_project("test"), **USED)
    assert ask(project, cpu="1500m", memory="2Gi", storage="10Gi", pods=8).state == "approved"


def test_submit__more_in_use_than_there_is_already__only_what_is_lowered_counts(down):
    project = agreed(a_project("test"), limits_cpu="3", pods="25", limits_memory="1Gi")
    assert ask(project, memory="2Gi").state == "approved"


def test_submit__fewer_pods_than_their_share_of_the_disk__told_at_the_pods(down):
    project = agreed(a_project("test"), pods="5", **{"limits_ephemeral-storage": "12Gi"})
    with pytest.raises(Invalid) as refused:
        ask(project, pods=11)
    assert "12Gi of the nodes' disks" in refused.value.fields["/pods"]
    assert ask(project, pods=12).state == "approved"


def test_decide__use_grew_meanwhile__refused_and_open_until_it_falls(down):
    project = agreed(a_project("test"), limits_cpu="500m")
    request = ask(project, cpu="1", memory="8Gi")
    agreed(project, limits_cpu="1200m")
    with pytest.raises(BelowUse) as refused:
        approve(request)
    assert "CPU: 1200m are in use" in refused.value.sentence
    assert list(refused.value.context["excesses"]) == ["cpu"]
    request.refresh_from_db()
    assert request.state == "submitted"
    agreed(project, limits_cpu="1")
    assert approve(request).state == "approved"


def test_edit__below_use__told_at_the_field_as_when_asking(down):
    project = agreed(a_project("test"), limits_cpu="1200m")
    request = ask(project, memory="8Gi")
    values = request.values | {"cpu": "1"}
    with pytest.raises(Invalid) as refused:
        edit(number=request.number, values=values, by=a_user("dev"), at=now())
    assert list(refused.value.fields) == ["/cpu"]


def test_submit__nothing_changes__said(dev, gitops_cluster):
    with pytest.raises(Invalid) as refused:
        ask(a_project("test"), cpu="2000m", memory="4096Mi")
    assert "Nothing would change" in refused.value.sentence


@pytest.mark.parametrize("who", ["guest", "stranger", "auditor", "platform", "admin"])
def test_submit__wrong_role__refused(dev, gitops_cluster, who):
    project = a_project("test")
    roles = {"auditor": ["auditor"], "platform": ["approver:platform"], "admin": ["administrator"]}
    with pytest.raises((Forbidden, Invalid)):
        ask(project, a_user(who, *roles.get(who, [])), cpu="4")
    assert not Request.objects.filter(kind="change-quota").exists()


def test_submit__project_of_another_tenant__as_if_there_were_none(dev, gitops_cluster):
    project = a_project("test")
    with pytest.raises(Invalid) as there:
        ask(project, a_user("stranger"), cpu="4")
    project.uid = "11111111-2222-3333-4444-555555555555"
    with pytest.raises(Invalid) as nowhere:
        ask(project, a_user("stranger"), cpu="4")
    assert there.value.fields == nowhere.value.fields and list(there.value.fields) == ["/project"]


def test_submit__quota_that_the_portal_does_not_keep__refused(dev, gitops_cluster):
    project = a_project("test")
    Project.objects.update(parts=["limits", "members", "network"])
    with pytest.raises(Invalid) as refused:
        ask(project, cpu="4")
    assert "does not keep" in refused.value.fields["/project"]


def a_deletion(project: Project) -> None:
    request = Request.objects.get(uid=project.uid)
    Deletion.objects.create(project=project, request=request, due_from=now(), due_at=now())


def test_submit__project_that_is_to_be_deleted__refused(dev, gitops_cluster):
    project = a_project("test")
    a_deletion(project)
    with pytest.raises(Invalid) as refused:
        ask(project, cpu="4")
    assert list(refused.value.fields) == ["/project"]


def test_decide__project_that_is_to_be_deleted_by_now__refused(dev, gitops_cluster):
    project = a_project("test")
    request = ask(project, cpu="4")
    a_deletion(project)
    with pytest.raises(Conflict):
        approve(request)


def test_decide__asker_has_left_the_tenant__refused(dev, gitops_cluster):
    request = ask(a_project("test"), cpu="4")
    Membership.objects.filter(subject="user:dev").delete()
    with pytest.raises(Conflict):
        approve(request)


def test_submit__second_request_for_the_project__busy(dev, gitops_cluster):
    project = a_project("test")
    ask(project, cpu="4")
    with pytest.raises(TargetBusy):
        ask(project, a_user("owner"), cpu="3")


def test_facts_of_policies__what_is_known__integers(down):
    project = agreed(a_project("test"), limits_cpu="1500m", requests_cpu="2500m", limits_memory="512m", pods="x")
    ledger.set_budget(tenant=project.tenant, amounts={"cpu": 10_000}, by=None, at=now())
    facts = ask(project, cpu="3").facts
    assert {name: facts[name] for name in ("requested.cpu", "current.cpu", "delta.cpu", "left.cpu", "used.cpu")} == {
        "requested.cpu": 3000,
        "current.cpu": 2000,
        "delta.cpu": 1000,
        "left.cpu": 7000,
        "used.cpu": 2500,
    }
    assert facts["used.memory"] == 1
    assert "used.pods" not in facts and facts["left.pods"] == NO_LIMIT
    assert (facts["isolation"], facts["asker.is_tenant_owner"]) == ("shared", False)


def test_bars__open_request__used_now_asked_budget_and_cluster_side_by_side(down):
    project = agreed(a_project("test"), **USED)
    ledger.set_budget(tenant=project.tenant, amounts={"cpu": 10_000}, by=None, at=now())
    request = ask(project, cpu="4")
    own, budget, cluster = KIND.bars(request, queries.newest_plan(request))
    cpu = own["bars"][0]
    assert (float(cpu["used"]), cpu["limit_before"], cpu["limit"]) == (1.5, 2, 4)
    assert "as it was last seen" in own["note"]
    assert [(bar["name"], bar["used"], bar["ask"], bar["limit"]) for bar in budget["bars"]] == [("CPU", 2, 2, 10)]
    assert (cluster["bars"], cluster["note"]) == ([], "The capacity of this cluster is not known.")
    withdraw(number=request.number, by=a_user("dev"), at=now())
    request.refresh_from_db()
    own, budget, _cluster = KIND.bars(request, queries.newest_plan(request))
    assert (own["bars"][0]["limit_before"], budget["bars"][0]["ask"]) == (2, 0)


def test_bars__after_the_approval__still_before_and_after(dev, gitops_cluster):
    request = approve(ask(a_project("test"), cpu="4"))
    cpu = KIND.bars(request, queries.newest_plan(request))[0]["bars"][0]
    assert (cpu["limit_before"], cpu["limit"], cpu["known"]) == (2, 4, False)
    assert ("CPU", "2 → 4") in KIND.facts(request)


@pytest.mark.parametrize(("figures", "is_said"), [({"cpu": "1", "memory": "8Gi"}, True), ({"cpu": "4"}, False)])
def test_risks__use_that_nobody_knows__said_where_something_is_lowered(dev, gitops_cluster, figures, is_said):
    request = ask(a_project("test"), **figures)
    said = [text for text in risks_of(KIND, request, queries.newest_plan(request)) if "not known" in text]
    assert bool(said) is is_said


def test_risks__production_and_nearly_used_up__said(down):
    project = agreed(a_project("prod"), limits_cpu="1900m")
    request = ask(project, pods=21)
    risks = risks_of(KIND, request, queries.newest_plan(request))
    assert risks[0] == "This is production."
    assert "This project would be nearly used up: CPU." in risks


def test_form__of_a_project__filled_in_with_what_it_has(dev, gitops_cluster):
    project = a_project("test", size="s")
    values = {"project": str(project.uid), "size": "", "cpu": "", "reason": "r"}
    assert KIND.prefilled(values, dev) == values | {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    assert KIND.prefilled(values | {"cpu": "9"}, dev)["cpu"] == "9"
    assert KIND.prefilled(values, a_user("stranger")) == values
    assert [row["value"] for row in KIND.options(dev, values)["project"]] == [str(project.uid)]
    assert KIND.options(a_user("stranger"), values)["project"] == []


@pytest.mark.parametrize("uid", ["", "x", "\0", None, 7, ["a"], "11111111-2222-3333-4444-555555555555"])
def test_form__hostile_project__nothing_filled_in(dev, gitops_cluster, uid):
    assert KIND.prefilled({"project": uid}, dev) == {"project": uid}
    assert KIND.known_facts({"project": uid}, dev) == [("", {})]


def test_foresee__untouched_form__who_would_decide(dev, gitops_cluster):
    project = a_project("prod")
    (found,) = foresee(kind=kind_of("change-quota"), values={"project": str(project.uid)}, by=dev, at=now())
    assert found.facts["environment"] == "prod"


def test_check_seen__plan_that_cannot_be_read__nothing_refused(dev, gitops_cluster):
    request = ask(a_project("test"), cpu="4")
    ref = {"kind": "ResourceQuota", "namespace": "n", "name": "q", "api_version": "v1"}
    fields = [["spec.hard.limits.cpu", "a few", "1"], ["spec.hard.pods", None, "1"], ["metadata.labels.x", "9", "1"]]
    change = {"ref": ref, "action": "change", "fields": fields}
    plan = Plan(changes=[change], usage={"limits.cpu": "9", "pods": "9"})
    assert KIND.check_seen(request, plan) is None


HOSTILE = [*NO_QUANTITIES, "9" * 24, "", " 2", "½"]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("field", ["cpu", "memory", "storage"])
def test_submit__hostile_quantity__refused_at_its_field(dev, gitops_cluster, field, text):
    project = a_project("test")
    with pytest.raises(Invalid) as refused:
        ask(project, **{field: text})
    assert list(refused.value.fields) == [f"/{field}"]
    assert not Request.objects.filter(kind="change-quota").exists()


@pytest.mark.parametrize("pods", [0, -1, 1001, 1.5, "5", True, None, 10**30])
def test_submit__hostile_number_of_pods__refused_at_its_field(dev, gitops_cluster, pods):
    project = a_project("test")
    with pytest.raises(Invalid) as refused:
        ask(project, pods=pods)
    assert list(refused.value.fields) == ["/pods"]


def hard(kubectl, namespace: str) -> dict[str, str]:
    return json.loads(kubectl("get", "quota", "portal-quota", f"-n={namespace}", "-o", "json"))["spec"]["hard"]


def used(kubectl, namespace: str) -> dict[str, str]:
    live = json.loads(kubectl("get", "quota", "portal-quota", f"-n={namespace}", "-o", "json"))
    return live.get("status", {}).get("used", {})


def claim_storage(kubectl, namespace: str, name: str, size: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    meta = {"name": name, "namespace": namespace}
    made = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    kubectl("create", "-f", "-", stdin=json.dumps(made))


def driven(project: Project) -> Bundle:
    """Its bundle once a worker has made the cluster agree."""

    def settled() -> bool:
        drive("clusters.Bundle", project.bundle_id)
        bundle = Bundle.objects.get(pk=project.bundle_id)
        return bundle.observed_generation == bundle.generation or bundle.blocked

    eventually(settled, 60, "the bundle is driven to its end")
    return Bundle.objects.get(pk=project.bundle_id)


@pytest.fixture
def live(dev, real_cluster, kubectl, unique) -> Project:
    """A project on a real API server in which 3Gi of storage are in use."""
    made = submit(kind="new-project", values=wish(environment="dev", name=unique("q")), by=a_user("dev"), at=now())
    project = Project.objects.get(uid=made.uid)
    driven(project)
    claim_storage(kubectl, project.namespace, "data", "3Gi")
    eventually(lambda: used(kubectl, project.namespace).get("requests.storage") == "3Gi", 60, "the claim is counted")
    Project.objects.filter(pk=project.pk).update(environment="test")
    return Project.objects.get(pk=project.pk)


@pytest.mark.django_db(transaction=True)
def test_api_server__raise_and_lower__live_quota_and_ledger_agree(live, kubectl):
    decided_by("platform")
    approve(ask(live, cpu="3", storage="3Gi"))
    assert not driven(live).blocked
    quota = hard(kubectl, live.namespace)
    assert (quota["limits.cpu"], quota["requests.cpu"], quota["requests.storage"]) == ("3", "3", "3Gi")
    assert (promised("cpu"), promised("storage")) == ((3000, 0), (3 * GI, 0))


@pytest.mark.django_db(transaction=True)
def test_api_server__below_what_is_in_use__refused_at_asking_without_any_sample(live):
    with pytest.raises(Invalid) as refused:
        ask(live, storage="3071Mi")
    assert refused.value.fields == {"/storage": "Storage: 3Gi are in use."}


@pytest.mark.django_db(transaction=True)
def test_api_server__used_more_until_it_is_decided__approver_is_told_and_nothing_changes(live, kubectl):
    request = ask(live, cpu="3", storage="4Gi")
    claim_storage(kubectl, live.namespace, "more", "2Gi")
    eventually(lambda: used(kubectl, live.namespace).get("requests.storage") == "5Gi", 60, "the claim is counted")
    with pytest.raises(BelowUse, match="Storage: 5Gi are in use"):
        approve(request)
    assert hard(kubectl, live.namespace)["requests.storage"] == "20Gi"
    assert promised("cpu") == (2000, 1000)


@pytest.mark.django_db(transaction=True)
def test_api_server__used_more_after_the_decision__bundle_stops_and_says_so(live, kubectl):
    approve(ask(live, cpu="3", storage="4Gi"))
    claim_storage(kubectl, live.namespace, "more", "2Gi")
    eventually(lambda: used(kubectl, live.namespace).get("requests.storage") == "5Gi", 60, "the claim is counted")
    bundle = driven(live)
    assert bundle.blocked and "5Gi of requests.storage are in use" in shown(bundle.message)
    assert hard(kubectl, live.namespace)["requests.storage"] == "20Gi"
    # What the cluster still has still counts.
    assert promised("storage") == (20 * GI, 0)


@pytest.mark.django_db(transaction=True)
def test_api_server__raised_with_kubectl_meanwhile__approver_decides_on_the_new_plan(live, kubectl):
    from workflow.services import PlanChanged

    request = ask(live, cpu="4")
    kubectl("patch", "quota", "portal-quota", f"-n={live.namespace}", '--patch={"spec": {"hard": {"limits.cpu": "9"}}}')
    with pytest.raises(PlanChanged) as changed:
        approve(request)
    fields = [field for change in changed.value.plan.changes for field in change["fields"]]
    assert ["spec.hard.limits.cpu", "9", "4"] in fields
    approve(request)
    assert not driven(live).blocked
    assert hard(kubectl, live.namespace)["limits.cpu"] == "4"


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))
