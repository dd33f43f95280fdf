"""Changing a policy: a request that another administrator decides, and what cannot be asked for."""

import json
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import ApproverGroup, User
from audit.models import Event
from tests.builders import a_user, ready_portal
from web.errors import Conflict, Forbidden, Invalid
from workflow import queries
from workflow.kinds import kind_of
from workflow.models import Policy, Request
from workflow.permissions import NotYours, OwnRequest
from workflow.services import PlanChanged, decide, edit, submit
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent / "golden" / "change_policy.json"


@pytest.fixture
def people() -> dict[str, User]:
    ready_portal()
    names = {"admin": ("administrator",), "second": ("administrator",), "auditor": ("auditor",), "dev": ()}
    names |= {"platform": ("approver:platform",)}
    return {name: a_user(name, *roles) for name, roles in names.items()}


def change(**changes: object) -> dict[str, object]:
    values = {
        "action": "create",
        "slug": "big",
        "name_zh": "大额配额",
        "name_en": "Much quota",
        "kind": "new-project",
        "condition": 'environment == "test" && requested.cpu > 8000',
        "priority": 120,
        "steps": [{"group": "datacenter", "minimum": 2, "deadline_hours": 48}, {"group": "security"}],
        "reason": "Machines are scarce",
    }
    return values | changes


def ask(by: User, **changes: object) -> Request:
    return submit(kind="change-policy", values=change(**changes), by=by, at=timezone.now())


def approve(request: Request, by: User, digest: str | None = None) -> Request:
    digest = queries.newest_plan(request).digest if digest is None else digest
    return decide(number=request.number, verdict="approve", note="", plan_digest=digest, by=by, at=timezone.now())


def refused(by: User, **changes: object) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        ask(by, **changes)
    assert not Request.objects.exists()
    return error.value.fields


def test_create__second_administrator_approves__policy_and_event(people):
    request = ask(people["admin"])
    assert not Policy.objects.filter(slug="big").exists()
    assert request.policy.slug == "policies" and (request.tenant, request.cluster) == (None, None)
    assert [step.group.slug for step in request.steps.all()] == ["administrators"]
    approve(request, people["second"])
    made = Policy.objects.get(slug="big")
    assert (made.name_en, made.kind, made.priority, made.is_active, made.is_fixed) == (
        "Much quota",
        "new-project",
        120,
        True,
        False,
    )
    assert made.steps == [
        {"group": "datacenter", "minimum": 2, "deadline_hours": 48},
        {"group": "security", "minimum": 1, "deadline_hours": 240},
    ]
    event = Event.objects.get(action="policy.create", subject="policy:big")
    assert (event.actor, event.before, event.after["request"]) == ("second", None, request.number)
    assert event.after["condition"] == made.condition


def test_change__approved__row_is_what_was_asked_for_and_event_has_both(people):
    before = Policy.objects.get(slug="less")
    request = ask(people["admin"], action="change", slug="less", priority=205, steps=[])
    change_ = queries.newest_plan(request).changes[0]
    assert change_["action"] == "change" and change_["alteration"]
    assert ["priority", 200, 205] in change_["fields"] and "kind" in {field[0] for field in change_["fields"]}
    approve(request, people["second"])
    after = Policy.objects.get(slug="less")
    assert (after.pk, after.priority) == (before.pk, 205)
    event = Event.objects.get(action="policy.change", subject="policy:less")
    assert (event.before["priority"], event.after["priority"]) == (200, 205)


def test_retire__approved__no_longer_chosen_and_row_stays(people):
    request = submit(
        kind="change-policy", values={"action": "retire", "slug": "dev"}, by=people["admin"], at=timezone.now()
    )
    assert queries.newest_plan(request).changes[0]["action"] == "remove"
    approve(request, people["second"])
    row = Policy.objects.get(slug="dev")
    assert not row.is_active and row.condition
    assert Event.objects.filter(action="policy.retire", subject="policy:dev", before__priority=100).exists()
    # Its priority is free, and its name can be used again.
    approve(ask(people["admin"], slug="dev", priority=100), people["second"])
    assert Policy.objects.get(slug="dev").is_active


@pytest.mark.parametrize("who", ["dev", "auditor", "platform"])
def test_ask__no_administrator__refused(people, who):
    with pytest.raises(Forbidden):
        ask(people[who])
    with pytest.raises(Forbidden):
        ask(people[who], condition="nope ==")
    assert not Request.objects.exists()


def test_ask__service_account__only_while_its_owner_is_administrator(people):
    robot = a_user("robot", "administrator", owner=people["admin"])
    request = ask(robot)
    with pytest.raises(OwnRequest):
        approve(request, people["admin"])
    orphan = a_user("orphan", "administrator", owner=people["dev"])
    with pytest.raises(Forbidden):
        ask(orphan, slug="other", priority=121)


def test_decide__own_request__refused(people):
    request = ask(people["admin"])
    with pytest.raises(OwnRequest):
        approve(request, people["admin"])
    assert not Policy.objects.filter(slug="big").exists()


@pytest.mark.parametrize("who", ["auditor", "platform"])
def test_decide__no_administrator__refused(people, who):
    request = ask(people["admin"])
    with pytest.raises(NotYours):
        approve(request, people[who])
    assert not Policy.objects.filter(slug="big").exists()


def test_decide__policy_changed_meanwhile__new_plan_first(people):
    request = ask(people["admin"], action="change", slug="less", priority=205)
    seen = queries.newest_plan(request)
    Policy.objects.filter(slug="less").update(condition="delta.cpu <= 1")
    with pytest.raises(PlanChanged) as changed:
        approve(request, people["second"], digest=seen.digest)
    assert changed.value.plan.number == 2
    assert "delta.cpu <= 1" in json.dumps(changed.value.plan.changes)
    assert Policy.objects.get(slug="less").priority == 200
    assert approve(request, people["second"]).state == "approved"
    assert Policy.objects.get(slug="less").priority == 205


def test_decide__priority_taken_meanwhile__told_and_nothing_done(people):
    request = ask(people["admin"])
    Policy.objects.filter(slug="dev").update(priority=120)
    with pytest.raises(Conflict) as told:
        approve(request, people["second"])
    assert "has this priority" in told.value.sentence
    assert not Policy.objects.filter(slug="big").exists()


def test_decide__group_gone_meanwhile__told_and_nothing_done(people):
    request = ask(people["admin"])
    ApproverGroup.objects.filter(slug="security").delete()
    with pytest.raises(Conflict):
        approve(request, people["second"])


def test_decide__asker_no_longer_administrator__not_approved(people):
    request = ask(people["admin"])
    User.objects.filter(pk=people["admin"].pk).update(roles=[])
    with pytest.raises(Conflict):
        approve(request, people["second"])
    assert not Policy.objects.filter(slug="big").exists()


def test_ask__same_policy_or_priority_in_an_open_request__busy(people):
    ask(people["admin"])
    with pytest.raises(TargetBusy):
        ask(people["second"], priority=121)
    with pytest.raises(TargetBusy):
        ask(people["second"], slug="other")
    assert ask(people["second"], slug="other", priority=121).state == "submitted"


def test_ask__same_wish_again__nothing_would_change(people):
    policy = Policy.objects.get(slug="dev")
    definition = {name: getattr(policy, name) for name in ("name_zh", "name_en", "kind", "condition", "priority")}
    with pytest.raises(Invalid) as refused_:
        ask(people["admin"], action="change", slug="dev", **definition, steps=policy.steps)
    assert "Nothing would change" in refused_.value.sentence


@pytest.mark.parametrize("slug", ["policies", "otherwise"])
@pytest.mark.parametrize("action", ["change", "retire", "create"])
def test_ask__fixed_policy__refused(people, action, slug):
    assert "safeguard" in refused(people["admin"], action=action, slug=slug)["/slug"]


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"slug": "dev"}, "/slug", "already"),
        ({"action": "change", "slug": "nowhere"}, "/slug", "no such policy"),
        ({"action": "retire", "slug": "nowhere"}, "/slug", "no such policy"),
        ({"slug": "trial"}, "/slug", "reserved"),
        ({"slug": "Big"}, "/slug", "Small letters"),
        ({"slug": "a/b"}, "/slug", "Small letters"),
        ({"slug": "x" * 41}, "/slug", "At most 40"),
        ({"name_en": " "}, "/name_en", "needed"),
        ({"name_zh": "x" * 81}, "/name_zh", "At most 80"),
        ({"kind": "new-planet"}, "/kind", "no such kind"),
        ({"kind": "change-policy"}, "/kind", "fixed"),
        ({"priority": 100}, "/priority", "has this priority"),
        ({"priority": 0}, "/priority", "At least 1"),
        ({"priority": 10_000}, "/priority", "At most 9999"),
        ({"priority": "1e3"}, "/priority", "wrong type"),
        ({"priority": True}, "/priority", "wrong type"),
        ({"steps": [{"group": "nobody"}]}, "/steps/0/group", "no such approver group"),
        ({"steps": [{"group": "security"}, {"group": "security", "minimum": 0}]}, "/steps/1/minimum", "At least 1"),
        ({"steps": [{"group": "security", "minimum": 6}]}, "/steps/0/minimum", "At most 5"),
        ({"steps": [{"group": "security", "deadline_hours": 2161}]}, "/steps/0/deadline_hours", "At most 2160"),
        ({"steps": [{"group": "security"}] * 6}, "/steps", "At most 5"),
        ({"steps": "security"}, "/steps", "wrong type"),
        ({"steps": [{"minimum": 1}]}, "/steps/0/group", "needed"),
        ({"is_fixed": True}, "/is_fixed", "no such field"),
        ({"condition": "delta.cpu >"}, "/condition", "Line 1, column 12"),
        ({"condition": "true &&\n  delta.cpu > \"8\""}, "/condition", "Line 2, column 13"),
        ({"condition": "nope == 1"}, "/condition", "nope"),
        ({"condition": '["a"].all(x, ["b"].all(y, x == y))'}, "/condition", "no loops"),
        ({"condition": "(" * 500 + "true" + ")" * 500}, "/condition", "nested too deeply"),
        ({"condition": "true || " * 300 + "true"}, "/condition", "At most 2000"),
        ({"condition": "x" * 1_000_000}, "/condition", "At most 2000"),
        ({"condition": "tenant == 'a\0'"}, "/condition", "cannot be shown"),
        ({"condition": "tenant == '\u202e'"}, "/condition", "cannot be shown"),
        ({"condition": 7}, "/condition", "wrong type"),
    ],
)  # fmt: skip
def test_ask__not_a_policy__field_is_named(people, changes, pointer, words):
    assert words in refused(people["admin"], **changes).get(pointer, "")


def test_ask__no_priority__field_is_named(people):
    values = change()
    del values["priority"]
    with pytest.raises(Invalid) as error:
        submit(kind="change-policy", values=values, by=people["admin"], at=timezone.now())
    assert set(error.value.fields) == {"/priority"}


def test_edit__before_it_is_decided__other_values_and_steps_anew(people):
    request = ask(people["admin"])
    values = change(priority=130, steps=[])
    changed = edit(number=request.number, values=values, by=people["admin"], at=timezone.now())
    assert changed.round == 2
    approve(changed, people["second"])
    assert Policy.objects.get(slug="big").priority == 130


def test_risks__nobody_would_decide__said(people):
    request = ask(people["admin"], steps=[])
    kind = kind_of("change-policy")
    assert any("automatically" in risk for risk in risks_of(kind, request, queries.newest_plan(request)))
    facts = dict(kind.facts(request))
    assert facts["Who decides"] == "approved automatically"
    assert "no past requests" in facts["Tried against past requests"] or "none" in facts["Tried against past requests"]


def test_facts__who_decides__in_words(people):
    facts = dict(kind_of("change-policy").facts(ask(people["admin"])))
    assert facts["Who decides"] == "Data centre (2 people), then Security"
    assert facts["Kind of request"] == "New project"


def test_plan__of_each_action__as_written_down(people):
    kind = kind_of("change-policy")
    wishes = {
        "create": change(),
        "change": change(action="change", slug="dev", priority=101, steps=[{"group": "platform"}]),
        "retire": {"action": "retire", "slug": "dev-quota"},
    }
    seen = {}
    for name, values in wishes.items():
        request = submit(kind="change-policy", values=values, by=people["admin"], at=timezone.now())
        plan = queries.newest_plan(request)
        seen[name] = {
            "alterations": [one.__dict__ for one in kind.alterations(request)],
            "changes": plan.changes,
            "keys": sorted(request.open_targets.values_list("key", flat=True)),
        }
        seen[name]["facts"] = {k: v for k, v in kind.facts(request) if k != "Tried against past requests"}
        assert plan.base_revisions == {} and plan.problem is None
    text = json.dumps(seen, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    assert text == GOLDEN.read_text()


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))
