"""Plans, commits and removes objects as files on a branch of a Git repository."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext_noop
from dulwich.file import FileLocked
from dulwich.objects import Tree

from clusters import rules
from clusters.drivers.base import (
    MANAGED_LABEL,
    REVISION_ANNOTATION,
    Applied,
    Capabilities,
    Capacity,
    Change,
    Connection,
    Desired,
    DriverError,
    Finding,
    Manifest,
    ObjectRef,
    Observed,
    Outcome,
    Probe,
    Surveyed,
)
from clusters.drivers.fence import check_ours, fence_of, judge, stamped
from clusters.drivers.files import drifted_files, text_of
from clusters.drivers.gitops.head import Head
from clusters.drivers.gitops.local import locked
from clusters.drivers.gitops.observing import Observer, of_files
from clusters.drivers.gitops.repository import Repository, open_repository
from clusters.drivers.gitops.writing import changes_of, new_commit, write
from clusters.drivers.kubernetes.drifting import seen_from_outside
from web.sentences import Sentence

# Between two attempts in seconds, when another writer was faster; up to twice as long, so that two do not stay in step.
_PAUSE = 0.02


class GitOpsDriver:
    """A Driver over one branch of one repository; an object's uid is its bundle's.

    `apply` and `delete` answer from the branch as this driver saw it first, `commit` reads it anew and writes. With an
    observer's connection the cluster is read too, and never written to. Made for one pass of one thread.
    """

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        observer = connection.observer
        self.capabilities = Capabilities(
            can_dry_run=False,
            can_observe=observer is not None,
            can_hold_secrets=False,
            can_survey=False,
            writes_at_commit=True,
        )
        self._observer = Observer(observer, timeout) if observer else None
        self._opened: Repository | None = None
        self._seen: Head | None = None
        # Whose the files were that this pass asked to delete.
        self._asked: dict[ObjectRef, str] = {}

    def plan(self, desired: Sequence[Desired], removed: Sequence[ObjectRef]) -> tuple[Change, ...]:
        """The files of the branch against the wanted ones; see Driver."""
        head = self._look(self._deadline())
        changes = [_planned(head, item) for item in desired]
        changes += [Change(ref, "keep" if head.manifest(ref) is None else "remove") for ref in removed]
        return tuple(self._observer.used(changes) if self._observer else changes)

    def apply(self, desired: Desired) -> Applied:
        """Says what `commit` will do with the object, unless somebody else is faster; see Driver."""
        head = self._head()
        live = head.manifest(desired.ref)
        verdict = judge(live, desired)
        if verdict in ("missing", "superseded"):
            refused: Outcome = "missing" if live is None else "superseded"
            return Applied(desired.ref, refused, _bundle(live), head.commit_id, of_files(desired.ref, live))
        outcome: Outcome = "created" if live is None else "changed"
        if head.text(desired.ref) == text_of(stamped(desired)):
            outcome = "unchanged"
        return Applied(desired.ref, outcome, desired.bundle, head.commit_id)

    def commit(
        self,
        desired: Sequence[Desired],
        removed: Sequence[ObjectRef],
        message: str,
        still_ours: Callable[[], None] = lambda: None,
        author: str = "",
    ) -> str:
        """Writes the objects of a pass in one commit and answers its id; the branch's own if nothing differs.

        Newer files stay, and so do files that somebody removed. Tried again when somebody else was faster.
        Raises DriverError: transient when `timeout` seconds did not suffice, permanent for files of others.
        """
        deadline, held = self._deadline(), None
        # What this pass has read is good enough: if it is no longer so, the branch has moved and moving it fails.
        head = self._seen or self._look(deadline)
        while True:
            try:
                written = self._written(head, desired, removed, message, still_ours, author, deadline)
            except FileLocked as error:
                written, held = None, locked(error)
            self._seen = None
            if written is not None:
                self._asked.clear()
                return written
            if time.monotonic() > deadline:
                text = gettext_noop("Others are writing to the Git repository all the time.")
                raise DriverError(held or Sentence(text), transient=True)
            time.sleep(_PAUSE * (1 + random.random()))  # nosec B311  # spreads, keeps no secret
            head = self._look(deadline)

    def observe(self, refs: Sequence[ObjectRef]) -> tuple[Observed, ...]:
        """Whether there are files; with an observer, what became of them in the cluster too."""
        head = self._look(self._deadline())
        files = [head.manifest(ref) for ref in refs]
        if self._observer:
            return self._observer.observed(refs, files)
        return tuple(of_files(ref, file) for ref, file in zip(refs, files, strict=True))

    def inventory(self, namespace: str) -> tuple[ObjectRef, ...]:
        """The portal's objects in a namespace's folder; see Driver."""
        found = []
        for manifest in self._look(self._deadline()).manifests(namespace):
            ref = ObjectRef(*rules.reference(manifest))
            if ref.namespace == namespace and (manifest["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true":
                found.append(ref)
        return tuple(found)

    def census(self) -> tuple[Observed, ...]:
        """Every object in the portal's folder that has a fence; see Driver."""
        manifests = self._look(self._deadline()).everything()
        return tuple(of_files(ObjectRef(*rules.reference(m)), m) for m in manifests if fence_of(m) is not None)

    def drift(self, desired: Sequence[Desired], namespace: str) -> tuple[Finding, ...]:
        """The files of the branch against the wanted ones, and with an observer the live objects too; see Driver."""
        head = self._look(self._deadline())
        found = drifted_files(desired, head.manifest, head.manifests(namespace) if namespace else [])
        observer = self._connection.observer
        if observer is None:
            return found
        return (*found, *seen_from_outside(observer, self._timeout, desired, namespace))

    def delete(self, ref: ObjectRef, uid: str, bundle: str = "") -> bool:
        """True if there is no such file any more, nor with an observer such an object in the cluster; else the file
        may be removed by `commit`; see Driver."""
        live = self._head().manifest(ref)
        if live is None:
            return self._observer is None or self._observer.is_gone(ref, uid or bundle)
        check_ours(live, ref, "", uid or bundle)
        self._asked[ref] = _bundle(live)
        return False

    def survey(self, selector: str = "", names: Sequence[str] = ()) -> tuple[Surveyed, ...]:
        """Nothing is known here of what others keep in the cluster: raises DriverError."""
        text = gettext_noop("The cluster is written to through Git, so what is in it cannot be looked at.")
        raise DriverError(Sentence(text), transient=False)

    def capacity(self) -> Capacity:
        """Nothing is known here of nodes: raises DriverError."""
        text = gettext_noop("The cluster is written to through Git, so its capacity has to be stated by hand.")
        raise DriverError(Sentence(text), transient=False)

    def probe(self) -> Probe:
        """Whether the branch can be read and moved, and the cluster observed; the version is the branch's commit.

        facts: {"branch": str, "folder": str, "is_empty": bool, "observes": bool}.
        """
        deadline = self._deadline()
        head = self._look(deadline)
        trial = head.sha
        if trial is None:
            nothing = Tree()
            commit = new_commit(nothing.id, None, "Trial\n")
            for thing in (nothing, commit):
                self._repository().store.add_object(thing)
            trial = commit.id
        problems = [self._repository().problem(head.sha, trial, deadline)]
        problems.append(self._observer.problem() if self._observer else None)
        facts = {
            "branch": self._connection.branch,
            "folder": self._connection.folder,
            "is_empty": head.sha is None,
            "observes": self._observer is not None,
        }
        return Probe(head.commit_id or "-", tuple(filter(None, problems)), datetime.now(UTC), facts)

    def _written(
        self,
        head: Head,
        desired: Sequence[Desired],
        removed: Sequence[ObjectRef],
        message: str,
        still_ours: Callable[[], None],
        author: str,
        deadline: float,
    ) -> str | None:
        """One attempt on top of `head`; None if the branch has moved meanwhile."""
        # Asked after the head was read: whoever takes over later finds the branch moved, or moves it first.
        still_ours()
        bundles = {item.bundle for item in desired}
        # A name may have gone to another bundle since: that one's file stays.
        gone = [ref for ref in removed if _bundle(head.manifest(ref)) in bundles | {self._asked.get(ref)}]
        changes = changes_of(head, desired, gone)
        if not changes:
            return head.commit_id
        repository = self._repository()
        commit = write(repository.store, head, changes, message, author, self._connection.signing_key)
        return commit.decode() if repository.move(head.sha, commit, deadline) else None

    def _head(self) -> Head:
        """The branch as it was when this driver first looked."""
        return self._seen or self._look(self._deadline())

    def _look(self, deadline: float) -> Head:
        """The branch as it is now. Raises DriverError where it is missing among others: a first commit there would
        tell the GitOps tool that nothing else is wanted."""
        repository = self._repository()
        sha = repository.head(deadline)
        others = [] if sha else repository.branches(deadline)
        if others and self._connection.branch not in others:
            words = {"branch": self._connection.branch, "others": ", ".join(others[:10])}
            text = gettext_noop("The Git repository has no branch %(branch)s; it has: %(others)s.")
            raise DriverError(Sentence(text, words), transient=False, operator=True)
        self._seen = Head(repository.store, sha, self._connection.folder)
        return self._seen

    def _repository(self) -> Repository:
        if self._opened is None:
            self._opened = open_repository(self._connection)
        return self._opened

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout


def _planned(head: Head, desired: Desired) -> Change:
    live = head.manifest(desired.ref)
    if live is None:
        return Change(desired.ref, "add", _fields(None, desired.manifest))
    check_ours(live, desired.ref, desired.uid, desired.bundle)
    fields = tuple(field for field in _fields(live, stamped(desired)) if REVISION_ANNOTATION not in field[0])
    return Change(desired.ref, "change" if fields else "keep", fields)


def _fields(before: Manifest | None, after: Manifest) -> tuple[tuple[str, object, object], ...]:
    return tuple((path, old, new) for path, old, new in rules.difference(before, after))


def _bundle(live: Manifest | None) -> str:
    fence = fence_of(live) if live else None
    return fence.bundle if fence else ""
