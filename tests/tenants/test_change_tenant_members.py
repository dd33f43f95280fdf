"""The kind "change the members of a tenant": who may ask, what is refused, and that the list becomes what was asked."""

import json
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from tenants.kinds.change_tenant_members import ChangeTenantMembers
from tenants.models import Membership, ProjectMember, Tenant
from tests.builders import a_tenant, a_user, ready_portal, wish
from web.errors import Conflict, Forbidden, Invalid
from workflow import permissions, queries
from workflow.models import Request
from workflow.services import PlanChanged, decide, submit
from workflow.services.possible import NotPossibleNow
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "change_tenant_members.json"
KIND = ChangeTenantMembers()
TEAM = "cn=claims-team,ou=groups,dc=insurer,dc=example"


@pytest.fixture
def people(directory) -> dict[str, User]:
    ready_portal()
    a_tenant("claims", owner="owner", dev="developer", guest="viewer")
    a_tenant("motor", stranger="owner")
    names: dict[str, tuple[str, ...]] = {"owner": (), "dev": (), "guest": (), "stranger": ()}
    names |= {"auditor": ("auditor",), "admin": ("administrator",), "platform": ("approver:platform",)}
    return {name: a_user(name, *roles) for name, roles in names.items()}


def values(**changes: object) -> dict[str, object]:
    """The present list, but for the changes."""
    return {"tenant": "claims", "owners": ["owner"], "developers": ["dev"], "viewers": ["guest"]} | changes


def ask(by: User, **changes: object) -> Request:
    return submit(kind="change-tenant-members", values=values(**changes), by=by, at=timezone.now())


def approve(request: Request, by: User) -> Request:
    digest = queries.newest_plan(request).digest
    return decide(number=request.number, verdict="approve", note="", plan_digest=digest, by=by, at=timezone.now())


def members() -> dict[str, str]:
    return dict(Membership.objects.filter(tenant__code="claims").values_list("subject", "role"))


def test_plan__all_sorts_of_changes__as_golden(people):
    who = {"owners": ["owner", "DEV"], "developers": ["dev", "architect"], "viewers": []}
    request = ask(people["owner"], **who, viewer_groups=[TEAM.replace(",", ", ").upper()], reason="New team")
    seen = {"values": request.values, "facts": request.facts, "changes": queries.newest_plan(request).changes}
    assert seen == json.loads(GOLDEN.read_text())


def test_decide__approved__exactly_this_list(people):
    request = approve(ask(people["owner"], viewers=["architect"], developer_groups=[TEAM]), people["platform"])
    assert request.state == "approved"
    assert members() == {
        "user:owner": "owner",
        "user:dev": "developer",
        "user:architect": "viewer",
        f"group:{TEAM}": "developer",
    }
    event = Event.objects.get(action="tenant.set-members")
    assert (event.actor, event.before["members"]["user:guest"]) == ("platform", "viewer")
    assert list(Tenant.objects.get(code="motor").memberships.values_list("subject", flat=True)) == ["user:stranger"]


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_submit__owner_or_administrator__may_ask(people, who):
    assert ask(people[who], viewers=[]).state == "submitted"


@pytest.mark.parametrize("who", ["dev", "guest", "auditor", "platform"])
def test_submit__who_owns_nothing__refused(people, who):
    with pytest.raises(Forbidden):
        ask(people[who], viewers=[])
    assert not Request.objects.exists()


def test_submit__owner_of_another_tenant__does_not_learn_that_it_exists(people):
    answers = []
    for code in ("claims", "nothing"):
        with pytest.raises(Invalid) as refused:
            ask(people["stranger"], tenant=code, viewers=[])
        answers.append(refused.value.fields)
    assert answers[0] == answers[1] == {"/tenant": "There is no such tenant."}


def test_submit__owner_elsewhere_who_sees_it__refused_at_the_field(people):
    a_tenant("motor", guest="owner")
    with pytest.raises(Invalid) as refused:
        ask(people["guest"], viewers=[])
    assert list(refused.value.fields) == ["/tenant"]


@pytest.mark.parametrize(("owner_is_one", "allowed"), [(True, True), (False, False)])
def test_submit__service_account_of_an_administrator__only_while_both_are(people, owner_is_one, allowed):
    robot = a_user("robot", "administrator", owner=people["admin" if owner_is_one else "dev"])
    if allowed:
        assert ask(robot, viewers=[]).state == "submitted"
        return
    with pytest.raises(Forbidden):
        ask(robot, viewers=[])


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"owners": []}, "/owners", "At least one owner"),
        ({}, "/owners", "members already"),
        ({"owners": ["owner", "nobody-at-all"]}, "/owners/1", "not in the directory"),
        ({"owners": ["owner", "owner"]}, "/owners", "twice"),
        ({"owners": ["owner", "x" * 65]}, "/owners/1", "letters, digits"),
        ({"owners": [["owner"]]}, "/owners/0", "wrong type"),
        ({"owners": ["owner"] + [f"p{n}" for n in range(100)]}, "/owners", "At most 100"),
        ({"viewer_groups": ["cn=x" * 200]}, "/viewer_groups/0", "At most 500"),
        ({"viewer_groups": ["uid=dev,ou=people,dc=insurer,dc=example"]}, "/viewer_groups/0", "not in the directory"),
        ({"tenant": "cl\0aims"}, "/tenant", "not written"),
        ({"tenant": 7}, "/tenant", "wrong type"),
    ],
)
def test_submit__hostile_or_impossible__said_at_the_field(people, changes, pointer, said):
    with pytest.raises(Invalid) as refused:
        ask(people["owner"], **changes)
    assert said in refused.value.fields[pointer], refused.value.fields


def test_submit__groups_own_it__no_person_is_needed(people):
    assert ask(people["owner"], owners=[], owner_groups=[TEAM]).state == "submitted"


def test_submit__directory_down_and_somebody_left__others_can_be_removed(people, directory):
    a_tenant("claims", gone="viewer")
    Membership.objects.create(tenant=Tenant.objects.get(code="claims"), subject=f"group:{TEAM}", role="viewer")
    with directory.down():
        request = ask(people["owner"], viewers=["gone"], viewer_groups=[TEAM])
    assert (request.values["viewers"], request.values["viewer_groups"]) == (["gone"], [TEAM])
    assert (request.facts["members.added"], request.facts["members.removed"]) == (0, 1)


def test_submit__twice__second_is_busy_but_other_tenants_are_free(people):
    ask(people["owner"], viewers=[])
    with pytest.raises(TargetBusy):
        ask(people["admin"], viewers=[])
    other = {"tenant": "motor", "owners": ["stranger"], "developers": ["architect"], "viewers": []}
    assert ask(people["stranger"], **other).state == "submitted"


def test_decide__members_changed_otherwise_meanwhile__decided_anew(people):
    request = ask(people["owner"], viewers=[])
    a_tenant("claims", architect="viewer")
    with pytest.raises(PlanChanged) as changed:
        approve(request, people["platform"])
    (change,) = changed.value.plan.changes
    assert ["viewers", ["architect", "guest"], []] in change["fields"]
    assert approve(request, people["platform"]).state == "approved"
    assert "user:architect" not in members()


def test_decide__asker_owns_it_no_more__refused(people):
    request = ask(people["owner"], viewers=[])
    Membership.objects.filter(subject="user:owner").update(role="viewer")
    with pytest.raises(NotPossibleNow):
        approve(request, people["platform"])


def test_decide__own_request_or_twice__refused(people):
    request = ask(people["admin"], viewers=[])
    with pytest.raises(permissions.NotYours):
        approve(request, people["admin"])
    approve(request, people["platform"])
    with pytest.raises(Conflict):
        approve(request, a_user("second", "approver:platform"))
    assert Event.objects.filter(action="tenant.set-members").count() == 1


def test_prefilled__own_tenant_and_others__present_list_or_nothing(people):
    filled = KIND.prefilled({"tenant": "claims"}, people["owner"])
    assert (filled["owners"], filled["developers"], filled["viewers"]) == (["owner"], ["dev"], ["guest"])
    given = {"tenant": "claims", "owners": ["dev"], "viewers": []}
    assert KIND.prefilled(given, people["owner"]) == given
    for user, tenant in (("stranger", "claims"), ("owner", "cl\0aims"), ("owner", "nothing")):
        assert KIND.prefilled({"tenant": tenant}, people[user]) == {"tenant": tenant}
    assert KIND.prefilled({}, people["owner"]) == {}


def test_risks__who_leaves_still_works_in_projects__named(people, gitops_cluster):
    who = {"viewers": ["architect"], "developer_groups": [TEAM]}
    submit(kind="new-project", values=wish(environment="dev", **who), by=people["dev"], at=timezone.now())
    assert ProjectMember.objects.count() == 3
    a_tenant("claims", architect="viewer")
    Membership.objects.create(tenant=Tenant.objects.get(code="claims"), subject=f"group:{TEAM}", role="viewer")
    request = ask(people["owner"])
    assert risks_of(KIND, request, queries.newest_plan(request)) == [
        f"They leave the tenant but stay members of its projects: {TEAM}, architect."
    ]
    assert dict(KIND.facts(request))["Removed"] == f"{TEAM} (Viewer), architect (Viewer)"


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))


@pytest.mark.parametrize("kind", ["change-tenant-members", "tenant-quota"])
def test_page__form_of_the_tenant__says_which_it_is_to_those_who_see_it(people, kind):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(people["owner"], backend="accounts.backends.DirectoryBackend")
    name = Tenant.objects.get(code="claims").name_en
    page = client.get(f"/requests/new/{kind}?tenant=claims").content.decode()
    assert f"<b>{name} (claims)</b>" in page[page.index('id="about"') :]
    assert f'<a class="pf-v6-c-breadcrumb__link" href="/tenants/claims">{name}</a>' in page
    client.force_login(people["stranger"], backend="accounts.backends.DirectoryBackend")
    page = client.get(f"/requests/new/{kind}?tenant=claims").content.decode()
    assert 'id="about"' not in page and f"{name} (claims)" not in page
