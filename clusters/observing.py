"""Seeing how a bundle's objects are in its cluster, and sweeping away what a late worker brought back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters.applying import Notes, about, noticed, ref_of
from clusters.drivers.base import Driver, ObjectRef, Observed
from clusters.holding import hold_for_restore
from clusters.models import Bundle, BundleObject
from web.sentences import Sentence
from work.claims import Lease, guarded


def observe(
    lease: Lease, bundle: Bundle, driver: Driver, now: datetime, rows: Iterable[BundleObject], notes: Notes
) -> list[Sentence]:
    """Notes how each object is, for the caller to store; answers a sentence for each that is not ready, or not gone if
    it is to go."""
    rows = [row for row in rows if row.state != "gone"]
    seen = driver.observe([ref_of(row) for row in rows]) if rows else ()
    check_known(lease, bundle, seen)
    unready = []
    for row, observed in zip(rows, seen, strict=True):
        changes, sentence = _told(row, observed)
        notes.add(row, observed_at=now, **changes)
        if sentence:
            unready.append(sentence)
    return unready


def _told(row: BundleObject, observed: Observed) -> tuple[dict[str, Any], Sentence | None]:
    if row.state != "removing":
        return noticed(row, observed)
    # That it is gone is for the next pass to say, which asks by uid: another one may have its name by now.
    leaving = observed.message if observed.exists else None
    sentence = leaving or about(row, gettext_noop("%(kind)s %(name)s is being removed."))
    return {"message": sentence.stored()}, sentence


def sweep(lease: Lease, bundle: Bundle, driver: Driver, rows: Iterable[BundleObject]) -> None:
    """Removes objects with this bundle's fence that it no longer keeps, the namespace too: created by a worker that was
    stopped between reading and creating while another one removed them. Only the very ones that were seen, by their
    uid, and none of a revision that this database does not know yet: an older one was restored then."""
    kept = {ref_of(row) for row in rows if row.state != "gone"}
    newest = bundle.revisions.values_list("number", flat=True).first() or 0
    there = (*driver.inventory(bundle.namespace), ObjectRef("v1", "Namespace", "", bundle.namespace))
    extra = [ref for ref in there if ref.name and ref not in kept]
    for seen in driver.observe(extra) if extra else ():
        if seen.exists and seen.bundle == str(bundle.uid) and seen.revision <= newest:
            with guarded(lease):
                pass
            driver.delete(seen.ref, seen.uid, seen.bundle)


def check_known(lease: Lease, bundle: Bundle, seen: Iterable[Observed]) -> None:
    """Holds the cluster if an object carries a revision of the bundle that this database knows nothing of: an older
    one was restored, and what else the cluster has beyond it is for a person to see first."""
    newest = max((one.revision for one in seen if one.bundle == str(bundle.uid)), default=0)
    if newest <= bundle.generation:
        return
    with guarded(lease):
        # Nobody else works on the bundle, so that its generation now is all that anybody could have written.
        if newest > Bundle.objects.values_list("generation", flat=True).get(pk=bundle.pk):
            hold_for_restore([bundle.cluster], timezone.now())
