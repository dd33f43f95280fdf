"""Standing in for somebody: for a period, audited, not passed on, and never for the asker's own wish."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from tests.builders import a_tenant, a_user, decided_by
from web.errors import Conflict, Forbidden, Invalid, NotFound
from workflow import authority, permissions, queries
from workflow.models import Delegation
from workflow.services import delegate, revoke_delegation

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def stand_in(people, directory):
    def standing_in(by, to, start=timedelta(), length=WEEK, reason="Holiday"):
        now = timezone.now()
        return delegate(
            to=to, starts_at=now + start, ends_at=now + start + length, reason=reason, by=people[by], at=now
        )

    return standing_in


def test_delegate__deputy__decides_in_their_place(people, ask, say, stand_in):
    stand_in("platform", "owner")
    request = ask()
    assert list(queries.inbox_of(people["owner"], timezone.now())) == [request]
    assert say(request, "owner").state == "approved"
    decision = request.decisions.get()
    assert (decision.by, decision.principal, decision.speaker) == (
        people["owner"],
        people["platform"],
        people["owner"],
    )
    event = Event.objects.get(action="request.approve-step")
    assert (event.actor, event.after["in_place_of"]) == ("owner", "platform")


def test_delegate__before_and_after_the_period__nothing(people, ask, stand_in):
    made = stand_in("platform", "owner", start=timedelta(days=1))
    request = ask()
    now = timezone.now()
    for at, may in ((now, False), (now + 2 * timedelta(days=1), True), (made.ends_at, False)):
        assert permissions.can_decide(request, people["owner"], at) is may


def test_delegate__revoked__nothing_any_more(people, ask, stand_in):
    made = stand_in("platform", "owner")
    request = ask()
    revoke_delegation(pk=made.pk, by=people["platform"], at=timezone.now())
    assert not permissions.can_decide(request, people["owner"], timezone.now())
    with pytest.raises(Conflict):
        revoke_delegation(pk=made.pk, by=people["platform"], at=timezone.now())
    assert Event.objects.filter(action="delegation.revoke").count() == 1


def test_delegate__not_transitive(people, ask, stand_in):
    stand_in("platform", "datacenter")
    stand_in("datacenter", "owner")
    assert permissions.can_decide(ask(), people["datacenter"], timezone.now())
    assert not permissions.can_decide(ask(), people["owner"], timezone.now())


def test_delegate__to_the_asker__does_not_decide_their_own(people, ask, say, stand_in):
    stand_in("platform", "dev")
    with pytest.raises(permissions.OwnRequest):
        say(ask(), "dev")
    assert not queries.inbox_of(people["dev"], timezone.now()).exists()


def test_delegate__by_the_asker__deputy_does_not_decide_it_either(people, ask, say, stand_in):
    a_tenant("claims", platform="developer")
    stand_in("platform", "owner")
    request = ask("platform")
    with pytest.raises(permissions.OwnRequest):
        say(request, "owner")
    assert not queries.inbox_of(people["owner"], timezone.now()).exists()


def test_delegate__person_and_deputy__fill_one_place(people, ask, say, stand_in):
    decided_by("platform", minimum=2)
    stand_in("platform", "owner")
    request = ask()
    say(request, "platform")
    with pytest.raises(permissions.NotYours):
        say(request, "owner")
    other = ask()
    say(other, "owner")
    with pytest.raises(permissions.NotYours):
        say(other, "platform")
    assert say(other, "second").state == "approved"


def test_delegate__deputy_of_two__speaks_once(people, ask, say, stand_in):
    decided_by("platform", minimum=2)
    stand_in("platform", "owner")
    stand_in("second", "owner")
    request = ask()
    say(request, "owner")
    with pytest.raises(permissions.NotYours):
        say(request, "owner")


def test_delegate__group_lost_meanwhile__deputy_loses_it_too(people, ask, stand_in):
    stand_in("platform", "owner")
    request = ask()
    people["platform"].roles = []
    people["platform"].save()
    assert not permissions.can_decide(request, people["owner"], timezone.now())


def test_delegate__deputy__reads_what_approvers_read_while_it_lasts(people, ask, stand_in):
    request = ask()
    assert not queries.requests_visible_to(people["stranger"]).exists()
    made = stand_in("platform", "stranger")
    assert list(queries.requests_visible_to(people["stranger"])) == [request]
    Delegation.objects.filter(pk=made.pk).update(starts_at=timezone.now() - WEEK, ends_at=timezone.now())
    assert not queries.requests_visible_to(people["stranger"]).exists()


@pytest.mark.parametrize("by", ["dev", "auditor"])
def test_delegate__decides_nothing__refused(stand_in, by):
    with pytest.raises(Forbidden):
        stand_in(by, "owner")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"to": "platform"}, "/to"),
        ({"to": "nobody-at-all"}, "/to"),
        ({"to": "*"}, "/to"),
        ({"to": "a\0b"}, "/to"),
        ({"to": "robot"}, "/to"),
        ({"length": timedelta()}, "/ends_at"),
        ({"length": -WEEK}, "/ends_at"),
        ({"start": -2 * WEEK}, "/ends_at"),
        ({"length": timedelta(days=93)}, "/ends_at"),
        ({"reason": "x" * 201}, "/reason"),
        ({"reason": "\u202e"}, "/reason"),
    ],
)
def test_delegate__hostile__named(people, stand_in, changes, pointer):
    a_user("robot", owner=people["dev"])
    with pytest.raises(Invalid) as refused:
        stand_in("platform", changes.pop("to", "owner"), **changes)
    assert list(refused.value.fields) == [pointer]
    assert not Delegation.objects.exists()


@pytest.mark.parametrize(("who", "error"), [("owner", Forbidden), ("second", NotFound), ("dev", NotFound)])
def test_revoke__somebody_elses__refused(people, stand_in, who, error):
    made = stand_in("platform", "owner")
    with pytest.raises(error):
        revoke_delegation(pk=made.pk, by=people[who], at=timezone.now())


def test_decides_anything__people__their_own_or_by_delegation(people, stand_in):
    stand_in("platform", "owner")
    found = {name for name in people if authority.decides_anything(people[name], timezone.now())}
    assert found == {"platform", "second", "datacenter", "security", "admin", "owner"}
