"""What of a live object is not as wanted: by a server dry run, or as text where the server cannot be asked."""

import copy
from typing import Any

from clusters import rules
from clusters.drivers.base import REVISION_ANNOTATION, SCRATCH_NAMESPACE, Desired, Manifest
from clusters.drivers.fence import stamped
from clusters.drivers.kubernetes.client import Client
from clusters.drivers.kubernetes.ownership import CLOSED_KINDS, additions, without

Fields = tuple[tuple[str, Any, Any], ...]

# No tenant's code has a hyphen, so no object of the portal's is called like this.
_SCRATCH = "dry-run"
# What the server writes by itself; a difference there is none of anybody's wishes.
_NOISE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


def by_dry_run(client: Client, live: Manifest, desired: Desired) -> Fields:
    """(path, live, wanted) of what an apply would change, without the fence; raises DriverError if it is refused."""
    # A JSON patch of managedFields cannot be chained to a dry run: what only the POST's entry owns shows as kept.
    wanted = client.apply(stamped(desired), desired.ref, dry_run=True)
    wanted = without(wanted, foreign_keys(client, wanted, desired))
    return fields_between(_compared(live), _compared(wanted))


def as_text(live: Manifest, desired: Desired) -> Fields:
    """(path, live, wanted) of what is written otherwise, the fence too; of closed kinds the whole parts count.

    Without a call, so what the server only writes in another form ("1000m" for "1") and its defaults differ as well:
    nothing here means that an apply changes nothing.
    """
    before, after = rules.flat(live), rules.flat(stamped(desired))
    parts = CLOSED_KINDS.get(desired.ref.kind, ())
    within = {path for path in before if path.split(".", 1)[0] in parts}
    paths = sorted(path for path in within | after.keys() if before.get(path) != after.get(path))
    return tuple((path, before.get(path), after.get(path)) for path in paths)


def foreign_keys(client: Client, live: Manifest, desired: Desired) -> list[tuple[str, ...]]:
    """Paths of keys in a closed kind that neither the manifest nor the server's defaults explain."""
    extra = additions(live, desired.manifest)
    if not extra:
        return []
    pure = tried_elsewhere(client, desired)
    defaults = set(additions(pure, desired.manifest))
    return [path for path in extra if path not in defaults]


def tried_elsewhere(client: Client, desired: Desired) -> Manifest:
    """What the server would make of the manifest alone, by a dry run in the scratch namespace, or under a scratch name
    that nothing has where there are no namespaces."""
    body = stamped(desired)
    meta = body["metadata"]
    meta |= {"namespace": SCRATCH_NAMESPACE} if meta.get("namespace") else {"name": f"{SCRATCH_NAMESPACE}-{_SCRATCH}"}
    return client.create(body, dry_run=True)


def fields_between(before: Manifest | None, after: Manifest) -> Fields:
    """(path, before, after) of every leaf that differs."""
    return tuple((path, old, new) for path, old, new in rules.difference(before, after))


def _compared(manifest: Manifest) -> Manifest:
    """The manifest without what the server writes by itself and without the fence, which changes at every revision."""
    compared = copy.deepcopy(manifest)
    compared.pop("status", None)
    meta = compared["metadata"]
    for key in _NOISE:
        meta.pop(key, None)
    annotations = meta.pop("annotations", {})
    annotations.pop(REVISION_ANNOTATION, None)
    if annotations:
        meta["annotations"] = annotations
    return compared
