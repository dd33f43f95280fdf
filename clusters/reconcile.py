"""One bounded pass that brings a cluster closer to a bundle's wanted revision."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters import rules, sealing
from clusters.access import PASS_TIMEOUT, driver_for
from clusters.drivers.base import Applied, Desired, Driver, DriverError, ObjectRef, Observed
from clusters.models import Bundle, BundleObject, BundleRevision
from web.sentences import Sentence
from work import failpoints
from work.claims import Lease, guarded
from work.tasks import Pass

LOOK_AGAIN_FIRST, LOOK_AGAIN_LAST = timedelta(seconds=1), timedelta(seconds=30)  # while objects become ready
OBSERVE_EVERY = timedelta(seconds=60)  # once they are: keeps usage figures fresh
RETRY_AFTER_MOST = timedelta(seconds=300)  # whatever a server asks for
# Ends a pass over a slow cluster before Celery's time limit would; the next one goes on from there.
PASS_SECONDS = 30.0
DONE = ("applied", "ready")
# What was removed by ourselves may be wanted, and created, again.
GONE: dict[str, Any] = {"state": "gone", "had": False, "uid": "", "message": None}


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
        return _stop(lease, DriverError(error.sentence, transient=False, operator=True))


def _apply(lease: Lease, bundle: Bundle, revision: BundleRevision, driver: Driver) -> str:
    """Makes every object as wanted, in order, then removes what is no longer wanted; the commit's id for GitOps."""
    kept, started = _intend(lease, bundle, revision), time.monotonic()
    at_once = not driver.capabilities.writes_at_commit
    desired = []
    for row, entry in zip(kept, revision.objects_wanted, strict=True):
        wanted = Desired(entry["manifest"], str(bundle.uid), entry["changed_in"], row.uid if row.had else "")
        desired.append(wanted)
        if at_once and row.state in DONE:
            continue
        _check_time(started)
        try:
            applied = driver.apply(wanted)
            failpoints.reach(f"after-apply-{row.kind}")
            _remember(lease, row, applied, had=at_once)
        except DriverError as error:
            with guarded(lease):
                BundleObject.objects.filter(pk=row.pk).update(
                    state="pending" if error.transient else "failed", message=error.sentence.stored()
                )
            raise
    removed = _prune(lease, bundle, kept, driver, started)
    message = rules.commit_message(f"{bundle.namespace}: revision {revision.number}", revision.provenance)
    author = str(revision.provenance.get("asker", ""))
    failpoints.reach("before-commit")

    def still_ours() -> None:
        with guarded(lease):
            pass

    return driver.commit(desired, removed, message, still_ours, author)


def _intend(lease: Lease, bundle: Bundle, revision: BundleRevision) -> list[BundleObject]:
    """Writes down, before anything is created, which objects this revision is about to keep."""
    rows = []
    with guarded(lease):
        for position, entry in enumerate(revision.objects_wanted):
            api_version, kind, namespace, name = rules.reference(entry["manifest"])
            row, _created = BundleObject.objects.get_or_create(
                bundle=bundle,
                api_version=api_version,
                kind=kind,
                namespace=namespace,
                name=name,
                defaults={"revision": entry["changed_in"]},
            )
            # What an earlier pass has already done for this revision stays done.
            if row.state not in DONE or row.revision != entry["changed_in"]:
                row.state, row.message = "pending", None
            row.position, row.revision = position, entry["changed_in"]
            row.save(update_fields=["state", "message", "position", "revision"])
            rows.append(row)
    return rows


def _remember(lease: Lease, row: BundleObject, applied: Applied, *, had: bool) -> None:
    """Writes what became of one object; `had` is False where it exists only once the pass is committed."""
    refused = {
        "superseded": gettext_noop("%(kind)s %(name)s is newer in the cluster than what was approved here."),
        "missing": gettext_noop(
            "%(kind)s %(name)s was removed in the cluster by somebody else and is not created again."
        ),
    }
    changes: dict[str, Any] = {"state": "pending", "message": None}
    if applied.outcome in refused:
        changes["state"] = applied.outcome
    elif had:
        changes |= {"state": "applied", "had": True, "uid": applied.uid or row.uid}
    with guarded(lease):
        BundleObject.objects.filter(pk=row.pk).update(**changes)
    if applied.outcome in refused:
        raise DriverError(_about(row, refused[applied.outcome]), transient=False)


def _check_time(started: float) -> None:
    """Raises a transient DriverError once the pass has taken long enough."""
    if time.monotonic() - started > PASS_SECONDS:
        raise DriverError(Sentence(gettext_noop("The cluster answers slowly; the rest follows.")), transient=True)


def _prune(lease: Lease, bundle: Bundle, kept: list[BundleObject], driver: Driver, started: float) -> list[ObjectRef]:
    """Removes objects of earlier revisions that are no longer wanted, last ones first; answers their names."""
    extra = bundle.objects_kept.exclude(pk__in=[row.pk for row in kept]).exclude(state="gone").order_by("-position")
    removed = []
    for row in extra:
        _check_time(started)
        ref = ref_of(row)
        removed.append(ref)
        changes = GONE if _is_gone(driver, ref, row, bundle) else {"state": "removing"}
        with guarded(lease):
            BundleObject.objects.filter(pk=row.pk).update(**changes)
    return removed


def _is_gone(driver: Driver, ref: ObjectRef, row: BundleObject, bundle: Bundle) -> bool:
    """Removes an object that is no longer wanted; one that was never ours is let go of."""
    try:
        return driver.delete(ref, row.uid, str(bundle.uid))
    except DriverError as error:
        if error.transient or error.operator or row.had:
            raise
        return True


def _settle(lease: Lease, bundle: Bundle, revision: BundleRevision, driver: Driver, committed: str) -> Pass:
    """Observes, and says whether the cluster agrees with the revision by now."""
    now = timezone.now()
    if driver.capabilities.writes_at_commit:
        with guarded(lease):
            kept = bundle.objects_kept.exclude(state__in=["gone", "removing"])
            kept.update(state="applied", had=True, uid=str(bundle.uid), observed_at=now)
            # Said already while the cluster takes it over, where that is seen; later passes find nothing to commit.
            current = Bundle.objects.filter(pk=lease.pk, generation=lease.generation)
            current.update(committed=bundle.committed or committed)
    if not driver.capabilities.can_observe:
        with guarded(lease):
            bundle.objects_kept.filter(state="removing").update(observed_at=now, **GONE)
        _agree(lease, bundle, now)
        return Pass(observed=lease.generation)
    unready = _observe(lease, bundle, driver, now)
    if unready:
        _note(lease, message=unready[0].stored())
        # What takes long is looked at less often.
        return Pass(after=max(LOOK_AGAIN_FIRST, min(LOOK_AGAIN_LAST, (now - revision.created_at) / 10)))
    _agree(lease, bundle, now)
    return Pass(observed=lease.generation, after=_next_look(bundle))


def _next_look(bundle: Bundle) -> timedelta | None:
    """None once a bundle keeps nothing any more: there is nothing left to look at."""
    return OBSERVE_EVERY if bundle.objects_kept.exclude(state="gone").exists() else None


def _agree(lease: Lease, bundle: Bundle, now: datetime) -> None:
    """Writes down that the cluster has the revision, and so all before it."""
    with guarded(lease):
        Bundle.objects.filter(pk=lease.pk).update(message=None, blocked=False)
        before = bundle.revisions.filter(number__lte=lease.generation, agreed_at__isnull=True)
        before.update(agreed_at=now)


def _look(lease: Lease, bundle: Bundle, driver: Driver) -> Pass:
    """Observes a bundle that has nothing to be applied, and sweeps away what a late worker brought back."""
    if not driver.capabilities.can_observe:
        return Pass()
    try:
        _sweep(lease, bundle, driver)
        unready = _observe(lease, bundle, driver, timezone.now())
    except DriverError as error:
        # The wanted revision is in place: looking again is all there is to do.
        unready = [error.sentence]
    _note(lease, message=unready[0].stored() if unready else None)
    return Pass(after=_next_look(bundle))


def _sweep(lease: Lease, bundle: Bundle, driver: Driver) -> None:
    """Removes objects with this bundle's fence that it no longer keeps: created by a worker that was stopped between
    reading and creating while another one removed them. Only the very ones that were seen, by their uid."""
    kept = {ref_of(row) for row in bundle.objects_kept.exclude(state="gone")}
    extra = [ref for ref in driver.inventory(bundle.namespace) if ref not in kept]
    for seen in driver.observe(extra) if extra else ():
        if seen.exists and seen.bundle == str(bundle.uid):
            with guarded(lease):
                pass
            driver.delete(seen.ref, seen.uid, seen.bundle)


def _observe(lease: Lease, bundle: Bundle, driver: Driver, now: datetime) -> list[Sentence]:
    """Writes how each object is; answers a sentence for each that is not ready, or not gone if it is to go."""
    rows = list(bundle.objects_kept.exclude(state="gone"))
    seen = driver.observe([ref_of(row) for row in rows])
    unready = []
    with guarded(lease):
        for row, observed in zip(rows, seen, strict=True):
            changes, sentence = _noticed(row, observed)
            BundleObject.objects.filter(pk=row.pk).update(observed_at=now, **changes)
            if sentence:
                unready.append(sentence)
    return unready


def _noticed(row: BundleObject, observed: Observed) -> tuple[dict[str, Any], Sentence | None]:
    """What to write down of an object, and a sentence if it is not as it should be."""
    if row.state == "removing":
        # That it is gone is for the next pass to say, which asks by uid: another one may have its name by now.
        leaving = observed.message if observed.exists else None
        sentence = leaving or _about(row, gettext_noop("%(kind)s %(name)s is being removed."))
        return {"message": sentence.stored()}, sentence
    state = "ready" if observed.ready else ("applied" if observed.exists else "missing")
    message = observed.message.stored() if observed.message else None
    changes = {"state": state, "message": message, "usage": observed.usage}
    if observed.ready:
        return changes, None
    return changes, observed.message or _about(row, gettext_noop("%(kind)s %(name)s is not ready yet."))


def _stop(lease: Lease, error: DriverError) -> Pass:
    """Writes the server's sentence; transient and operator errors are tried again, others wait for a person."""
    again = error.transient or error.operator
    with guarded(lease):
        # A newer revision may have come meanwhile; this error is not about that one.
        current = Bundle.objects.filter(pk=lease.pk, generation=lease.generation)
        current.update(message=error.sentence.stored(), blocked=not again)
    if not again:
        return Pass()
    after = min(timedelta(seconds=error.retry_after), RETRY_AFTER_MOST) if error.retry_after else None
    return Pass(failed=True, after=after)


def _note(lease: Lease, **changes: Any) -> None:
    with guarded(lease):
        Bundle.objects.filter(pk=lease.pk).update(**changes)


def _about(row: BundleObject, text: str) -> Sentence:
    """A sentence about one object; `text` has the placeholders kind and name."""
    return Sentence(text, {"kind": row.kind, "name": row.name})


def ref_of(row: BundleObject) -> ObjectRef:
    """The object's name in its cluster."""
    return ObjectRef(row.api_version, row.kind, row.namespace, row.name)
