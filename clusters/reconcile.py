"""One bounded pass that brings a cluster closer to a bundle's wanted revision."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters import sealing
from clusters.access import PASS_TIMEOUT, driver_for
from clusters.drivers.base import Applied, Desired, Driver, DriverError, ObjectRef
from clusters.models import Bundle, BundleObject, BundleRevision
from web.sentences import Sentence
from work import failpoints
from work.claims import Lease, guarded
from work.tasks import Pass

LOOK_AGAIN_FIRST, LOOK_AGAIN_LAST = timedelta(seconds=1), timedelta(seconds=30)  # while objects become ready
OBSERVE_EVERY = timedelta(seconds=60)  # once they are: keeps usage figures fresh


def reconcile(lease: Lease) -> Pass:
    """Applies, prunes and observes once. What the server refuses for good blocks the bundle with its sentence; what
    may pass is tried again. Nothing is written to the database once the lease is lost."""
    bundle = Bundle.objects.select_related("cluster").get(pk=lease.pk)
    revision = bundle.revisions.get(number=lease.generation)
    try:
        driver = driver_for(bundle.cluster, PASS_TIMEOUT)
        if bundle.observed_generation < lease.generation:
            committed = _apply(lease, bundle, revision, driver)
            return _settle(lease, bundle, revision, driver, committed)
        return _look(lease, bundle, driver)
    except DriverError as error:
        return _stop(lease, error)
    except sealing.Unreadable as error:
        return _stop(lease, DriverError(error.sentence, transient=False))


def _apply(lease: Lease, bundle: Bundle, revision: BundleRevision, driver: Driver) -> str:
    """Makes every object as wanted, in order, then removes what is no longer wanted; the commit's id for GitOps."""
    kept = _intend(lease, bundle, revision)
    desired = []
    for row, entry in zip(kept, revision.objects_wanted, strict=True):
        wanted = Desired(entry["manifest"], str(bundle.uid), entry["changed_in"], row.uid if row.had else "")
        desired.append(wanted)
        try:
            applied = driver.apply(wanted)
            failpoints.reach(f"after-apply-{row.kind}")
            _remember(lease, row, applied)
        except DriverError as error:
            with guarded(lease):
                BundleObject.objects.filter(pk=row.pk).update(
                    state="pending" if error.transient else "failed", message=error.sentence.stored()
                )
            raise
    removed = _prune(lease, bundle, kept, driver)
    source = revision.provenance
    message = f"{bundle.namespace}: revision {revision.number}\n\nRequest: {source.get('request', '')}\n"
    message += f"Asked by: {source.get('asker', '')}\nApproved by: {', '.join(source.get('approvers', []))}\n"
    return driver.commit(desired, removed, message)


def _intend(lease: Lease, bundle: Bundle, revision: BundleRevision) -> list[BundleObject]:
    """Writes down, before anything is created, which objects this revision is about to keep."""
    rows = []
    with guarded(lease):
        for position, entry in enumerate(revision.objects_wanted):
            meta = entry["manifest"]["metadata"]
            row, _created = BundleObject.objects.update_or_create(
                bundle=bundle,
                api_version=entry["manifest"]["apiVersion"],
                kind=entry["manifest"]["kind"],
                namespace=meta.get("namespace", ""),
                name=meta["name"],
                defaults={"position": position, "revision": entry["changed_in"], "state": "pending", "message": None},
            )
            rows.append(row)
    return rows


def _remember(lease: Lease, row: BundleObject, applied: Applied) -> None:
    """Writes what became of one object."""
    gone = applied.outcome == "missing"
    state = {"superseded": "superseded", "missing": "missing"}.get(applied.outcome, "applied")
    changes: dict[str, Any] = {"state": state, "message": None}
    if not gone:
        changes |= {"had": True, "uid": applied.uid or row.uid}
    with guarded(lease):
        BundleObject.objects.filter(pk=row.pk).update(**changes)
    if gone:
        text = gettext_noop("%(kind)s %(name)s was removed in the cluster by somebody else and is not created again.")
        raise DriverError(_about(row, text), transient=False)


def _prune(lease: Lease, bundle: Bundle, kept: list[BundleObject], driver: Driver) -> list[ObjectRef]:
    """Removes objects of earlier revisions that are no longer wanted, last ones first; answers their names."""
    extra = bundle.objects_kept.exclude(pk__in=[row.pk for row in kept]).exclude(state="gone").order_by("-position")
    removed = []
    for row in extra:
        ref = ref_of(row)
        removed.append(ref)
        state = "gone" if driver.delete(ref, row.uid, str(bundle.uid)) else "removing"
        with guarded(lease):
            BundleObject.objects.filter(pk=row.pk).update(state=state)
    return removed


def _settle(lease: Lease, bundle: Bundle, revision: BundleRevision, driver: Driver, committed: str) -> Pass:
    """Observes, and says whether the cluster agrees with the revision by now."""
    now = timezone.now()
    if not driver.capabilities.can_observe:
        with guarded(lease):
            bundle.objects_kept.filter(state="removing").update(state="gone", observed_at=now)
            bundle.objects_kept.exclude(state="gone").update(state="applied", observed_at=now)
        _note(lease, ready_at=bundle.ready_at or now, committed=committed, message=None)
        return Pass(observed=lease.generation)
    unready = _observe(lease, bundle, driver, now)
    if unready:
        _note(lease, message=unready[0].stored())
        # What takes long is looked at less often.
        return Pass(after=max(LOOK_AGAIN_FIRST, min(LOOK_AGAIN_LAST, (now - revision.created_at) / 10)))
    _note(lease, ready_at=bundle.ready_at or now, committed=committed, message=None)
    return Pass(observed=lease.generation, after=OBSERVE_EVERY)


def _look(lease: Lease, bundle: Bundle, driver: Driver) -> Pass:
    """Observes a bundle that has nothing to be applied; it changes nothing in the cluster."""
    if not driver.capabilities.can_observe:
        return Pass()
    unready = _observe(lease, bundle, driver, timezone.now())
    _note(lease, message=unready[0].stored() if unready else None)
    return Pass(after=OBSERVE_EVERY)


def _observe(lease: Lease, bundle: Bundle, driver: Driver, now: datetime) -> list[Sentence]:
    """Writes how each object is; answers a sentence for each that is not ready."""
    rows = list(bundle.objects_kept.exclude(state__in=["gone", "removing"]))
    seen = driver.observe([ref_of(row) for row in rows])
    leaving = bundle.objects_kept.filter(state="removing")
    unready = [_about(row, gettext_noop("%(kind)s %(name)s is being removed.")) for row in leaving]
    with guarded(lease):
        for row, observed in zip(rows, seen, strict=True):
            if not observed.ready:
                unready.append(observed.message or _about(row, gettext_noop("%(kind)s %(name)s is not ready yet.")))
            state = "ready" if observed.ready else ("applied" if observed.exists else "missing")
            BundleObject.objects.filter(pk=row.pk).update(
                state=state,
                message=observed.message.stored() if observed.message else None,
                usage=observed.usage,
                observed_at=now,
            )
    return unready


def _stop(lease: Lease, error: DriverError) -> Pass:
    """Writes the server's sentence; transient and operator errors are tried again, others wait for a person."""
    again = error.transient or error.operator
    _note(lease, message=error.sentence.stored(), blocked=not again)
    if not again:
        return Pass()
    return Pass(failed=True, after=timedelta(seconds=error.retry_after) if error.retry_after else None)


def _note(lease: Lease, **changes: Any) -> None:
    with guarded(lease):
        Bundle.objects.filter(pk=lease.pk).update(**changes)


def _about(row: BundleObject, text: str) -> Sentence:
    """A sentence about one object; `text` has the placeholders kind and name."""
    return Sentence(text, {"kind": row.kind, "name": row.name})


def ref_of(row: BundleObject) -> ObjectRef:
    """The object's name in its cluster."""
    return ObjectRef(row.api_version, row.kind, row.namespace, row.name)
