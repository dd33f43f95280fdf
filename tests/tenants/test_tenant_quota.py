"""The kind "tenant quota": what a tenant may be promised, never less than it was."""

import json
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from clusters.models import Capacity, Cluster
from tenants import ledger
from tenants.kinds.tenant_quota import TenantQuota
from tenants.models import Membership
from tests.builders import a_tenant, a_user, ready_portal, wish
from tests.portal.problems import NO_QUANTITIES
from web.errors import Conflict, Forbidden, Invalid
from workflow import queries
from workflow.facts import NO_LIMIT
from workflow.models import Request
from workflow.services import decide, submit
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "tenant_quota.json"
KIND = TenantQuota()
GI = 1024**3


@pytest.fixture
def owner(gitops_cluster) -> User:
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger="owner")
    return a_user("owner")


def now():
    return timezone.now()


def ask(by: User, **limits: object) -> Request:
    return submit(kind="tenant-quota", values={"tenant": "claims", **limits}, by=by, at=now())


def approve(request: Request) -> Request:
    digest = queries.newest_plan(request).digest
    by = a_user("datacenter", "approver:datacenter")
    return decide(number=request.number, verdict="approve", note="", plan_digest=digest, by=by, at=now())


def a_project(**changes: object) -> Request:
    """Promises 2 cores, 4Gi, 20Gi and 20 pods to the tenant claims."""
    return submit(kind="new-project", values=wish(environment="dev", **changes), by=a_user("dev"), at=now())


def budget() -> dict[str, int | None]:
    return ledger.budget_of(a_tenant("claims"))


def test_alterations__a_whole_request__plan_as_golden(owner):
    ledger.set_budget(tenant=a_tenant("claims"), amounts={"cpu": 8000, "pods": 50}, by=None, at=now())
    request = ask(owner, cpu="1.5", memory="96Gi", storage="0")
    plan = queries.newest_plan(request)
    assert plan.base_revisions == {} and plan.changes == json.loads(GOLDEN.read_text())


def test_approve__limits_and_none__budget_and_event(owner):
    request = approve(ask(owner, cpu="64", memory="", pods=200, reason="More teams"))
    assert request.state == "approved"
    assert budget() == {"cpu": 64_000, "memory": None, "storage": None, "pods": 200}
    assert Event.objects.get(action="tenant.set-budget").actor == "datacenter"
    assert [step.group.slug for step in request.steps.all()] == ["datacenter"]
    approve(ask(owner, memory="1Ti"))
    assert budget() == {"cpu": None, "memory": 1024 * GI, "storage": None, "pods": None}


def test_approve__again_the_same__nothing_would_change(owner):
    approve(ask(owner, cpu="64"))
    with pytest.raises(Invalid, match="Nothing would change"):
        ask(owner, cpu="64000m")


def test_submit__below_what_is_promised__each_field_is_told(owner):
    a_project()
    with pytest.raises(Invalid) as refused:
        ask(owner, cpu="1999m", memory="4Gi", storage="19Gi", pods=0)
    assert refused.value.fields == {
        "/cpu": "2 is promised already.",
        "/storage": "20Gi is promised already.",
        "/pods": "20 is promised already.",
    }
    assert ask(owner, cpu="2", memory="4Gi", storage="20Gi", pods=20).state == "submitted"


def test_decide__promised_more_meanwhile__refused_and_open(owner):
    request = ask(owner, cpu="3")
    a_project(cpu="2")
    a_project(cpu="2")
    with pytest.raises(ledger.BelowPromised):
        approve(request)
    request.refresh_from_db()
    assert request.state == "submitted" and budget()["cpu"] is None


def test_decide__budget_changed_meanwhile__on_the_new_plan(owner):
    request = ask(owner, cpu="64")
    ledger.set_budget(tenant=a_tenant("claims"), amounts={"cpu": 32_000}, by=None, at=now())
    with pytest.raises(Conflict, match="Something changed"):
        approve(request)
    assert queries.newest_plan(request).changes[0]["fields"] == [["cpu", "32", "64"]]
    assert approve(request).state == "approved"


@pytest.mark.parametrize("who", ["dev", "guest", "stranger", "auditor", "datacenter"])
def test_submit__wrong_role__refused(owner, who):
    roles = {"auditor": ["auditor"], "datacenter": ["approver:datacenter"]}
    with pytest.raises((Forbidden, Invalid)):
        ask(a_user(who, *roles.get(who, [])), cpu="64")
    assert not Request.objects.exists()


def test_submit__administrator_of_no_tenant__may_ask_for_any(owner):
    assert ask(a_user("admin", "administrator"), cpu="64").state == "submitted"


def test_submit__second_request_for_the_budget__busy(owner):
    ask(owner, cpu="64")
    with pytest.raises(TargetBusy):
        ask(a_user("admin", "administrator"), cpu="65")


def test_decide__asker_is_no_owner_any_more__refused(owner):
    request = ask(owner, cpu="64")
    Membership.objects.filter(subject="user:owner").update(role="developer")
    with pytest.raises(Conflict, match="may no longer ask"):
        approve(request)


@pytest.mark.parametrize("code", ["", "nobody", "motor", "../x", "\0", "CLAIMS", 7, None])
def test_submit__tenant_that_is_not_the_askers__refused_at_its_field(owner, code):
    with pytest.raises((Invalid, Forbidden)) as refused:
        submit(kind="tenant-quota", values={"tenant": code, "cpu": "64"}, by=owner, at=now())
    assert list(refused.value.fields) == ["/tenant"]


HOSTILE = [*NO_QUANTITIES, "9" * 24, "0.0001", "2 "]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("field", ["cpu", "memory", "storage"])
def test_submit__hostile_quantity__refused_at_its_field(owner, field, text):
    with pytest.raises(Invalid) as refused:
        ask(owner, **{field: text})
    assert list(refused.value.fields) == [f"/{field}"]


@pytest.mark.parametrize("pods", [-1, 1_000_001, 1.5, "5", True, 10**30])
def test_submit__hostile_number_of_pods__refused_at_its_field(owner, pods):
    with pytest.raises(Invalid) as refused:
        ask(owner, pods=pods)
    assert list(refused.value.fields) == ["/pods"]


def test_facts_of_policies__limits__integers_and_the_largest_where_there_is_none(owner):
    a_project()
    approve(ask(owner, cpu="8", memory="8Gi"))
    facts = ask(owner, cpu="10", pods=30).facts
    assert {name: facts[name] for name in facts if name.partition(".")[2] in ("cpu", "memory", "pods", "storage")} == {
        "requested.cpu": 10_000,
        "current.cpu": 8000,
        "delta.cpu": 2000,
        "left.cpu": 8000,
        # No limit is the largest number there is: a policy on large amounts is about it too.
        "requested.memory": NO_LIMIT,
        "current.memory": 8 * GI,
        "delta.memory": NO_LIMIT - 8 * GI,
        "left.memory": NO_LIMIT,
        "requested.pods": 30,
        "current.pods": NO_LIMIT,
        "delta.pods": 30 - NO_LIMIT,
        "left.pods": 10,
        "requested.storage": NO_LIMIT,
        "current.storage": NO_LIMIT,
        "delta.storage": 0,
        "left.storage": NO_LIMIT,
    }
    assert facts["asker.is_tenant_owner"] is True


def test_bars__before_and_after__promised_of_both(owner):
    a_project()
    approve(ask(owner, cpu="8", memory="8Gi"))
    request = ask(owner, cpu="4")
    (group,) = KIND.bars(request, queries.newest_plan(request))
    (cpu,) = group["bars"]
    assert (cpu["used"] + cpu["held"], cpu["limit_before"], cpu["limit"]) == (2, 8, 4)
    assert "Memory: no limit, 4Gi promised." in group["note"]
    facts = dict(KIND.facts(request))
    assert (facts["CPU"], facts["Memory"], facts["Pods"]) == ("8 → 4", "8Gi → no limit", "no limit")


def risks(request: Request) -> list[str]:
    return risks_of(KIND, request, queries.newest_plan(request))


def test_risks__more_budget_than_capacity__said_with_the_factor(owner, gitops_cluster):
    Capacity.objects.create(cluster=gitops_cluster, source="stated", cpu_millicores=10_000, cpu_overcommit=2, pods=0)
    ledger.set_budget(tenant=a_tenant("motor"), amounts={"cpu": 10_000, "pods": 5}, by=None, at=now())
    assert risks(ask(owner, cpu="10", memory="9Pi")) == []
    Request.objects.all().delete()
    found = risks(ask(owner, cpu="15", pods=1))
    assert found == [
        "CPU: all budgets together are 25, 1.2 times the clusters' 20.",
        "Pods: budgets come to 6, and no cluster has any.",
    ]


def test_risks__capacity_of_one_cluster_not_known__nothing_said(owner, gitops_cluster):
    Capacity.objects.create(cluster=gitops_cluster, source="stated", cpu_millicores=1)
    Cluster.objects.create(name="other", flavour="kubernetes", driver="gitops", address="/nowhere", environments=[])
    assert risks(ask(owner, cpu="100")) == []


def test_form__of_a_tenant__filled_in_with_its_budget(owner):
    ledger.set_budget(tenant=a_tenant("claims"), amounts={"cpu": 1500, "pods": 50}, by=None, at=now())
    values = {"tenant": "claims", "cpu": "", "memory": ""}
    filled = values | {"cpu": "1500m", "storage": "", "pods": 50}
    assert KIND.prefilled(values, owner) == filled
    assert KIND.prefilled(values, a_user("dev")) == values
    assert [row["value"] for row in KIND.options(owner, values)["tenant"]] == ["claims"]
    assert KIND.options(a_user("dev"), {})["tenant"] == []


def test_preview__below_what_is_promised__said_beside_the_bars(owner):
    a_project()
    seen = KIND.preview({"tenant": "claims", "cpu": "1"}, owner)
    assert [bar["limit"] for bar in seen["bars"][0]["bars"]] == [1]
    assert "2 is promised" in seen["notes"][0]


UNFINISHED = [
    {},
    {"tenant": "motor", "cpu": "1"},
    {"tenant": "claims", "cpu": "x"},
    {"tenant": "claims", "pods": "x"},
    {"tenant": "claims", "pods": -1},
    {"tenant": "\0"},
]


@pytest.mark.parametrize("values", UNFINISHED, ids=ascii)
def test_preview__not_ones_own_or_unreadable__no_bars(owner, values):
    assert KIND.preview(values, owner)["bars"] == []


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))
