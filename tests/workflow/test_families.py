"""Several environments in one request: a parent, and a child for each that is decided by itself."""

import pytest
from django.utils import timezone

from audit.models import Event
from tenants.models import Claim, Project, TenantBudget
from tests.builders import a_tenant, wish
from web.errors import Conflict, Invalid
from workflow import machine, permissions, queries
from workflow.models import OpenTarget, Request
from workflow.services import edit, submit, withdraw

pytestmark = pytest.mark.django_db
FIGURES = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}


def three(**changes):
    environments = [{"environment": name} | FIGURES for name in ("dev", "test", "prod")]
    return wish(environments=environments, name="imaging") | changes


@pytest.fixture
def parent(people) -> Request:
    return submit(kind="new-project", values=three(), by=people["dev"], at=timezone.now(), idempotency_key="k")


def test_submit__three_environments__each_its_policy_and_pace(people, parent):
    assert (parent.state, parent.policy, parent.parent_id) == ("submitted", None, None)
    children = list(queries.children_of(parent, people["dev"]))
    assert [(c.environment, c.state, c.policy.slug) for c in children] == [
        ("dev", "approved", "dev"),
        ("test", "submitted", "otherwise"),
        ("prod", "submitted", "prod"),
    ]
    assert [p.namespace for p in Project.objects.all()] == ["claims-imaging-dev"]
    assert OpenTarget.objects.count() == 2
    assert queries.newest_plan(parent) is None
    assert list(queries.top_level(queries.requests_visible_to(people["dev"]))) == [parent]


def test_submit__repeated_key__the_same_parent(people, parent):
    again = submit(kind="new-project", values=three(), by=people["dev"], at=timezone.now(), idempotency_key="k")
    assert again == parent
    assert Request.objects.count() == 4


def test_decide__children__parent_follows(people, parent, say):
    _dev, test, prod = queries.children_of(parent, people["dev"])
    say(test, "platform", "reject", "No")
    parent.refresh_from_db()
    assert parent.state == "submitted"
    say(prod, "datacenter", "send_back", "Which room?")
    parent.refresh_from_db()
    assert parent.state == "changes_requested"
    withdraw(number=prod.number, by=people["dev"], at=timezone.now())
    parent.refresh_from_db()
    assert (parent.state, parent.closed_at is not None) == ("approved", True)


def test_withdraw__parent__undecided_children_only(people, parent, say):
    _dev, _test, prod = queries.children_of(parent, people["dev"])
    say(prod, "datacenter")
    withdraw(number=parent.number, by=people["dev"], at=timezone.now())
    states = [child.state for child in queries.children_of(parent, people["dev"])]
    assert states == ["approved", "withdrawn", "withdrawn"]
    assert Request.objects.get(pk=parent.pk).state == "approved"
    with pytest.raises(Conflict):
        withdraw(number=parent.number, by=people["dev"], at=timezone.now())
    assert Event.objects.filter(action="request.withdraw").count() == 2


def test_submit__one_of_three_wrong__none_is_asked_for(people):
    values = three()
    values["environments"][2] = values["environments"][2] | {"cpu": "many", "cluster": "moon"}
    with pytest.raises(Invalid) as refused:
        submit(kind="new-project", values=values, by=people["dev"], at=timezone.now())
    assert list(refused.value.fields) == ["/environments/2/cpu"]
    values["environments"][2]["cpu"] = "2"
    with pytest.raises(Invalid) as refused:
        submit(kind="new-project", values=values, by=people["dev"], at=timezone.now())
    assert list(refused.value.fields) == ["/environments/2/cluster"]
    assert not Request.objects.exists()


def test_submit__the_same_environment_twice__refused(people):
    values = three()
    values["environments"][2] = values["environments"][1]
    with pytest.raises(Invalid) as refused:
        submit(kind="new-project", values=values, by=people["dev"], at=timezone.now())
    assert list(refused.value.fields) == ["/environments"]


def test_submit__budget_for_two_of_three__none_is_held(people):
    TenantBudget.objects.create(tenant=a_tenant("claims"), resource="cpu", amount=5000)
    with pytest.raises(Conflict, match="budget"):
        submit(kind="new-project", values=three(), by=people["dev"], at=timezone.now())
    assert not Request.objects.exists() and not Claim.objects.exists() and not Project.objects.exists()


def test_edit__parent__refused(people, parent):
    assert not permissions.can_edit(parent, people["dev"])


def test_decide__parent__has_no_step(people, parent, say):
    with pytest.raises(permissions.NotYours):
        say(parent, "platform")


@pytest.mark.parametrize(
    ("children", "state"),
    [
        (["approved", "submitted", "changes_requested"], "submitted"),
        (["approved", "changes_requested", "rejected"], "changes_requested"),
        (["approved", "rejected", "withdrawn"], "approved"),
        (["rejected", "expired", "withdrawn"], "rejected"),
        (["expired", "withdrawn"], "expired"),
        (["withdrawn", "withdrawn"], "withdrawn"),
    ],
)
def test_following__states_of_children__open_while_one_is(children, state):
    assert machine.following(children) == state


def test_edit__child_that_was_sent_back__parent_waits_again(people, parent, say):
    _dev, test, prod = queries.children_of(parent, people["dev"])
    say(test, "platform", "reject", "No")
    say(prod, "datacenter", "send_back", "Which room?")
    edit(number=prod.number, values=prod.values | {"reason": "Room 4"}, by=people["dev"], at=timezone.now())
    parent.refresh_from_db()
    assert parent.state == "submitted"
