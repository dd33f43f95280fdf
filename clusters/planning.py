"""What would happen to a cluster: one function for preview, decision and drift, for one owner or for hundreds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clusters import rules
from clusters.access import PLAN_TIMEOUT, driver_for
from clusters.drivers.base import (
    REVISION_ANNOTATION,
    Change,
    Desired,
    DriverError,
    Manifest,
    ObjectRef,
    Unreachable,
)
from clusters.models import Bundle, BundleObject, BundleRevision, Cluster
from web.sealing import Unreadable
from web.sentences import Sentence

# How many calls a cluster gets at a time: its API server is the limit, more of them only wait there.
_AT_ONCE = 6

Reference = tuple[str, str, str, str]


@dataclass(frozen=True)
class Wanted:
    """What one owner's bundle in a cluster should be. `adopted`: uids of objects that exist already and that the
    request takes over, by rules.reference."""

    owner: str
    manifests: Sequence[Manifest]
    adopted: Mapping[Reference, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Changes to a cluster's objects as plain data, the revision they start from, and a digest of both.

    `changes`: [{"ref": {api_version, kind, namespace, name}, "action": add|change|remove|keep,
    "fields": [[path, live, wanted], ...]}]. `problem` says why it was made without the live cluster, else None.
    `usage`: what is in use of the owner's quota, {resource: quantity}; as last sampled where there is a problem, {}
    where nothing is known. It moves all the time, so that it is no part of the digest.
    """

    base_revision: int
    changes: list[dict[str, Any]]
    digest: str
    problem: Sentence | None
    usage: dict[str, str] = field(default_factory=dict)


class Base(NamedTuple):
    """What an owner's plan starts from: its bundle's generation, uid and wanted entries; (0, "", []) without one."""

    revision: int
    bundle: str
    before: list[dict[str, Any]]


class Refused(DriverError):
    """The cluster would refuse some of what is wanted; `sentences` says why, by owner."""

    def __init__(self, sentences: dict[str, Sentence]) -> None:
        super().__init__(next(iter(sentences.values())), transient=False)
        self.sentences = sentences


def plan(
    *, cluster: Cluster, owner: str, manifests: Sequence[Manifest], adopted: Mapping[Reference, str] | None = None
) -> Plan:
    """The plan of one owner; see plan_many."""
    return plan_many(cluster=cluster, wanted=[Wanted(owner, manifests, adopted or {})])[0]


def plan_many(*, cluster: Cluster, wanted: Sequence[Wanted]) -> list[Plan]:
    """Compares what each owner wants with the live cluster, in order; each owner at most once.

    Where the cluster cannot be reached, all are compared with their last revisions. Raises Refused if the cluster
    would refuse any. Speaks to the cluster (at most PLAN_TIMEOUT seconds an owner, several at a time): never call it
    inside a transaction.
    """
    owners = [item.owner for item in wanted]
    bases = bases_of(cluster, owners)
    # Who has no bundle yet has no objects either.
    known = _remembered(cluster, [owner for owner in owners if bases[owner].bundle])
    asked = [_asked(item, bases[item.owner], known[item.owner].uids) for item in wanted]
    answers = _answers(cluster, asked)
    refused = {
        item.owner: answer.sentence
        for item, answer in zip(wanted, answers, strict=True)
        if isinstance(answer, DriverError) and not (answer.transient or answer.operator)
    }
    if refused:
        raise Refused(refused)
    return [
        _plan(item, bases[item.owner], known[item.owner].used, answer)
        for item, answer in zip(wanted, answers, strict=True)
    ]


def bases_of(cluster: Cluster, owners: Sequence[str]) -> dict[str, Base]:
    """What each owner's next plan starts from, in two queries however many there are."""
    bundles = list(Bundle.objects.filter(cluster=cluster, owner__in=owners))
    newest = BundleRevision.objects.filter(bundle__in=bundles).order_by("bundle_id", "-number").distinct("bundle_id")
    before = dict(newest.values_list("bundle_id", "objects_wanted"))
    bases = {item.owner: Base(item.generation, str(item.uid), before.get(item.pk, [])) for item in bundles}
    return {owner: bases.get(owner, Base(0, "", [])) for owner in owners}


class _Known(NamedTuple):
    """What is remembered of an owner's objects: uids by reference, and the sampled use of its quota."""

    uids: dict[Reference, str]
    used: dict[str, str]


def _remembered(cluster: Cluster, owners: Sequence[str]) -> dict[str, _Known]:
    known: dict[str, _Known] = defaultdict(lambda: _Known({}, {}))
    if not owners:
        return known
    rows = BundleObject.objects.filter(bundle__cluster=cluster, bundle__owner__in=owners, had=True)
    columns = ("bundle__owner", "uid", "usage", "api_version", "kind", "namespace", "name")
    for owner, uid, usage, *ref in rows.values_list(*columns):
        known[owner].uids[tuple(ref)] = uid
        known[owner].used.update(usage.get("used", {}))
    return known


_Asked = tuple[list[Desired], list[ObjectRef]]
_Answer = tuple[Change, ...] | DriverError | Unreadable


def _asked(item: Wanted, base: Base, uids: Mapping[Reference, str]) -> _Asked:
    """What the driver is asked about one owner: the wanted objects, and those that would go."""
    known, names = {**uids, **item.adopted}, {rules.reference(manifest) for manifest in item.manifests}
    desired = [
        Desired(entry["manifest"], base.bundle, entry["changed_in"], known.get(rules.reference(entry["manifest"]), ""))
        for entry in rules.numbered(item.manifests, base.before, base.revision + 1)
    ]
    before = [rules.reference(entry["manifest"]) for entry in base.before]
    return desired, [ObjectRef(*ref) for ref in before if ref not in names]


def _answers(cluster: Cluster, asked: Sequence[_Asked]) -> Sequence[_Answer]:
    """What the driver says of each owner; once nobody answers, the same error for all of them."""
    try:
        driver = driver_for(cluster, PLAN_TIMEOUT)
    except (DriverError, Unreadable) as error:
        return [error] * len(asked)
    down: list[DriverError] = []

    def answer(one: _Asked) -> _Answer:
        # In a thread of its own: no database here.
        if down:
            return down[0]
        try:
            return driver.plan(*one)
        except DriverError as error:
            if error.operator or isinstance(error, Unreachable):
                down.append(error)
            return error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(answer, asked))
    return [down[0]] * len(asked) if down else answers


def _plan(item: Wanted, base: Base, sampled: dict[str, str], answer: _Answer) -> Plan:
    if isinstance(answer, DriverError | Unreadable):
        changes, problem, usage = against_revision(base.before, item.manifests), answer.sentence, sampled
    else:
        changes, problem, usage = [_plain(change) for change in answer], None, _used(answer)
    return Plan(base.revision, changes, digest_of(base.revision, item.manifests, changes), problem, usage)


def _used(changes: Sequence[Change]) -> dict[str, str]:
    used: dict[str, str] = {}
    for change in changes:
        used |= change.usage.get("used", {})
    return used


def digest_of(base_revision: int, manifests: Sequence[Manifest], changes: Sequence[dict[str, Any]]) -> str:
    """What a decision refers to: the base revision, the rendered objects and the difference in owned fields."""
    return rules.digest_of({"base": base_revision, "objects": list(manifests), "changes": list(changes)})


def against_revision(before: Sequence[dict[str, Any]], manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    """The changes from the last revision to the wanted manifests, without asking the cluster."""
    old = {rules.reference(entry["manifest"]): entry["manifest"] for entry in before}
    changes = []
    for manifest in manifests:
        ref = rules.reference(manifest)
        last = old.pop(ref, None)
        fields = rules.difference(last, manifest)
        action = "add" if last is None else ("change" if fields else "keep")
        changes.append({"ref": ObjectRef(*ref)._asdict(), "action": action, "fields": fields})
    changes += [{"ref": ObjectRef(*ref)._asdict(), "action": "remove", "fields": []} for ref in old]
    return changes


def _plain(change: Change) -> dict[str, Any]:
    """A driver's change as JSON; the portal's own fence is not a change anybody decides about."""
    fields = [list(field) for field in change.fields if REVISION_ANNOTATION not in field[0]]
    action = "keep" if change.action == "change" and not fields else change.action
    return {"ref": change.ref._asdict(), "action": action, "fields": fields}
