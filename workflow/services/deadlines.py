"""The clock of open requests: halfway those who decide are reminded, at the end the request expires."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit import services as audit
from web.sentences import Sentence
from work.claims import Lease, guarded
from work.tasks import Pass
from workflow import machine, permissions
from workflow.models import Comment, Deadline, Request, Step
from workflow.services import notices
from workflow.services.closing import close


def watch(lease: Lease) -> Pass:
    """One look at a request's clock: reminds, expires, or says when it is due next."""
    return watch_at(lease, timezone.now())


def watch_at(lease: Lease, now: datetime) -> Pass:
    """As `watch`, at a given time."""
    with transaction.atomic():
        # The request before its clock, as everybody else locks them.
        number = Deadline.objects.values_list("request_id", flat=True).get(pk=lease.pk)
        request = Request.objects.select_for_update(of=("self",)).select_related("tenant", "asker").get(pk=number)
        with guarded(lease):
            return _watched(request, Deadline.objects.get(pk=lease.pk), now)


def _watched(request: Request, clock: Deadline, now: datetime) -> Pass:
    if not request.is_open:
        return Pass()
    if clock.expires_at <= now:
        _expire(request, now)
        return Pass()
    if clock.remind_at is not None and clock.remind_at <= now:
        _remind(request, clock, now)
        Deadline.objects.filter(pk=clock.pk).update(remind_at=None)
        return Pass(after=clock.expires_at - now)
    return Pass(after=(clock.remind_at or clock.expires_at) - now)


def _remind(request: Request, clock: Deadline, now: datetime) -> None:
    days = max(1, round((clock.expires_at - now).total_seconds() / 86400))
    step = permissions.current_step(request)
    if step is None:
        text = gettext_noop("Reminder: this was sent back and waits for who asked. It expires in %(days)s days.")
        sentence = Sentence(text, {"days": days})
        notices.asker_reminded(request, days, now)
    else:
        Step.objects.filter(pk=step.pk).update(reminded_at=now)
        text = gettext_noop("Reminder: this still waits for a decision. It expires in %(days)s days.")
        sentence = Sentence(text, {"days": days})
        # In place of what they were told before.
        notices.no_longer_asked(request, now)
        notices.ask(request, step, now, days=days)
    Comment.objects.create(request=request, by=None, sentence=sentence.stored(), at=now)
    audit.record(
        actor=None,
        action="request.remind",
        subject=f"request:{request.number}",
        tenant=request.tenant_code,
        after={"expires_at": clock.expires_at.isoformat(), "step": step.group.slug if step else None},
        at=now,
    )


def _expire(request: Request, now: datetime) -> None:
    text = gettext_noop("Nobody decided in time.")
    if request.state == machine.CHANGES_REQUESTED:
        text = gettext_noop("It was sent back and not changed in time.")
    Comment.objects.create(request=request, by=None, sentence=Sentence(text).stored(), at=now)
    close(request, "expire", by=None, at=now)
    notices.expired(request, now)
