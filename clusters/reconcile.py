"""One bounded pass that brings a cluster closer to a bundle's wanted revision."""

import random
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters import circuit, drift, following, observing, sampling
from clusters.access import PASS_TIMEOUT, driver_for
from clusters.applying import GONE, Notes, Writer
from clusters.drivers.base import Driver, DriverError
from clusters.models import Bundle, BundleObject, BundleRevision
from clusters.runs import Record
from web import sealing
from web.sentences import Sentence
from work.claims import Lease, LeaseLost, guarded
from work.tasks import Pass

LOOK_AGAIN_FIRST, LOOK_AGAIN_LAST = timedelta(seconds=1), timedelta(seconds=30)  # while objects become ready
OBSERVE_EVERY, OBSERVE_LAST = timedelta(seconds=60), timedelta(seconds=300)  # once they are: keeps usage figures fresh
SWEEP_FOR = timedelta(hours=1)  # after everything of a bundle is gone
RETRY_AFTER_MOST = timedelta(seconds=300)  # whatever a server asks for
WAIT_FOR_OTHERS = timedelta(seconds=5)


def reconcile(lease: Lease) -> Pass:
    """Applies, prunes and observes once. What the server refuses for good blocks the bundle with its sentence; what
    may pass is tried again. Nothing is written to the database once the lease is lost, but that it was."""
    bundle = Bundle.objects.select_related("cluster__health", "parent").get(pk=lease.pk)
    record = Record(bundle, lease.generation)
    try:
        driver = driver_for(bundle.cluster, PASS_TIMEOUT)
        if bundle.observed_generation < lease.generation:
            outcome = _bring(lease, bundle, driver, record)
        else:
            outcome = _look(lease, bundle, driver)
    except DriverError as error:
        return _stop(lease, bundle, error, record)
    except sealing.Unreadable as error:
        return _stop(lease, bundle, DriverError(error.sentence, transient=False, operator=True), record)
    except LeaseLost:
        record.keep("lost")
        raise
    return outcome


def _bring(lease: Lease, bundle: Bundle, driver: Driver, record: Record) -> Pass:
    """Writes what is wanted, and says whether the cluster agrees with it by now."""
    revision = bundle.revisions.get(number=lease.generation)
    waits = _waits_for(bundle, revision)
    if waits is not None:
        with guarded(lease):
            Bundle.objects.filter(pk=lease.pk).update(message=waits.stored())
        return Pass(after=WAIT_FOR_OTHERS)
    writer = Writer(lease, bundle, revision, driver, record)
    try:
        try:
            committed = writer.write()
        finally:
            observing.check_known(lease, bundle, writer.seen.values())
        _worked(bundle)
        return _settle(lease, bundle, revision, driver, committed, writer, record)
    finally:
        writer.notes.write()


def _waits_for(bundle: Bundle, revision: BundleRevision) -> Sentence | None:
    """What lives in something is created after it and removed before it; None if nothing is in the way."""
    if revision.objects_wanted:
        if bundle.parent is not None and bundle.parent.observed_generation == 0:
            return Sentence(gettext_noop("Waits until %(name)s is there."), {"name": bundle.parent.namespace})
        return None
    inside = bundle.children.filter(objects_kept__isnull=False).exclude(objects_kept__state="gone").first()
    if inside is None:
        return None
    return Sentence(gettext_noop("Waits until %(owner)s is removed from it."), {"owner": inside.owner})


def _settle(
    lease: Lease,
    bundle: Bundle,
    revision: BundleRevision,
    driver: Driver,
    committed: str,
    writer: Writer,
    record: Record,
) -> Pass:
    """Observes, and says whether the cluster agrees with the revision by now."""
    now = timezone.now()
    if driver.capabilities.writes_at_commit:
        writer.notes.write()
        with guarded(lease):
            kept = bundle.objects_kept.exclude(state__in=["gone", "removing"])
            kept.update(state="applied", had=True, uid=str(bundle.uid), observed_at=now)
            # Said already while the cluster takes it over, where that is seen; later passes find nothing to commit.
            current = Bundle.objects.filter(pk=lease.pk, generation=lease.generation)
            current.update(committed=bundle.committed or committed)
    if not driver.capabilities.can_observe:
        with guarded(lease):
            bundle.objects_kept.filter(state="removing").update(observed_at=now, **GONE)
        _agree(lease, bundle, "committed", now, writer, record)
        return Pass(observed=lease.generation)
    # What was seen to be ready right after it was written is noted as such already.
    rows = [row for row in writer.rows if not writer.is_seen_ready(row)]
    unready = observing.observe(lease, bundle, driver, now, rows, writer.notes)
    if unready:
        with guarded(lease):
            writer.notes.store()
            Bundle.objects.filter(pk=lease.pk).update(message=unready[0].stored())
            # Once it is committed, further passes only wait for the cluster.
            if not record.is_empty and not bundle.committed:
                record.keep("committed" if committed else "waiting", unready[0].stored())
        # What takes long is looked at less often.
        return Pass(after=max(LOOK_AGAIN_FIRST, min(LOOK_AGAIN_LAST, (now - revision.created_at) / 10)))
    _agree(lease, bundle, "ready", now, writer, record)
    after = OBSERVE_EVERY if revision.objects_wanted else _next_look(bundle, now)
    return Pass(observed=lease.generation, after=after)


def _next_look(bundle: Bundle, now: datetime) -> timedelta | None:
    """Less and less often the longer nothing changed: a thousand bundles must not keep workers busy with looking. None
    once a bundle has kept nothing for long; until then a worker that was stopped before, or a call that was under
    way, may still create something."""
    agreed_at = bundle.revisions.values_list("agreed_at", flat=True).first()
    age = now - (agreed_at or now)
    if bundle.objects_kept.exclude(state="gone").exists():
        return max(OBSERVE_EVERY, min(OBSERVE_LAST, age / 4))
    return max(OBSERVE_EVERY, age) if age < SWEEP_FOR else None


def _agree(lease: Lease, bundle: Bundle, outcome: str, now: datetime, writer: Writer, record: Record) -> None:
    """Writes down that the cluster has the revision, and so all before it."""
    with guarded(lease):
        writer.notes.store()
        sampling.take(bundle, writer.rows, now)
        Bundle.objects.filter(pk=lease.pk).update(message=None, blocked=False)
        before = bundle.revisions.filter(number__lte=lease.generation, agreed_at__isnull=True)
        is_news = bool(before.update(agreed_at=now))
        record.keep(outcome)
        drift.agreed(bundle, now)
        if is_news:
            came = range(bundle.observed_generation + 1, lease.generation + 1)
            following.moved(bundle, came, outcome if writer.revision.objects_wanted else "removed", now)


def _look(lease: Lease, bundle: Bundle, driver: Driver) -> Pass:
    """Observes a bundle that has nothing to be applied, and sweeps away what a late worker brought back."""
    if not driver.capabilities.can_observe:
        return Pass()
    rows, notes, now = list(bundle.objects_kept.all()), Notes(lease), timezone.now()
    seen: list[BundleObject] = []
    try:
        observing.sweep(lease, bundle, driver, rows)
        unready = observing.observe(lease, bundle, driver, now, rows, notes)
        seen = rows
        _worked(bundle)
    except DriverError as error:
        # The wanted revision is in place: looking again is all there is to do.
        unready = [error.sentence]
        circuit.failed(bundle.cluster, error, timezone.now())
    with guarded(lease):
        notes.store()
        sampling.take(bundle, seen, now)
        Bundle.objects.filter(pk=lease.pk).update(message=unready[0].stored() if unready else None)
    return Pass(after=_next_look(bundle, timezone.now()))


def _worked(bundle: Bundle) -> None:
    health = getattr(bundle.cluster, "health", None)
    if health is not None and health.failures:
        circuit.worked(bundle.cluster)


def _stop(lease: Lease, bundle: Bundle, error: DriverError, record: Record) -> Pass:
    """Writes the server's sentence; transient and operator errors are tried again, others wait for a person."""
    again = error.transient or error.operator
    with guarded(lease):
        # A newer revision may have come meanwhile; this error is not about that one.
        current = Bundle.objects.filter(pk=lease.pk, generation=lease.generation)
        is_wanted = bool(current.update(message=error.sentence.stored(), blocked=not again))
        record.keep("retrying" if again else "blocked", error.sentence.stored())
        if is_wanted and not again:
            following.moved(bundle, [lease.generation], "blocked", timezone.now(), error.sentence)
    circuit.failed(bundle.cluster, error, timezone.now())
    if not again:
        return Pass()
    if error.retry_after is None:
        return Pass(failed=True)
    # All who were told the same would else come back at the same moment.
    asked = min(timedelta(seconds=error.retry_after), RETRY_AFTER_MOST)
    return Pass(failed=True, after=asked * random.uniform(1.0, 1.25))  # nosec B311  # spreads, keeps no secret
