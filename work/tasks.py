"""The one Celery task: claim an item, hand it to its handler, give it back."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from celery import shared_task
from django.apps import apps
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from work import claims, failpoints
from work.models import WorkItem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pass:
    """How one pass over an item ended.

    `observed`: the generation that is now true, None if not there yet. `after`: when to look again, None for never
    (until somebody wants something). `failed`: whether it counts as a failed attempt; then `after` None means back off.
    """

    observed: int | None = None
    after: timedelta | None = None
    failed: bool = False


class Handler(Protocol):
    """One bounded pass over an item under a lease."""

    def __call__(self, lease: claims.Lease) -> Pass:
        """Does what can be done now; never waits for something to become ready."""
        ...


def handler_of(label: str) -> tuple[type[WorkItem], Handler]:
    """The model and handler that settings.WORK_ITEMS names for `label`; KeyError if it names none."""
    return apps.get_model(label), import_string(dict(settings.WORK_ITEMS)[label])


@shared_task(name="work.drive")
def drive(label: str, pk: int) -> None:
    """One pass over the item `pk` of the model `label`, if it is still due and nobody else has it."""
    model, handler = handler_of(label)
    lease = claims.claim(model, pk, timezone.now())
    if lease is None:
        return
    failpoints.reach("after-claim")
    try:
        with claims.kept(lease):
            outcome = attempt(handler, lease)
            failpoints.reach("before-finish")
        give_back(lease, outcome, timezone.now())
        failpoints.reach("after-finish")
    except claims.LeaseLost:
        log.warning("lease of %s %s was lost; its new owner goes on", label, pk)


def attempt(handler: Handler, lease: claims.Lease) -> Pass:
    """The handler's outcome; an unexpected error is logged and counts as a failed attempt."""
    try:
        return handler(lease)
    except claims.LeaseLost:
        raise
    except Exception:
        log.exception("pass over %s %s failed", lease.model._meta.label, lease.pk)
        return Pass(failed=True)


def give_back(lease: claims.Lease, outcome: Pass, at: datetime) -> None:
    """Writes the outcome down; raises LeaseLost, and writes nothing, if the item is somebody else's by now."""
    attempts = 0
    after = outcome.after
    if outcome.failed:
        attempts = 1 + lease.model._default_manager.values_list("attempts", flat=True).get(pk=lease.pk)
        after = after or claims.backoff(attempts)
    claims.finish(lease, at, next_at=at + after if after else None, observed=outcome.observed, attempts=attempts)
