"""Asking, deciding, withdrawing: works, refused for the wrong role, wrong state, repeat harmless."""

import threading

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from accounts.idempotency import KeyReused
from accounts.models import User
from audit.models import Event
from clusters.models import Bundle, Cluster
from tenants.models import Membership, Project
from tests.builders import a_tenant, a_user, as_form, decided_by, ready_portal, wish
from web.errors import Conflict, Forbidden, Invalid, NotFound
from workflow import permissions, queries
from workflow.models import Request
from workflow.services import PlanChanged, decide, submit, withdraw
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(gitops_cluster) -> dict[str, User]:
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger="developer")
    names = {"dev": (), "owner": (), "guest": (), "stranger": (), "auditor": ("auditor",), "admin": ("administrator",)}
    names |= {"platform": ("approver:platform",), "datacenter": ("approver:datacenter",)}
    return {name: a_user(name, *roles) for name, roles in names.items()}


def ask(by: User, **changes: object) -> Request:
    return submit(kind="new-project", values=wish(**changes), by=by, at=timezone.now())


def approve(request: Request, by: User, digest: str | None = None) -> Request:
    digest = queries.newest_plan(request).digest if digest is None else digest
    return decide(number=request.number, verdict="approve", note="", plan_digest=digest, by=by, at=timezone.now())


def reject(request: Request, by: User, note: str = "No room") -> Request:
    return decide(number=request.number, verdict="reject", note=note, plan_digest="", by=by, at=timezone.now())


def test_submit__test_environment__waits_for_the_platform_group(people):
    request = ask(people["dev"])
    assert request.state == "submitted"
    assert [step.group.slug for step in request.steps.all()] == ["platform"]
    plan = queries.newest_plan(request)
    assert {change["action"] for change in plan.changes} == {"add"}
    assert not Project.objects.exists()
    assert Event.objects.filter(action="request.submit", subject=f"request:{request.number}").count() == 1


def test_submit__development__approved_by_policy_with_work_due(people):
    request = ask(people["dev"], environment="dev")
    assert request.state == "approved"
    bundle = Bundle.objects.get(pk=request.outcomes.get().bundle_id)
    assert bundle.due_at is not None and bundle.generation == 1
    assert bundle.revisions.get().provenance["approvers"] == ["policy: dev"]


@pytest.mark.parametrize("who", ["guest", "stranger", "auditor", "platform"])
def test_submit__wrong_role__refused(people, who):
    with pytest.raises((Forbidden, Invalid)):
        ask(people[who])
    assert not Request.objects.exists()


def test_submit__same_key_twice__one_request(people):
    values = wish()
    first = submit(kind="new-project", values=values, by=people["dev"], at=timezone.now(), idempotency_key="k")
    second = submit(kind="new-project", values=values, by=people["dev"], at=timezone.now(), idempotency_key="k")
    assert first.pk == second.pk


def test_submit__open_request_for_the_name__busy(people):
    request = ask(people["dev"], name="imaging")
    with pytest.raises(TargetBusy):
        ask(people["owner"], name="imaging")
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    assert ask(people["owner"], name="imaging").state == "submitted"


def test_submit__project_exists__field_is_named(people):
    ask(people["dev"], name="imaging", environment="dev")
    with pytest.raises(Invalid) as refused:
        ask(people["dev"], name="imaging", environment="dev")
    assert "/name" in refused.value.fields


def test_submit__no_cluster_for_the_environment__field_is_named(people):
    Cluster.objects.update(environments=["dev"])
    with pytest.raises(Invalid) as refused:
        ask(people["dev"], environment="prod")
    assert list(refused.value.fields) == ["/environments/0/cluster"]


def test_submit__unknown_kind__not_found(people):
    with pytest.raises(NotFound):
        submit(kind="new-planet", values={}, by=people["dev"], at=timezone.now())


def test_submit__policy_changed_later__steps_stay(people):
    request = ask(people["dev"])
    decided_by("security")
    assert [step.group.slug for step in request.steps.all()] == ["platform"]


def test_decide__approved__project_bundle_and_events(people):
    request = approve(ask(people["dev"]), people["platform"])
    project = Project.objects.get(namespace=request.title)
    assert (request.state, project.bundle_id) == ("approved", request.outcomes.get().bundle_id)
    assert project.cpu_millicores == 2000 and project.memory_bytes == 4 * 1024**3
    actions = set(Event.objects.values_list("action", flat=True))
    assert {"request.approve", "request.approve-step", "project.create", "bundle.set-desired"} <= actions
    assert project.bundle.revisions.get().provenance["approvers"] == ["platform"]


def test_decide__rejected__nothing_is_made(people):
    request = reject(ask(people["dev"]), people["platform"])
    assert request.state == "rejected"
    assert not Project.objects.exists() and not Bundle.objects.exists()


def test_decide__rejected_without_a_note__refused(people):
    request = ask(people["dev"])
    with pytest.raises(Invalid):
        reject(request, people["platform"], note=" ")
    request.refresh_from_db()
    assert request.state == "submitted"


@pytest.mark.parametrize("who", ["dev", "owner", "auditor", "admin", "datacenter"])
def test_decide__wrong_role__refused(people, who):
    request = ask(people["dev"])
    with pytest.raises(Forbidden):
        approve(request, people[who])
    request.refresh_from_db()
    assert request.state == "submitted"


def test_decide__stranger__does_not_learn_that_it_exists(people):
    with pytest.raises(NotFound):
        approve(ask(people["dev"]), people["stranger"])


def test_decide__own_request__refused(people):
    both = a_user("both", "approver:platform")
    a_tenant("claims", both="developer")
    with pytest.raises(permissions.OwnRequest):
        approve(ask(both), both)


def test_decide__service_accounts_owner__counts_as_the_asker(people):
    robot = a_user("robot", owner=people["platform"])
    a_tenant("claims", robot="developer")
    with pytest.raises(permissions.OwnRequest):
        approve(ask(robot), people["platform"])


def test_decide__twice__second_is_told(people):
    request = ask(people["dev"])
    approve(request, people["platform"])
    with pytest.raises(permissions.AlreadyClosed):
        approve(request, a_user("second", "approver:platform"))
    assert Bundle.objects.get().generation == 1


def test_decide__other_digest__told_with_the_new_plan_and_nothing_done(people):
    request = ask(people["dev"])
    with pytest.raises(PlanChanged) as changed:
        approve(request, people["platform"], digest="0" * 64)
    request.refresh_from_db()
    assert request.state == "submitted"
    assert approve(request, people["platform"], digest=changed.value.plan.digest).state == "approved"


def test_decide__cluster_calls_people_otherwise_meanwhile__new_plan(people):
    request = ask(people["dev"])
    seen = queries.newest_plan(request)
    Cluster.objects.update(user_format="oidc:{username}")
    with pytest.raises(PlanChanged) as changed:
        approve(request, people["platform"], digest=seen.digest)
    assert changed.value.plan.number == seen.number + 1
    assert queries.newest_plan(request).digest == changed.value.plan.digest


def test_decide__two_minimum__second_person_is_needed(people):
    decided_by("platform", minimum=2)
    request = ask(people["dev"])
    assert approve(request, people["platform"]).state == "submitted"
    with pytest.raises(Forbidden):
        approve(request, people["platform"])
    assert approve(request, a_user("second", "approver:platform")).state == "approved"


def test_decide__two_steps__in_order_by_two_people(people):
    decided_by("platform", "datacenter")
    request = ask(people["dev"])
    with pytest.raises(Forbidden):
        approve(request, people["datacenter"])
    approve(request, people["platform"])
    assert approve(request, people["datacenter"]).state == "approved"


def test_decide__person_in_two_groups__fills_one_step_only(people):
    decided_by("platform", "datacenter")
    request = ask(people["dev"])
    both = a_user("both", "approver:platform", "approver:datacenter")
    approve(request, both)
    with pytest.raises(permissions.NotYours):
        approve(request, both)


def test_decide__plan_changed_between_two_steps__both_decide_anew(people):
    decided_by("platform", "datacenter")
    request = ask(people["dev"])
    approve(request, people["platform"])
    Cluster.objects.update(user_format="oidc:{username}")
    with pytest.raises(PlanChanged):
        approve(request, people["datacenter"])
    with pytest.raises(permissions.NotYours):
        approve(request, people["datacenter"])
    assert list(queries.inbox_of(people["platform"], timezone.now())) == [request]
    approve(request, people["platform"])
    assert approve(request, people["datacenter"]).state == "approved"
    counted = request.decisions.filter(voided_at__isnull=True)
    assert len(set(counted.values_list("plan_digest", flat=True))) == 1 and counted.count() == 2
    event = Event.objects.get(action="request.plan-changed")
    assert event.after["approvals_voided"] == 1


@pytest.mark.parametrize(("asker", "decider"), [("person", "robot"), ("robot", "person"), ("robot", "other_robot")])
def test_decide__person_and_own_service_accounts__are_one(people, asker, decider):
    person = people["platform"]
    accounts = {"person": person}
    for name in ("robot", "other_robot"):
        accounts[name] = a_user(name, "approver:platform", owner=person)
    a_tenant("claims", platform="developer", robot="developer")
    request = ask(accounts[asker])
    with pytest.raises(permissions.OwnRequest):
        approve(request, accounts[decider])
    assert not queries.inbox_of(accounts[decider], timezone.now()).exists()


def test_decide__person_and_own_service_account__fill_one_place(people):
    decided_by("platform", minimum=2)
    robot = a_user("robot", "approver:platform", owner=people["platform"])
    request = ask(people["dev"])
    approve(request, people["platform"])
    with pytest.raises(permissions.NotYours):
        approve(request, robot)


def test_decision__second_by_one_person__refused_by_the_database(people):
    decided_by("platform", minimum=2)
    request = ask(people["dev"])
    approve(request, people["platform"])
    first = request.decisions.get()
    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


def test_decide__cluster_switched_off_meanwhile__not_applied_to_it(people):
    request = ask(people["dev"])
    Cluster.objects.update(environments=["dev"])
    with pytest.raises((Conflict, Invalid)):
        approve(request, people["platform"])
    assert not Project.objects.exists()


def test_decide__asker_left_meanwhile__not_approved(people):
    request = ask(people["dev"])
    Membership.objects.filter(subject="user:dev").delete()
    with pytest.raises(Conflict):
        approve(request, people["platform"])
    assert not Project.objects.exists()


def test_decide__rejected__event_says_so(people):
    request = reject(ask(people["dev"]), people["platform"])
    event = Event.objects.get(action="request.reject", subject=f"request:{request.number}")
    assert (event.before, event.after) == ({"state": "submitted"}, {"state": "rejected"})


def test_submit__same_key_for_another_wish__refused(people):
    at = timezone.now()
    submit(kind="new-project", values=wish(), by=people["dev"], at=at, idempotency_key="k")
    with pytest.raises(KeyReused):
        submit(kind="new-project", values=wish(), by=people["dev"], at=at, idempotency_key="k")
    assert Request.objects.count() == 1


def test_submit__somebody_elses_key__a_request_of_ones_own(people):
    at = timezone.now()
    first = submit(kind="new-project", values=wish(), by=people["dev"], at=at, idempotency_key="k")
    second = submit(kind="new-project", values=wish(), by=people["owner"], at=at, idempotency_key="k")
    assert first.pk != second.pk


def test_new__form_changed_after_it_was_sent__a_second_request(people, client):
    client.force_login(people["dev"], backend="accounts.backends.DirectoryBackend")
    values = as_form(wish()) | {"idempotency_key": "abc"}
    first = client.post("/requests/new/new-project", values)
    same = client.post("/requests/new/new-project", values)
    other = client.post("/requests/new/new-project", values | {"name": "another"})
    assert first.url == same.url != other.url


def test_withdraw__service_accounts_owner__may(people):
    robot = a_user("robot", owner=people["stranger"])
    a_tenant("claims", robot="developer")
    request = ask(robot)
    assert withdraw(number=request.number, by=people["stranger"], at=timezone.now()).state == "withdrawn"


def test_withdraw__own__closed(people):
    request = ask(people["dev"])
    assert withdraw(number=request.number, by=people["dev"], at=timezone.now()).state == "withdrawn"
    with pytest.raises(Conflict):
        withdraw(number=request.number, by=people["dev"], at=timezone.now())


def test_withdraw__somebody_elses__refused(people):
    request = ask(people["dev"])
    with pytest.raises(Forbidden):
        withdraw(number=request.number, by=people["owner"], at=timezone.now())
    with pytest.raises(NotFound):
        withdraw(number=request.number, by=people["stranger"], at=timezone.now())


def test_inbox__people__sees_what_waits_for_them_only(people):
    request = ask(people["dev"])
    assert list(queries.inbox_of(people["platform"], timezone.now())) == [request]
    for who in ("dev", "datacenter", "auditor", "admin"):
        assert not queries.inbox_of(people[who], timezone.now()).exists()


def test_visible__people__own_tenant_or_all(people):
    request = ask(people["dev"])
    sees = {name for name, user in people.items() if request in queries.requests_visible_to(user)}
    assert sees == {"dev", "owner", "guest", "auditor", "admin", "platform", "datacenter"}


@pytest.mark.django_db(transaction=True)
def test_decide__two_at_once__one_outcome(people):
    request = ask(people["dev"])
    second = a_user("second", "approver:platform")
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def run(by: User, verdict: str) -> None:
        start.wait()
        try:
            (approve if verdict == "approve" else reject)(request, by)
            outcomes.append(verdict)
        except (Conflict, Forbidden):
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=pair) for pair in ((people["platform"], "approve"), (second, "reject"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    request.refresh_from_db()
    assert outcomes.count("refused") == 1
    assert (request.state == "approved") == Project.objects.exists() == ("approve" in outcomes)
