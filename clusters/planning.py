"""What would happen to a cluster: one function for preview, decision and drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clusters import rules
from clusters.access import PLAN_TIMEOUT, driver_for
from clusters.drivers.base import REVISION_ANNOTATION, Change, Desired, DriverError, Manifest, ObjectRef
from clusters.models import Bundle, Cluster
from clusters.sealing import Unreadable
from web.sentences import Sentence


@dataclass(frozen=True)
class Plan:
    """Changes to a cluster's objects as plain data, the revision they start from, and a digest of both.

    `changes`: [{"ref": {api_version, kind, namespace, name}, "action": add|change|remove|keep,
    "fields": [[path, live, wanted], ...]}]. `problem` says why it was made without the live cluster, else None.
    """

    base_revision: int
    changes: list[dict[str, Any]]
    digest: str
    problem: Sentence | None


def plan(*, cluster: Cluster, owner: str, manifests: Sequence[Manifest]) -> Plan:
    """Compares the wanted manifests with the live cluster; where it cannot be reached, with the last revision.

    Speaks to the cluster (at most PLAN_TIMEOUT seconds a call): never call it inside a transaction.
    """
    base, uid, before = base_of(cluster, owner)
    wanted = rules.numbered(manifests, before, base + 1)
    names = {rules.reference(manifest) for manifest in manifests}
    removed = [e["manifest"] for e in before if rules.reference(e["manifest"]) not in names]
    try:
        driver = driver_for(cluster, PLAN_TIMEOUT)
        desired = [Desired(entry["manifest"], uid, entry["changed_in"]) for entry in wanted]
        live = driver.plan(desired, [ObjectRef(*rules.reference(manifest)) for manifest in removed])
        changes = [_plain(change) for change in live]
    except (DriverError, Unreadable) as error:
        if isinstance(error, DriverError) and not (error.transient or error.operator):
            raise
        changes = against_revision(before, manifests)
        return Plan(base, changes, digest_of(base, manifests, changes), error.sentence)
    return Plan(base, changes, digest_of(base, manifests, changes), None)


def base_of(cluster: Cluster, owner: str) -> tuple[int, str, list[dict[str, Any]]]:
    """(number, bundle uid, wanted entries) of the owner's newest revision; (0, "", []) where there is none yet."""
    bundle = Bundle.objects.filter(cluster=cluster, owner=owner).first()
    if bundle is None:
        return 0, "", []
    newest = bundle.revisions.first()
    return bundle.generation, str(bundle.uid), newest.objects_wanted if newest else []


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
