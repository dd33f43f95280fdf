"""Policies see the facts as they are when a request is stored, not as they were when it was looked at."""

import importlib

import pytest
from django.utils import timezone

from clusters.models import Cluster
from tenants.models import Membership, TenantBudget
from tests.builders import a_tenant, a_user, wish
from tests.workflow.test_families import three
from web.errors import Conflict
from workflow import permissions, queries
from workflow.models import Delegation, Policy, Request
from workflow.services import submit
from workflow.services.policies import one_of
from workflow.services.submit import looked

pytestmark = pytest.mark.django_db
# The package has a function of the same name.
SUBMIT = importlib.import_module("workflow.services.submit")


@pytest.fixture
def room_is_enough(people) -> None:
    """Whatever leaves five cores of ten approves by itself."""
    TenantBudget.objects.create(tenant=a_tenant("claims"), resource="cpu", amount=10_000)
    Policy.objects.create(
        slug="room", name_zh="r", name_en="r", kind="new-project", condition="left.cpu >= 5000", priority=50, steps=[]
    )


def test_submit__three_environments__later_ones_see_what_earlier_ones_hold(people, room_is_enough):
    parent = submit(kind="new-project", values=three(), by=people["dev"], at=timezone.now())
    seen = [(c.facts["left.cpu"], c.policy.slug) for c in queries.children_of(parent, people["dev"])]
    assert seen == [(8000, "room"), (6000, "room"), (4000, "prod")]


MEANWHILE = {
    "cluster out of service": lambda: Cluster.objects.update(is_active=False),
    "environment no longer offered": lambda: Cluster.objects.update(environments=["prod"]),
    "cluster dedicated to another": lambda: Cluster.objects.update(dedicated_to=a_tenant("motor")),
    "no longer a member": lambda: Membership.objects.filter(subject="user:dev").delete(),
    "left the company": lambda: a_user("dev").__class__.objects.filter(username="dev").update(is_active=False),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_submit__changed_between_look_and_approval_by_policy__refused(people, monkeypatch, what):
    def look(*arguments):
        plan = looked(*arguments)
        MEANWHILE[what]()
        return plan

    monkeypatch.setattr(SUBMIT, "looked", look)
    with pytest.raises(Conflict):
        submit(kind="new-project", values=wish(environment="dev"), by=people["dev"], at=timezone.now())
    assert not Request.objects.exists()


def test_submit__policy_changed_between_look_and_storing__its_new_steps(people, monkeypatch):
    def look(*arguments):
        plan = looked(*arguments)
        Policy.objects.filter(slug="dev").update(steps=[one_of("security")])
        return plan

    monkeypatch.setattr(SUBMIT, "looked", look)
    request = submit(kind="new-project", values=wish(environment="dev"), by=people["dev"], at=timezone.now())
    assert [step.group.slug for step in request.steps.all()] == ["security"]


def test_decide__cluster_dedicated_to_another_meanwhile__refused(people, ask, say):
    request = ask()
    Cluster.objects.update(dedicated_to=a_tenant("motor"))
    with pytest.raises(Conflict, match="no longer takes this"):
        say(request, "platform")


def test_decide__service_account__never_more_than_its_owner(people, ask):
    robot = a_user("robot", "approver:platform", "administrator", owner=people["stranger"])
    assert robot.approver_slugs == set() and not robot.is_administrator
    assert not permissions.can_decide(ask(), robot, timezone.now())


def test_decide__delegator_lost_the_role_in_the_directory__deputy_is_refused(people, ask, say, directory):
    request, now = ask(), timezone.now()
    people["platform"].roles_seen_at = now - timezone.timedelta(days=10)
    people["platform"].roles = ["approver:platform", "approver:security"]
    people["platform"].username = "architect"
    people["platform"].save()
    Delegation.objects.create(
        by=people["platform"],
        to=people["owner"],
        starts_at=now,
        ends_at=now + timezone.timedelta(days=1),
        created_at=now,
    )
    with pytest.raises(permissions.NotYours):
        say(request, "owner")


def test_visible__deputy_of_who_decides_nothing_any_more__nothing(people, ask):
    request, now = ask(), timezone.now()
    day = timezone.timedelta(days=1)
    Delegation.objects.create(
        by=people["platform"], to=people["stranger"], starts_at=now, ends_at=now + day, created_at=now
    )
    assert list(queries.requests_visible_to(people["stranger"])) == [request]
    people["platform"].roles = ["auditor"]
    people["platform"].save()
    assert not queries.requests_visible_to(people["stranger"]).exists()
