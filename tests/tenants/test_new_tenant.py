"""The kind "new tenant": who may ask, what is refused, what an approval makes."""

import json
import threading
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from tenants import ledger
from tenants.kinds.new_tenant import NewTenant
from tenants.models import Tenant, TenantBudget
from tests.builders import a_tenant, a_user, ready_portal
from web.errors import Conflict, Forbidden, Invalid
from workflow import queries
from workflow.models import Policy, Request
from workflow.services import decide, edit, submit, withdraw
from workflow.services.planning import look
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "new_tenant.json"
KIND = NewTenant()
TEAM = "cn=claims-team,ou=groups,dc=insurer,dc=example"


@pytest.fixture
def people(directory) -> dict[str, User]:
    ready_portal()
    names: dict[str, tuple[str, ...]] = {"dev": (), "auditor": ("auditor",), "platform": ("approver:platform",)}
    return {name: a_user(name, *roles) for name, roles in names.items()}


def values(**changes: object) -> dict[str, object]:
    return {"code": "health", "name_zh": "健康险", "name_en": "Health insurance"} | changes


def ask(by: User, **changes: object) -> Request:
    return submit(kind="new-tenant", values=values(**changes), by=by, at=timezone.now())


def approve(request: Request, by: User) -> Request:
    digest = queries.newest_plan(request).digest
    return decide(number=request.number, verdict="approve", note="", plan_digest=digest, by=by, at=timezone.now())


def test_plan__a_whole_request__as_golden(people):
    who = {
        "owners": ["OWNER"],
        "developers": ["owner", "architect"],
        "viewers": ["dev"],
        "viewer_groups": [TEAM.upper()],
    }
    request = ask(people["dev"], **who, cpu="64", memory="256Gi", pods=500)
    seen = {"values": request.values, "facts": request.facts, "changes": queries.newest_plan(request).changes}
    assert seen == json.loads(GOLDEN.read_text())


def test_decide__approved__tenant_members_budget_and_event(people):
    request = approve(ask(people["dev"], owner_groups=[TEAM], cpu="64", pods=0), people["platform"])
    tenant = Tenant.objects.get(code="health")
    assert (request.state, tenant.name_zh, tenant.name_en) == ("approved", "健康险", "Health insurance")
    members = dict(tenant.memberships.values_list("subject", "role"))
    assert members == {"user:dev": "owner", f"group:{TEAM}": "owner"}
    assert ledger.budget_of(tenant) == {"cpu": 64_000, "memory": None, "storage": None, "pods": 0}
    actions = set(Event.objects.filter(subject="tenant:health").values_list("action", "actor"))
    assert actions == {("tenant.create", "platform"), ("tenant.set-budget", "platform")}


def test_submit__by_an_approving_policy__made_at_once(people):
    Policy.objects.create(slug="all", name_zh="a", name_en="a", kind="new-tenant", priority=5)
    assert ask(people["dev"]).state == "approved"
    assert Tenant.objects.filter(code="health").exists()


def test_submit__service_account__refused(people):
    with pytest.raises(Forbidden):
        ask(a_user("robot", owner=people["dev"]))
    assert not Request.objects.exists()


@pytest.mark.parametrize("who", ["dev", "platform"])
def test_submit__any_person__may_ask(people, who):
    assert ask(people[who]).state == "submitted"


def test_submit__who_only_reads_everything__refused_and_not_offered_it(people):
    assert not KIND.may_ask(people["auditor"])
    with pytest.raises(Forbidden, match="may not ask"):
        ask(people["auditor"])
    assert not Request.objects.exists()


def test_may_ask__auditor_who_decides_or_works_in_a_tenant__may(people):
    assert KIND.may_ask(a_user("both", "auditor", "approver:platform"))
    a_tenant("claims", auditor="viewer")
    assert not KIND.may_ask(people["auditor"])
    a_tenant("motor", auditor="developer")
    assert KIND.may_ask(people["auditor"])


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"code": "a"}, "/code", "small letters"),
        ({"code": "Health"}, "/code", "small letters"),
        ({"code": "a-b"}, "/code", "small letters"),
        ({"code": "abcdefghijklm"}, "/code", "At most 12"),
        ({"code": "ab\n"}, "/code", "cannot be shown"),
        ({"code": "保险"}, "/code", "small letters"),
        ({"code": "kube"}, "/code", "reserved"),
        ({"code": "default"}, "/code", "reserved"),
        ({"code": "claims"}, "/code", "already"),
        ({"name_zh": " "}, "/name_zh", "needed"),
        ({"name_en": "a\u202eb"}, "/name_en", "cannot be shown"),
        ({"owners": ["nobody-at-all"]}, "/owners/0", "not in the directory"),
        ({"owners": ["a b"]}, "/owners/0", "letters, digits"),
        ({"developers": "dev"}, "/developers", "wrong type"),
        ({"viewer_groups": ["cn=nothing,ou=groups,dc=insurer,dc=example"]}, "/viewer_groups/0", "not in the directory"),
        ({"viewer_groups": ["no dn"]}, "/viewer_groups/0", "not in the directory"),
        ({"viewer_groups": [TEAM, "cn=x\0"]}, "/viewer_groups/1", "cannot be shown"),
        ({"cpu": "1e9999"}, "/cpu", "not a quantity"),
        ({"cpu": "-1"}, "/cpu", "not a quantity"),
        ({"memory": "NaN"}, "/memory", "not a quantity"),
        ({"storage": "1_000"}, "/storage", "not a quantity"),
        ({"storage": "8Ei"}, "/storage", "too large"),
        ({"memory": "١Gi"}, "/memory", "not a quantity"),
        ({"cpu": "2000000"}, "/cpu", "more than all clusters"),
        ({"pods": "five"}, "/pods", "wrong type"),
        ({"pods": -1}, "/pods", "At least 0"),
        ({"reason": "x" * 1001}, "/reason", "At most 1000"),
        ({"planet": "moon"}, "/planet", "no such field"),
    ],
)
def test_submit__hostile_or_impossible__said_at_the_field(people, changes, pointer, said):
    a_tenant("claims")
    with pytest.raises(Invalid) as refused:
        ask(people["dev"], **changes)
    assert said in refused.value.fields[pointer], refused.value.fields
    assert not Request.objects.exists()


def test_submit__open_request_for_the_code__busy_until_it_is_withdrawn(people):
    request = ask(people["dev"])
    with pytest.raises(TargetBusy):
        ask(people["platform"])
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    assert ask(people["platform"]).state == "submitted"


def test_decide__code_taken_meanwhile__refused_in_words(people):
    request = ask(people["dev"])
    a_tenant("health")
    with pytest.raises(Conflict) as refused:
        approve(request, people["platform"])
    assert "already" in refused.value.sentence
    assert not TenantBudget.objects.exists()


def test_decide__twice__one_tenant(people):
    request = ask(people["dev"])
    approve(request, people["platform"])
    with pytest.raises(Conflict):
        approve(request, a_user("second", "approver:platform"))
    assert Tenant.objects.count() == 1


def test_edit__other_members__another_plan(people):
    request = ask(people["dev"])
    before = queries.newest_plan(request).digest
    edit(number=request.number, values=values(developers=["architect"]), by=people["dev"], at=timezone.now())
    request.refresh_from_db()
    assert look(request, timezone.now()).digest == queries.newest_plan(request).digest != before


def test_facts_and_risks__no_budget__said(people):
    request = ask(people["dev"], cpu="4")
    rows = dict(KIND.facts(request))
    assert (rows["CPU"], rows["Memory"], rows["Owners"]) == ("4", "no limit", "dev")
    assert risks_of(KIND, request, queries.newest_plan(request)) == [
        "Nothing limits how much this tenant may be promised of: Memory, Storage, Pods."
    ]


@pytest.mark.django_db(transaction=True)
def test_submit__the_same_code_twice_at_once__one_tenant(people):
    Policy.objects.create(slug="all", name_zh="a", name_en="a", kind="new-tenant", priority=5)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def run() -> None:
        start.wait()
        try:
            outcomes.append(ask(people["dev"]).state)
        except (Conflict, Invalid):
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved", "refused"]
    assert Tenant.objects.count() == 1


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))
