"""Delivering one occurrence to one endpoint: an attempt now, the next one by the schedule of Standard Webhooks."""

import json
import random
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from notify import posting, signing
from notify.models import Attempt, Delivery, Endpoint, Occurrence
from notify.services.endpoints import switch_off
from web.sealing import Unreadable
from web.sentences import Sentence
from work import failpoints
from work.claims import Lease, guarded
from work.tasks import Pass

# Between attempts, in seconds: ten in three days.
SCHEDULE = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
# However long a receiver asks to wait.
RETRY_AFTER_MOST = 86400
GONE = 410


def deliver(lease: Lease) -> Pass:
    """Sends it once. A worker that dies between sending and writing that down sends it again, with the same id."""
    delivery = Delivery.objects.select_related("endpoint", "occurrence").get(pk=lease.pk)
    now = timezone.now()
    try:
        answer = _sent(delivery, now)
    except Unreadable as error:
        answer = posting.Answer(None, 0, problem=error.sentence)
    failpoints.reach("after-webhook")
    with guarded(lease):
        return _noted(lease, delivery, answer, now)


def body_of(occurrence: Occurrence) -> str:
    """What is sent, letter by letter the same at every attempt."""
    at = occurrence.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": occurrence.type, "timestamp": at, "data": occurrence.data}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _sent(delivery: Delivery, now: datetime) -> posting.Answer:
    body = body_of(delivery.occurrence)
    secrets = signing.secrets_of(delivery.endpoint, now)
    signed = signing.headers(delivery.occurrence.webhook_id, body, secrets, now)
    plain = {"Content-Type": "application/json", "User-Agent": "container-cloud-portal", "Connection": "close"}
    return posting.post(delivery.endpoint.url, signed | plain, body.encode())


def _noted(lease: Lease, delivery: Delivery, answer: posting.Answer, now: datetime) -> Pass:
    Attempt.objects.create(
        delivery=delivery,
        at=now,
        milliseconds=answer.milliseconds,
        status=answer.status,
        problem=answer.problem.stored() if answer.problem else None,
        excerpt=answer.excerpt,
    )
    mine = Delivery.objects.filter(pk=delivery.pk)
    if answer.is_taken:
        mine.update(state="delivered")
        Endpoint.objects.filter(pk=delivery.endpoint_id).update(succeeded_at=now)
        return Pass(observed=lease.generation)
    if answer.status == GONE:
        mine.update(state="failed")
        reason = Sentence(gettext_noop("It answered that it is gone for good (410)."))
        switch_off(endpoint=delivery.endpoint_id, reason=reason, at=now)
        return Pass(observed=lease.generation)
    if delivery.attempts < len(SCHEDULE):
        return Pass(after=_wait(delivery.attempts, answer), failed=True)
    mine.update(state="failed")
    succeeded_at = Endpoint.objects.values_list("succeeded_at", flat=True).get(pk=delivery.endpoint_id)
    if succeeded_at is None or succeeded_at < delivery.created_at:
        reason = Sentence(gettext_noop("It has taken nothing for three days."))
        switch_off(endpoint=delivery.endpoint_id, reason=reason, at=now)
    return Pass(observed=lease.generation)


def _wait(attempts: int, answer: posting.Answer) -> timedelta:
    """By the schedule, and no less than the receiver asks for; with jitter, so that they do not all come at once."""
    seconds = max(SCHEDULE[attempts], min(answer.retry_after or 0, RETRY_AFTER_MOST))
    return timedelta(seconds=seconds * random.uniform(1.0, 1.2))  # nosec B311  # spreads, keeps no secret
