"""Whether a cluster has taken over what was committed: its live objects, read-only, beside the files."""

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext_noop

from clusters.drivers.base import Change, Connection, DriverError, Manifest, ObjectRef, Observed
from clusters.drivers.fence import fence_of
from clusters.drivers.kubernetes import KubernetesDriver
from web.sentences import Sentence

# There in every cluster, and readable by whoever may read namespaces.
_ALWAYS_THERE = ObjectRef("v1", "Namespace", "", "default")


class Observer:
    """Reads a cluster through its API server and writes nothing."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._cluster = KubernetesDriver(connection, timeout)

    def observed(self, refs: Sequence[ObjectRef], files: Sequence[Manifest | None]) -> tuple[Observed, ...]:
        """How the objects are in Git and in the cluster: ready only if the live one is the committed one."""
        live = self._cluster.observe(refs)
        return tuple(_compared(ref, file, seen) for ref, file, seen in zip(refs, files, live, strict=True))

    def used(self, changes: Sequence[Change]) -> list[Change]:
        """The changes with the figures of live quotas."""
        quotas = [change.ref for change in changes if change.ref.kind == "ResourceQuota"]
        usage = {seen.ref: seen.usage for seen in self._cluster.observe(quotas)}
        return [replace(change, usage=usage.get(change.ref, {})) for change in changes]

    def is_gone(self, ref: ObjectRef, bundle: str) -> bool:
        """Whether the cluster no longer has the bundle's object; one of another owner is not it."""
        (seen,) = self._cluster.observe([ref])
        return not seen.exists or seen.bundle != bundle

    def problem(self) -> Sentence | None:
        """Why the cluster cannot be observed; None if it can."""
        try:
            self._cluster.observe([_ALWAYS_THERE])
        except DriverError as error:
            text = gettext_noop("The cluster behind the Git repository cannot be observed: %(reason)s")
            return Sentence(text, {"reason": error.sentence})
        return None


def of_files(ref: ObjectRef, file: Manifest | None) -> Observed:
    """Whether an object is in Git: all that is known where nobody looks into the cluster. Its uid is its bundle's."""
    fence = fence_of(file) if file else None
    if file is None:
        text = gettext_noop("%(kind)s %(name)s is not in the Git repository.")
        return Observed(ref, False, False, _about(ref, text))
    bundle, revision = fence or ("", 0)
    return Observed(ref, True, False, uid=bundle, bundle=bundle, revision=revision)


def _compared(ref: ObjectRef, file: Manifest | None, live: Observed) -> Observed:
    in_git = of_files(ref, file)
    if file is None:
        if not live.exists:
            return in_git
        text = gettext_noop("%(kind)s %(name)s is no longer in the Git repository, but still in the cluster.")
        return replace(live, ready=False, message=_about(ref, text), uid=live.bundle)
    if not live.exists:
        text = gettext_noop("%(kind)s %(name)s is committed, and not in the cluster yet.")
    elif (live.bundle, live.revision) != (fence_of(file) or ("", 0)):
        text = gettext_noop("%(kind)s %(name)s in the cluster is not the committed version yet.")
    else:
        return replace(live, uid=in_git.uid)
    return replace(in_git, message=_about(ref, text), usage=live.usage)


def _about(ref: ObjectRef, text: str) -> Sentence:
    return Sentence(text, {"kind": ref.kind, "name": ref.name})
