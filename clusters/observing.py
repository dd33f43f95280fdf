"""Seeing how a bundle's objects are in its cluster, and sweeping away what a late worker brought back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from clusters.applying import Notes, about, ref_of
from clusters.drivers.base import Driver, ObjectRef, Observed
from clusters.models import Bundle, BundleObject
from web.sentences import Sentence
from work.claims import Lease, guarded


def observe(
    lease: Lease, bundle: Bundle, driver: Driver, now: datetime, known: Mapping[ObjectRef, Observed]
) -> list[Sentence]:
    """Writes how each object is; answers a sentence for each that is not ready, or not gone if it is to go.

    What is `known` to be ready from just now is not asked again.
    """
    rows = list(bundle.objects_kept.exclude(state="gone"))
    fresh = {ref: seen for ref, seen in known.items() if seen.ready}
    asked = [ref for ref in map(ref_of, rows) if ref not in fresh]
    seen = fresh | dict(zip(asked, driver.observe(asked) if asked else (), strict=True))
    unready, notes = [], Notes(lease)
    for row in rows:
        changes, sentence = _noticed(row, seen[ref_of(row)])
        notes.add(row, observed_at=now, **changes)
        if sentence:
            unready.append(sentence)
    notes.write()
    return unready


def _noticed(row: BundleObject, observed: Observed) -> tuple[dict[str, Any], Sentence | None]:
    """What to write down of an object, and a sentence if it is not as it should be."""
    if row.state == "removing":
        # That it is gone is for the next pass to say, which asks by uid: another one may have its name by now.
        leaving = observed.message if observed.exists else None
        sentence = leaving or about(row, gettext_noop("%(kind)s %(name)s is being removed."))
        return {"message": sentence.stored()}, sentence
    state = "ready" if observed.ready else ("applied" if observed.exists else "missing")
    message = observed.message.stored() if observed.message else None
    changes = {"state": state, "message": message, "usage": observed.usage}
    if observed.ready:
        return changes, None
    return changes, observed.message or about(row, gettext_noop("%(kind)s %(name)s is not ready yet."))


def sweep(lease: Lease, bundle: Bundle, driver: Driver) -> None:
    """Removes objects with this bundle's fence that it no longer keeps, the namespace too: created by a worker that was
    stopped between reading and creating while another one removed them. Only the very ones that were seen, by their
    uid, and none of a revision that this database does not know yet: an older one was restored then."""
    kept = {ref_of(row) for row in bundle.objects_kept.exclude(state="gone")}
    there = (*driver.inventory(bundle.namespace), ObjectRef("v1", "Namespace", "", bundle.namespace))
    extra = [ref for ref in there if ref.name and ref not in kept]
    for seen in driver.observe(extra) if extra else ():
        if seen.exists and seen.bundle == str(bundle.uid) and seen.revision <= bundle.generation:
            with guarded(lease):
                pass
            driver.delete(seen.ref, seen.uid, seen.bundle)
