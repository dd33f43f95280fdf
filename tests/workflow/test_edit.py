"""Sending back, editing and asking anew: the steps start over, and nothing of the earlier wish stays."""

import threading
import uuid

import pytest
from django.db import connections
from django.utils import timezone

from audit.models import Event
from clusters.models import Capacity, Cluster
from tenants.models import Claim, Project
from tests.builders import a_cluster, wish
from web.errors import Conflict, Forbidden, Invalid, NotFound
from workflow import permissions, queries
from workflow.kinds import kind_of
from workflow.models import OpenTarget
from workflow.services import PlanChanged, edit, submit, withdraw
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db


def changed(request, by, **changes):
    values = request.values | {"environments": [request.values["environments"][0] | changes.pop("one", {})]} | changes
    return edit(number=request.number, values=values, by=by, at=timezone.now())


def test_send_back__with_a_note__asker_has_it(people, ask, say):
    request = say(ask(), "platform", "send_back", "Please less memory")
    assert request.state == "changes_requested"
    assert permissions.current_step(request) is None
    assert not queries.inbox_of(people["platform"], timezone.now()).exists()
    assert permissions.can_edit(request, people["dev"])
    assert OpenTarget.objects.filter(request=request).exists(), "others may not take the name meanwhile"
    assert Claim.objects.filter(request=request).exists(), "what it needs stays held"
    assert Event.objects.filter(action="request.send-back-step").count() == 1


@pytest.mark.parametrize("note", ["", "   "])
def test_send_back__without_a_note__refused(ask, say, note):
    with pytest.raises(Invalid):
        say(ask(), "platform", "send_back", note)


def test_decide__sent_back__told_who_has_it(ask, say):
    request = say(ask(), "platform", "send_back", "Why?")
    with pytest.raises(permissions.AlreadyClosed, match="who asked has it"):
        say(request, "second")


def test_edit__after_sent_back__a_new_round_decided_from_the_start(people, ask, say):
    request = say(ask(), "platform", "send_back", "Please less memory")
    again = changed(request, people["dev"], one={"memory": "2Gi"})
    assert (again.state, again.round, again.number) == ("submitted", 2, request.number)
    again.refresh_from_db()
    assert again.values["environments"][0]["memory"] == "2Gi"
    assert [step.state for step in permissions.steps_of(again)] == ["current"]
    assert queries.newest_plan(again).number == 2
    held = Claim.objects.get(request=again, resource="memory")
    assert held.amount == 2 * 1024**3
    # Who sent it back may decide the new round.
    assert say(again, "platform").state == "approved"
    assert Project.objects.get().memory_bytes == 2 * 1024**3


def test_edit__while_submitted__earlier_approval_counts_no_longer(people, ask, say):
    request = ask(environment="prod")
    say(request, "datacenter")
    again = changed(request, people["dev"], one={"cpu": "4"})
    assert [(s.group.slug, s.state) for s in permissions.steps_of(again)] == [
        ("datacenter", "current"),
        ("security", "waiting"),
    ]
    assert not again.decisions.filter(voided_at__isnull=True).exists()


def test_edit__reason_alone__who_looked_before_must_look_again(people, ask, say):
    request = ask()
    seen = queries.newest_plan(request).digest
    changed(request, people["dev"], reason="Another reason")
    with pytest.raises(PlanChanged):
        say(request, "platform", digest=seen)


def test_edit__another_environment__another_policy(people, ask):
    request = ask()
    again = changed(request, people["dev"], one={"environment": "dev"})
    assert (again.state, again.policy.slug) == ("approved", "dev")
    assert Project.objects.get().environment == "dev"
    assert not OpenTarget.objects.exists()


def test_edit__name_of_another_open_request__refused_and_nothing_changed(people, ask):
    ask(name="taken")
    request = ask(name="mine")
    with pytest.raises(TargetBusy):
        changed(request, people["dev"], name="taken")
    request.refresh_from_db()
    assert (request.values["name"], request.round) == ("mine", 1)


@pytest.mark.parametrize(("who", "error"), [("owner", Forbidden), ("platform", Forbidden), ("stranger", NotFound)])
def test_edit__somebody_elses__refused(people, ask, who, error):
    with pytest.raises(error):
        changed(ask(), people[who])


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_edit__closed__refused(people, ask, say, verdict):
    request = say(ask(), "platform", verdict, "Because")
    with pytest.raises(Conflict):
        changed(request, people["dev"])


def test_edit__hostile_values__named_and_nothing_changed(people, ask):
    request = ask()
    for values in (None, [], "x", {}, request.values | {"environments": []}, request.values | {"extra": 1}):
        with pytest.raises(Invalid):
            edit(number=request.number, values=values, by=people["dev"], at=timezone.now())
    request.refresh_from_db()
    assert request.round == 1


def test_edit__second_environment_added__refused(people, ask):
    request = ask()
    one = request.values["environments"][0]
    with pytest.raises(Invalid):
        changed(request, people["dev"], environments=[one, one | {"environment": "prod"}])


def test_withdraw__sent_back__free_again(people, ask, say):
    request = say(ask(name="again"), "platform", "send_back", "No")
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    assert not Claim.objects.exists()
    submit(kind="new-project", values=wish(name="again"), by=people["dev"], at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_edit__against_a_decision__one_outcome(people, ask, say):
    request = ask()
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def run(what, name):
        start.wait()
        try:
            what()
            outcomes.append(name)
        except (PlanChanged, Conflict):
            outcomes.append("told")
        finally:
            connections.close_all()

    acts = [
        (lambda: changed(request, people["dev"], one={"cpu": "4"}), "edited"),
        (lambda: say(request, "platform"), "approved"),
    ]
    threads = [threading.Thread(target=run, args=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["approved", "told"], ["edited", "told"])
    project = Project.objects.first()
    assert (project is not None) == ("approved" in outcomes)
    assert project is None or project.cpu_millicores == 2000


def test_edit__cluster_that_the_request_fills_itself__not_in_its_own_way(people, ask):
    cluster = Cluster.objects.get()
    Capacity.objects.update_or_create(cluster=cluster, defaults={"source": "stated", "cpu_millicores": 3000})
    request = ask()
    again = changed(request, people["dev"], one={"cpu": "3"})
    assert again.values["environments"][0]["cpu"] == "3"
    with pytest.raises(Invalid, match="has 3 left"):
        changed(again, people["dev"], one={"cpu": "4"})


def test_edit__another_cluster_has_more_room_by_now__stays_where_it_is(people, ask):
    request = ask()
    Capacity.objects.create(cluster=request.cluster, source="stated", cpu_millicores=4000)
    roomy = a_cluster("roomy", environments=["dev", "test", "prod"])
    Capacity.objects.create(cluster=roomy, source="stated", cpu_millicores=64_000)
    kind = kind_of("new-project")
    assert kind.target(request.values, str(uuid.uuid4())).cluster == roomy
    assert changed(request, people["dev"], reason="Another reason").cluster == request.cluster
    # Where it no longer fits it goes where it does.
    larger = request.values | {"environments": [request.values["environments"][0] | {"cpu": "8"}]}
    assert kind.edited_target(larger, request).cluster == roomy
