"""Writing a bundle's wanted revision to its cluster: intent first, object by object, then what is no longer wanted."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters import rules
from clusters.drivers.base import Applied, Desired, Driver, DriverError, ObjectRef, Observed
from clusters.models import Bundle, BundleObject, BundleRevision
from clusters.runs import Record
from web.sentences import Sentence
from work import claims, failpoints
from work.claims import Lease, guarded

# Ends a pass over a slow cluster before Celery's time limit would; the next one goes on from there.
PASS_SECONDS = 30.0
# How often what was done is written down, so that a page shows objects arriving one after the other.
NOTE_SECONDS = 0.5
# As many connections to a cluster as a process keeps.
OBJECTS_AT_ONCE = 4
DONE = ("applied", "ready")
# What was removed by ourselves may be wanted, and created, again.
GONE: dict[str, Any] = {"state": "gone", "had": False, "uid": "", "message": None}
_INTENDED = ("state", "message", "position", "revision")
_NOTED = ("state", "message", "had", "uid", "usage", "observed_at")

_REFUSED = {
    "superseded": gettext_noop("%(kind)s %(name)s is newer in the cluster than what was approved here."),
    "missing": gettext_noop("%(kind)s %(name)s was removed in the cluster by somebody else and is not created again."),
}


class Notes:
    """What became of objects, written down in batches under the lease.

    What is lost when a worker dies in between is found again: the next one meets the object and its fence.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._rows: dict[int, BundleObject] = {}
        self._written = time.monotonic()

    def add(self, row: BundleObject, **changes: Any) -> None:
        """Changes the row, and now and then writes all that came together. Raises LeaseLost."""
        for field, value in changes.items():
            setattr(row, field, value)
        self._rows[row.pk] = row
        if time.monotonic() - self._written > NOTE_SECONDS:
            self.write()

    def write(self) -> None:
        """Writes what came together. Raises LeaseLost."""
        if self._rows:
            with guarded(self._lease):
                self.store()
        self._written = time.monotonic()

    def store(self) -> None:
        """The same in the caller's transaction, which is guarded by the lease already."""
        if self._rows:
            # Not bulk_update, whose expressions cost more than all else of a pass (bench/reconcile).
            BundleObject.objects.bulk_create(
                self._rows.values(), update_conflicts=True, unique_fields=["id"], update_fields=_NOTED
            )
        self._rows = {}


class Writer:
    """One pass of writing over a bundle. `seen` is how objects were right after, where the cluster said so; `rows` are
    those that are kept, `revision` is what is wanted, and `notes` what is still to be written down of them, however the
    pass ends."""

    def __init__(self, lease: Lease, bundle: Bundle, revision: BundleRevision, driver: Driver, record: Record) -> None:
        self._lease = lease
        self._bundle = bundle
        self.revision = revision
        self._driver = driver
        self._record = record
        self.notes = Notes(lease)
        self._started = time.monotonic()
        self._failed = False
        self.seen: dict[ObjectRef, Observed] = {}
        self.rows: list[BundleObject] = []

    def write(self) -> str:
        """Makes every object as wanted, in order, then removes what is no longer wanted; the commit's id for GitOps."""
        kept, unwanted = self._intend()
        self.rows = [*kept, *unwanted]
        desired = [self._desired(row, entry) for row, entry in zip(kept, self.revision.objects_wanted, strict=True)]
        for _kind, group in groupby(zip(kept, desired, strict=True), key=lambda pair: pair[0].kind):
            self._bring(list(group))
        removed = self._prune(unwanted)
        failpoints.reach("before-commit")

        def still_ours() -> None:
            with guarded(self._lease):
                pass

        source = self.revision.provenance
        message = rules.commit_message(
            f"{self._bundle.namespace or self._bundle.owner}: revision {self.revision.number}", source
        )
        return self._driver.commit(desired, removed, message, still_ours, str(source.get("asker", "")))

    def is_seen_ready(self, row: BundleObject) -> bool:
        """Whether the object was ready right after it was written."""
        seen = self.seen.get(ref_of(row))
        return seen is not None and seen.ready

    def _intend(self) -> tuple[list[BundleObject], list[BundleObject]]:
        """Writes down, before anything is created, which objects this revision is about to keep; answers those, in
        order, and those that are no longer wanted but not gone, last ones first."""
        known = {tuple(ref_of(row)): row for row in self._bundle.objects_kept.all()}
        rows, new, changed = [], [], []
        for position, entry in enumerate(self.revision.objects_wanted):
            api_version, kind, namespace, name = ref = rules.reference(entry["manifest"])
            row = known.get(ref)
            if row is None:
                named = {"api_version": api_version, "kind": kind, "namespace": namespace, "name": name}
                row = BundleObject(bundle=self._bundle, revision=entry["changed_in"], position=position, **named)
                new.append(row)
            elif row.state not in DONE or (row.position, row.revision) != (position, entry["changed_in"]):
                # What an earlier pass has already done for this revision stays done.
                if row.state not in DONE or row.revision != entry["changed_in"]:
                    row.state, row.message = "pending", None
                row.position, row.revision = position, entry["changed_in"]
                changed.append(row)
            rows.append(row)
        if new or changed:
            with guarded(self._lease):
                BundleObject.objects.bulk_create(new)
                BundleObject.objects.bulk_create(
                    changed, update_conflicts=True, unique_fields=["id"], update_fields=_INTENDED
                )
        wanted = {row.pk for row in rows}
        unwanted = [row for row in known.values() if row.pk not in wanted and row.state != "gone"]
        return rows, sorted(unwanted, key=lambda row: -row.position)

    def _desired(self, row: BundleObject, entry: dict[str, Any]) -> Desired:
        uid = row.uid if row.had else ""
        return Desired(entry["manifest"], str(self._bundle.uid), entry["changed_in"], uid)

    def _bring(self, group: list[tuple[BundleObject, Desired]]) -> None:
        """Applies the objects of one kind, those that are not done, several at once: on a cluster far away the way
        there takes longer than the work. Raises the first error once those that were begun have ended."""
        at_once = not self._driver.capabilities.writes_at_commit
        todo = [(row, desired) for row, desired in group if not (at_once and row.state in DONE)]
        if at_once and len(todo) > 1:
            with ThreadPoolExecutor(OBJECTS_AT_ONCE) as pool:
                ended = list(pool.map(self._attempt, [desired for _row, desired in todo]))
        else:
            ended = [self._attempt(desired) for _row, desired in todo]
        errors = [
            error for (row, desired), one in zip(todo, ended, strict=True) if (error := self._note(row, desired, one))
        ]
        if errors:
            raise errors[0]

    def _attempt(self, desired: Desired) -> Applied | Exception | None:
        """In a thread of its own, where nothing asks the database; None if another one has failed before."""
        if self._failed:
            return None
        try:
            self._check()
            applied = self._driver.apply(desired)
            failpoints.reach(f"after-apply-{desired.ref.kind}")
        except Exception as error:
            self._failed = True
            return error
        return applied

    def _note(self, row: BundleObject, desired: Desired, ended: Applied | Exception | None) -> Exception | None:
        """Writes down how it ended for one object; answers the error that ends the pass."""
        if isinstance(ended, DriverError):
            state = "pending" if ended.transient else "failed"
            self._record.add(desired.ref, "retried" if ended.transient else "refused", ended.sentence)
            self.notes.add(row, state=state, message=ended.sentence.stored())
            return ended
        if ended is None or isinstance(ended, Exception):
            return ended
        if ended.seen is not None:
            self.seen[ended.ref] = ended.seen
        if ended.outcome in _REFUSED:
            sentence = about(row, _REFUSED[ended.outcome])
            self._record.add(ended.ref, ended.outcome, sentence)
            self.notes.add(row, state=ended.outcome, message=None)
            return DriverError(sentence, transient=False)
        self._record.add(ended.ref, ended.outcome)
        # Where the pass is committed as a whole, it exists only then.
        if not self._driver.capabilities.writes_at_commit:
            told = noticed(row, ended.seen)[0] if ended.seen else {"state": "applied", "message": None}
            self.notes.add(row, **told, had=True, uid=ended.uid or row.uid, observed_at=timezone.now())
        return None

    def _prune(self, unwanted: list[BundleObject]) -> list[ObjectRef]:
        """Removes objects of earlier revisions that are no longer wanted; answers their names."""
        removed = []
        for row in unwanted:
            self._check()
            ref = ref_of(row)
            removed.append(ref)
            is_gone = self._is_gone(ref, row)
            if is_gone or row.state != "removing":
                self._record.add(ref, "gone" if is_gone else "removing")
            self.notes.add(row, **(GONE if is_gone else {"state": "removing"}))
        return removed

    def _is_gone(self, ref: ObjectRef, row: BundleObject) -> bool:
        """Removes an object that is no longer wanted; one that was never ours is let go of."""
        try:
            return self._driver.delete(ref, row.uid, str(self._bundle.uid))
        except DriverError as error:
            if error.transient or error.operator or row.had:
                self._record.add(ref, "retried" if error.transient else "refused", error.sentence)
                raise
            return True

    def _check(self) -> None:
        """Before each call: raises LeaseLost, or a transient DriverError once the pass has taken long enough."""
        claims.check(self._lease)
        if time.monotonic() - self._started > PASS_SECONDS:
            raise DriverError(Sentence(gettext_noop("The cluster answers slowly; the rest follows.")), transient=True)


def noticed(row: BundleObject, observed: Observed) -> tuple[dict[str, Any], Sentence | None]:
    """What to write down of an object that is wanted, and a sentence if it is not as it should be."""
    state = "ready" if observed.ready else ("applied" if observed.exists else "missing")
    message = observed.message.stored() if observed.message else None
    changes = {"state": state, "message": message, "usage": observed.usage}
    if observed.ready:
        return changes, None
    return changes, observed.message or about(row, gettext_noop("%(kind)s %(name)s is not ready yet."))


def about(row: BundleObject, text: str) -> Sentence:
    """A sentence about one object; `text` has the placeholders kind and name."""
    return Sentence(text, {"kind": row.kind, "name": row.name})


def ref_of(row: BundleObject) -> ObjectRef:
    """The object's name in its cluster."""
    return ObjectRef(row.api_version, row.kind, row.namespace, row.name)
