"""Asking again and again whether a cluster still has what was applied, and what is done about it."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit import services as audit
from clusters import circuit
from clusters.access import PASS_TIMEOUT, driver_for
from clusters.drivers.base import Desired, DriverError, Finding, ObjectRef
from clusters.models import Bundle, BundleObject, DriftCheck
from clusters.services import repairing
from web.sealing import Unreadable
from web.sentences import Sentence
from work.claims import Lease, guarded
from work.tasks import Pass

# While something else is done with the bundle.
SOON = timedelta(seconds=60)
RETRY_AFTER_MOST = timedelta(seconds=300)
# Somebody, or something, keeps changing what was brought back this often.
REPAIRS, WITHIN = 3, timedelta(hours=1)
# What is kept of what others wrote: it may be anything, and as much as they like.
MOST_FOREIGN, MOST_FIELDS, LONGEST_VALUE = 100, 50, 1000

Entry = dict[str, Any]


def agreed(bundle: Bundle, at: datetime) -> None:
    """The cluster has what is wanted of the bundle: from now on it is compared again and again; at once where
    something differed before, or where nothing had been kept. In the caller's transaction."""
    first = {"lane": bundle.lane, "generation": 1, "due_at": at + _spread(timedelta(seconds=settings.DRIFT_SECONDS))}
    DriftCheck.objects.bulk_create([DriftCheck(bundle=bundle, **first)], ignore_conflicts=True)
    stale = DriftCheck.objects.filter(Q(found_at__isnull=False) | Q(due_at__isnull=True), bundle=bundle)
    # The generation, so that a comparison that is under way comes back for this.
    stale.update(generation=F("generation") + 1, due_at=at, attempts=0)


def check(lease: Lease) -> Pass:
    """Compares the bundle with its cluster once and writes down what differs; where the cluster's policy says so, what
    the portal keeps is brought back. Not while a change is under way: that one applies everything anyway."""
    bundle = DriftCheck.objects.select_related("bundle__cluster").get(pk=lease.pk).bundle
    if not _is_at_rest(bundle):
        return Pass(after=_spread(SOON))
    try:
        findings = _look(bundle)
    except Unreadable as error:
        return _unanswered(lease, bundle, DriverError(error.sentence, transient=False, operator=True))
    except DriverError as error:
        return _unanswered(lease, bundle, error)
    circuit.worked(bundle.cluster)
    return _noted(lease, bundle, findings)


def _is_at_rest(bundle: Bundle) -> bool:
    return bundle.observed_generation >= bundle.generation > 0 and not bundle.blocked


def _spread(after: timedelta) -> timedelta:
    """About as long, so that a thousand bundles of one batch do not come back at once."""
    return after * random.uniform(0.9, 1.1)  # nosec B311  # spreads, keeps no secret


def _look(bundle: Bundle) -> list[Finding]:
    """What the cluster has otherwise; nothing for a bundle that keeps nothing any more."""
    newest = bundle.revisions.first()
    entries = newest.objects_wanted if newest else []
    if not entries:
        return []
    had = bundle.objects_kept.filter(had=True).values_list("uid", "api_version", "kind", "namespace", "name")
    uids = {ObjectRef(*ref): uid for uid, *ref in had}
    desired = [Desired(entry["manifest"], str(bundle.uid), entry["changed_in"]) for entry in entries]
    desired = [Desired(item.manifest, item.bundle, item.changed_in, uids.get(item.ref, "")) for item in desired]
    found = driver_for(bundle.cluster, PASS_TIMEOUT).drift(desired, bundle.namespace)
    others = [finding for finding in found if finding.sort == "foreign"]
    if not any(item.ref.kind == "Namespace" for item in desired):
        # What else is in a namespace is told of once, by whoever keeps the namespace.
        others = []
    if others:
        # What other bundles keep there is the portal's: as they remember it, whatever the object itself claims.
        kept = BundleObject.objects.filter(bundle__cluster=bundle.cluster, namespace=bundle.namespace)
        kept = kept.exclude(state="gone").exclude(bundle=bundle)
        known = {ObjectRef(*ref) for ref in kept.values_list("api_version", "kind", "namespace", "name")}
        others = [finding for finding in others if finding.ref not in known]
    return [finding for finding in found if finding.sort != "foreign"] + others[:MOST_FOREIGN]


def _unanswered(lease: Lease, bundle: Bundle, error: DriverError) -> Pass:
    """What was found before stays as it is, with its age: nobody can say anything else now."""
    with guarded(lease):
        DriftCheck.objects.filter(pk=lease.pk).update(problem=error.sentence.stored())
    circuit.failed(bundle.cluster, error, timezone.now())
    # What a server asks for, within limits.
    after = min(timedelta(seconds=error.retry_after), RETRY_AFTER_MOST) if error.retry_after else None
    return Pass(failed=True, after=after)


def _noted(lease: Lease, seen: Bundle, findings: Sequence[Finding]) -> Pass:
    now = timezone.now()
    with transaction.atomic():
        # Always the bundle before its row of drift: reconciling locks them in this order too.
        bundle = Bundle.objects.select_for_update(of=("self",)).select_related("cluster", "tenant").get(pk=seen.pk)
        with guarded(lease):
            if bundle.generation != seen.generation or not _is_at_rest(bundle):
                # What was seen is about a revision that is no longer wanted.
                return Pass(after=_spread(SOON))
            row = DriftCheck.objects.get(pk=lease.pk)
            found = _entries(bundle, findings, row.found, now)
            _record(bundle, row.found, found, now)
            since = (row.found_at or now) if found else None
            changes = {"found": found, "found_at": since, "checked_at": now, "problem": None}
            DriftCheck.objects.filter(pk=row.pk).update(**changes)
            if _may_by_itself(bundle, found):
                repairing.repair(bundle=bundle.uid, by=None, at=now)
    if not bundle.objects_kept.exclude(state="gone").exists():
        return Pass(observed=lease.generation)
    return Pass(observed=lease.generation, after=_spread(timedelta(seconds=settings.DRIFT_SECONDS)))


def _entries(bundle: Bundle, findings: Iterable[Finding], before: Iterable[Entry], now: datetime) -> list[Entry]:
    """What was found as JSON (models.DriftCheck says of what), each with the time since when it is so."""
    known = {(_key(entry), entry["sort"]): entry["since"] for entry in before}
    often = _brought_back(bundle, now)
    entries = []
    for finding in findings:
        entry: Entry = {
            "ref": finding.ref._asdict(),
            "sort": finding.sort,
            "place": finding.place,
            "fields": [
                [_storable(path), _kept(live), _kept(wanted)] for path, live, wanted in finding.fields[:MOST_FIELDS]
            ],
            "uid": finding.uid,
            "by": _storable(finding.by[:200]),
            "at": finding.at,
            "refused": finding.refused.stored() if finding.refused else None,
            "held_back": None,
        }
        entry["since"] = known.get((_key(entry), finding.sort), now.isoformat())
        held_back = _held_back(finding, often[_key(entry)])
        entry["held_back"] = held_back.stored() if held_back else None
        entries.append(entry)
    return entries


def _key(entry: Entry) -> tuple[str, ...]:
    # A database does not keep the order of an object's members.
    return (*ObjectRef(**entry["ref"]), entry["place"])


def _brought_back(bundle: Bundle, now: datetime) -> Counter[tuple[str, ...]]:
    """How often each object was brought back by itself within the last hour."""
    recent = bundle.revisions.filter(created_at__gt=now - WITHIN, provenance__repair__by="")
    repairs = recent.values_list("provenance__repair__objects", flat=True)
    return Counter((*ObjectRef(**ref), "") for objects in repairs for ref in objects)


def _held_back(finding: Finding, times: int) -> Sentence | None:
    """Why the portal does not bring it back by itself, although a person may have it brought back."""
    if finding.sort == "foreign" or finding.place:
        return None
    if finding.sort in ("missing", "replaced") and finding.ref.kind == "Namespace":
        text = gettext_noop("A namespace that somebody removed or replaced is made again only when a person says so.")
        return Sentence(text)
    if times < REPAIRS:
        return None
    text = gettext_noop(
        "It was brought back %(count)s times within an hour, and somebody keeps changing it (%(by)s): from now on "
        "it is only reported."
    )
    return Sentence(text, {"count": times, "by": finding.by or "?"})


def _may_by_itself(bundle: Bundle, found: Sequence[Entry]) -> bool:
    """Whether all that differs is to be brought back without a person; foreign objects are never touched."""
    if bundle.cluster.on_drift != "repair" or bundle.cluster.held_since is not None:
        return False
    newest = bundle.revisions.first()
    if newest is None or newest.number < bundle.generation:
        # After a restore somebody left it as it is: what the cluster has was approved, but is no longer known.
        return False
    ours = repairing.repairable(found)
    return bool(ours) and not any(entry["held_back"] or entry["refused"] for entry in ours)


def _record(bundle: Bundle, before: Sequence[Entry], found: Sequence[Entry], now: datetime) -> None:
    """An event for what is new or different by now, and one for what is gone."""
    old = {(_key(entry), entry["sort"], json.dumps(entry["fields"])) for entry in before}
    new = [e for e in found if (_key(e), e["sort"], json.dumps(e["fields"])) not in old]
    still = {_key(entry) for entry in found}
    gone = [entry for entry in before if _key(entry) not in still]
    for action, entries in (("bundle.drift-found", new), ("bundle.drift-gone", gone)):
        if entries:
            told = [{name: entry[name] for name in ("ref", "sort", "place", "by", "at")} for entry in entries]
            audit.record(
                actor=None,
                action=action,
                subject=f"bundle:{bundle.uid}",
                tenant=bundle.tenant.code,
                after={"objects": told},
                at=now,
            )


def _kept(value: Any) -> Any:
    """A value as others wrote it: cut where it is long, and without what PostgreSQL's jsonb refuses."""
    text = json.dumps(value, ensure_ascii=False)
    return _storable(value if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…")


def _storable(value: Any) -> Any:
    """Without NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value
