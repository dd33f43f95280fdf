"""The fence on every object the portal keeps: whose it is and how new, and what that allows."""

import copy
from typing import Literal, NamedTuple

from django.utils.translation import gettext_noop

from clusters.drivers.base import MANAGED_LABEL, REVISION_ANNOTATION, Desired, DriverError, Manifest, ObjectRef
from web.sentences import Sentence

Verdict = Literal["create", "apply", "superseded", "missing"]


class Fence(NamedTuple):
    """The bundle an object belongs to and the revision in which it last changed."""

    bundle: str
    revision: int


def stamped(desired: Desired) -> Manifest:
    """A copy of the manifest with the fence annotation and the portal's label."""
    manifest = copy.deepcopy(desired.manifest)
    meta = manifest["metadata"]
    meta["labels"] = {**(meta.get("labels") or {}), MANAGED_LABEL: "true"}
    meta["annotations"] = {
        **(meta.get("annotations") or {}),
        REVISION_ANNOTATION: f"{desired.bundle}/{desired.changed_in}",
    }
    return manifest


def fence_of(live: Manifest) -> Fence | None:
    """The fence on a live object; None where there is none, or nothing the portal would have written."""
    annotations = live["metadata"].get("annotations") or {}
    bundle, _slash, revision = str(annotations.get(REVISION_ANNOTATION, "")).rpartition("/")
    if not bundle or not (revision.isascii() and revision.isdigit()):
        return None
    return Fence(bundle, int(revision))


def judge(live: Manifest | None, desired: Desired) -> Verdict:
    """What may be done with the live object; raises a permanent DriverError if it belongs to somebody else."""
    if live is None:
        return "missing" if desired.uid else "create"
    check_ours(live, desired.ref, desired.uid, desired.bundle)
    fence = fence_of(live)
    return "superseded" if fence and fence.revision > desired.changed_in else "apply"


def check_ours(live: Manifest, ref: ObjectRef, uid: str, bundle: str) -> None:
    """Raises a permanent DriverError naming the holder, unless the live object is the bundle's.

    An object that lost its annotation is still ours if it is the very one that we remember by `uid`.
    """
    fence = fence_of(live)
    words = {"kind": ref.kind, "name": ref.name}
    if fence is None:
        if uid and uid == live["metadata"].get("uid"):
            return
        words["holder"] = ", ".join(_writers(live)) or "?"
        text = gettext_noop("%(kind)s %(name)s exists already and is not the portal's; it was written by: %(holder)s.")
        raise DriverError(Sentence(text, words), transient=False)
    if fence.bundle != bundle:
        words["holder"] = fence.bundle
        text = gettext_noop("%(kind)s %(name)s exists already and belongs to another owner in the portal (%(holder)s).")
        raise DriverError(Sentence(text, words), transient=False)


def claimed(live: Manifest, desired: Desired, uid: str) -> Sentence | None:
    """Why the live object's fence keeps the portal from applying, if it does: another bundle's, or a newer one. Without
    any fence it may be taken over by whoever confirms that it is the one with this `uid`."""
    try:
        check_ours(live, desired.ref, uid, desired.bundle)
    except DriverError as error:
        return error.sentence
    fence = fence_of(live)
    if fence is None or fence.revision <= desired.changed_in:
        return None
    text = gettext_noop("%(kind)s %(name)s is newer in the cluster than what was approved here.")
    return Sentence(text, {"kind": desired.ref.kind, "name": desired.ref.name})


def _writers(live: Manifest) -> list[str]:
    entries = live["metadata"].get("managedFields") or []
    return sorted({entry["manager"] for entry in entries if not entry.get("subresource")})
