"""The work of a planned removal: waits for its grace period, looks once more, makes the bundle empty, follows it."""

from datetime import datetime, timedelta
from functools import reduce

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters import planning
from clusters.access import PLAN_TIMEOUT, driver_for
from clusters.drivers.base import DriverError
from clusters.models import Bundle
from tenants.blockers import blockers_of, is_known
from tenants.models import Deletion
from tenants.services import deletion as services
from web.sentences import Sentence
from work.claims import Lease, guarded
from work.tasks import Pass

# People have to remove what is in the way; a cluster comes back by itself, so it is tried again sooner.
BLOCKED_AGAIN = timedelta(hours=1)
FOLLOW_FIRST, FOLLOW_LAST = timedelta(seconds=1), timedelta(minutes=1)


def proceed(lease: Lease) -> Pass:
    """One bounded pass over a removal: repeating it is harmless."""
    return proceed_at(lease, timezone.now())


def proceed_at(lease: Lease, now: datetime) -> Pass:
    """As `proceed`, at a given time."""
    row = Deletion.objects.select_related("project__bundle__cluster", "request").get(pk=lease.pk)
    if row.called_off_at is not None or row.done_at is not None:
        return Pass()
    if row.started_at is not None:
        return _follow(lease, row, row.started_at, now)
    if now < row.due_from:
        return Pass(after=row.due_from - now)
    hindered = _hindered(row)
    if hindered is not None:
        sentence, again = hindered
        with guarded(lease):
            services.note(deletion=row.pk, sentence=sentence)
        return Pass(failed=again is None, after=again)
    with guarded(lease):
        services.begin(deletion=row.pk, at=now)
    return Pass(after=FOLLOW_FIRST)


def _hindered(row: Deletion) -> tuple[Sentence, timedelta | None] | None:
    """What is in the way and when to look again (None: as after any failure), from what the cluster has now; None:
    nothing. Network, so outside of any transaction. What could not be seen is not removed: somebody may use it now."""
    bundle = row.project.bundle
    try:
        seen = planning.plan(cluster=bundle.cluster, owner=bundle.owner, manifests=[])
    except DriverError as error:
        return error.sentence, None
    if seen.problem is not None:
        return seen.problem, None
    observes = driver_for(bundle.cluster, PLAN_TIMEOUT).capabilities.can_observe
    if observes and not is_known(seen.usage):
        return Sentence(gettext_noop("What runs in the project could not be seen.")), None
    found = blockers_of(row.project, seen.usage)
    return (reduce(_joined, found), BLOCKED_AGAIN) if found else None


def _joined(one: Sentence, other: Sentence) -> Sentence:
    return Sentence("%(one)s %(other)s", {"one": one, "other": other})


def _follow(lease: Lease, row: Deletion, started_at: datetime, now: datetime) -> Pass:
    """Whether the cluster has removed everything by now; what takes long is looked at less often."""
    revision = row.request.outcomes.get(bundle=row.project.bundle_id).revision
    with guarded(lease):
        bundle = Bundle.objects.get(pk=row.project.bundle_id)
        if bundle.observed_generation >= revision:
            services.end(deletion=row.pk, at=now)
            return Pass()
        Deletion.objects.filter(pk=row.pk).update(message=bundle.message)
    return Pass(after=max(FOLLOW_FIRST, min(FOLLOW_LAST, (now - started_at) / 10)))
