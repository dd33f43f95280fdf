"""Reminders and expiry: due rows, driven like any other work."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from tenants.models import Claim
from work import claims
from work.tasks import drive
from workflow import permissions
from workflow.models import Deadline, OpenTarget, Request
from workflow.services import withdraw
from workflow.services.deadlines import watch_at

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def look(request: Request, after: timedelta):
    """One look of a worker at the clock, that much later."""
    clock = Deadline.objects.get(request=request)
    Deadline.objects.filter(pk=clock.pk).update(due_at=timezone.now())
    lease = claims.claim(Deadline, clock.pk, timezone.now())
    assert lease is not None
    with claims.kept(lease):
        outcome = watch_at(lease, request.submitted_at + after)
    claims.finish(lease, timezone.now(), next_at=None, observed=None, attempts=0)
    request.refresh_from_db()
    return outcome


def test_submit__waits_for_somebody__clock_runs(ask):
    request = ask()
    step = permissions.current_step(request)
    clock = Deadline.objects.get(request=request)
    assert step.due_at == clock.expires_at == request.submitted_at + 10 * DAY
    assert clock.due_at == clock.remind_at == request.submitted_at + 5 * DAY


def test_watch__before_halfway__looks_again_then(ask):
    request = ask()
    assert look(request, DAY).after == 4 * DAY
    assert not request.comments.exists()


def test_watch__halfway__reminds_once(ask):
    request = ask()
    assert look(request, 5 * DAY).after == 5 * DAY
    assert look(request, 6 * DAY).after == 4 * DAY
    assert request.comments.count() == 1
    assert permissions.current_step(request).reminded_at == request.submitted_at + 5 * DAY
    assert request.comments.get().sentence["parameters"]["days"] == 5
    assert Event.objects.filter(action="request.remind").count() == 1


def test_watch__over__expires_and_gives_back(ask):
    request = ask()
    assert look(request, 10 * DAY).after is None
    assert request.state == "expired"
    assert [step.state for step in permissions.steps_of(request)] == ["skipped"]
    assert not Claim.objects.exists() and not OpenTarget.objects.exists()
    assert Event.objects.get(action="request.expire").actor == "system"
    assert look(request, 11 * DAY).after is None
    assert Event.objects.filter(action="request.expire").count() == 1


def test_watch__sent_back__waits_for_who_asked(ask, say):
    request = say(ask(), "platform", "send_back", "Why?")
    look(request, 8 * DAY)
    assert "was sent back" in request.comments.get().sentence["text"]
    look(request, 14 * DAY + timedelta(minutes=1))
    assert request.state == "expired"


def test_watch__second_step__a_clock_of_its_own(ask, say):
    request = ask(environment="prod")
    Deadline.objects.filter(request=request).update(remind_at=None)
    say(request, "datacenter")
    clock = Deadline.objects.get(request=request)
    assert clock.remind_at is not None
    assert permissions.current_step(Request.objects.get(pk=request.pk)).due_at == clock.expires_at


def test_withdraw__clock_stops(people, ask):
    request = ask()
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    assert Deadline.objects.get(request=request).due_at is None


def test_drive__as_the_task_does__expired(ask):
    request = ask()
    past = timezone.now() - DAY
    Deadline.objects.filter(request=request).update(due_at=past, expires_at=past, remind_at=None)
    drive("workflow.Deadline", Deadline.objects.get(request=request).pk)
    request.refresh_from_db()
    assert request.state == "expired"
