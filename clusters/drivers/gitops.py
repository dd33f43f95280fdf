"""The driver that commits manifests to a Git repository, from which Argo CD or Flux takes them to a cluster."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_noop
from dulwich.errors import NotGitRepository
from dulwich.file import FileLocked
from dulwich.object_store import commit_tree_changes, tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

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
    Manifest,
    ObjectRef,
    Observed,
    Outcome,
    Probe,
    Surveyed,
)
from clusters.drivers.fence import Fence, check_ours, fence_of, judge, stamped
from clusters.drivers.files import parsed, path_of, segment, text_of
from web.sentences import Sentence

BRANCH = Ref(b"refs/heads/main")
_AUTHOR = b"Container cloud portal <portal@localhost>"
_FILE_MODE = 0o100644
# Between two attempts, when another writer held the branch.
_PAUSE = 0.02


class GitOpsDriver:
    """A Driver over one bare repository (`address` is a path or a file:// URL); an object's uid is its bundle's.

    `apply` and `delete` answer from the branch, `commit` writes. Nothing is kept from one pass to the next.
    """

    capabilities = Capabilities(
        can_dry_run=False, can_observe=False, can_hold_secrets=False, can_survey=False, writes_at_commit=True
    )

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._address = connection.address
        self._timeout = timeout
        # Whose the files were that this pass asked to delete.
        self._asked: dict[ObjectRef, str] = {}

    def plan(self, desired: Sequence[Desired], removed: Sequence[ObjectRef]) -> tuple[Change, ...]:
        """The files of the branch against the wanted ones; see Driver."""
        with _open(self._address) as repo:
            head = _Head(repo)
            changes = [_planned(head, item) for item in desired]
            changes += [Change(ref, "keep" if head.manifest(ref) is None else "remove") for ref in removed]
            return tuple(changes)

    def apply(self, desired: Desired) -> Applied:
        """Says what `commit` will do with the object, unless somebody else is faster; see Driver."""
        with _open(self._address) as repo:
            head = _Head(repo)
            live = head.manifest(desired.ref)
            verdict = judge(live, desired)
            if verdict in ("missing", "superseded"):
                refused: Outcome = "missing" if live is None else "superseded"
                seen = _observed(desired.ref, live)
                return Applied(desired.ref, refused, _bundle(live), head.commit_id, seen)
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
    ) -> str:
        """Writes the objects of a pass in one commit and answers its id; the branch's own if nothing differs.

        Newer files stay, and so do files that somebody removed. Tried again when somebody else was faster.
        Raises DriverError: transient when `timeout` seconds did not suffice, permanent for files of others.
        """
        deadline = time.monotonic() + self._timeout
        bundles = {item.bundle for item in desired}
        with _open(self._address) as repo:
            while True:
                head = _Head(repo)
                # Asked after the head was read: whoever takes over later finds the branch moved, or moves it first.
                still_ours()
                # A name may have gone to another bundle since: that one's file stays.
                gone = [ref for ref in removed if _bundle(head.manifest(ref)) in bundles | {self._asked.get(ref)}]
                written = _write(repo, head, _changes(head, desired, gone), message)
                if written is not None:
                    self._asked.clear()
                    return written
                if time.monotonic() > deadline:
                    text = gettext_noop("Others are writing to the Git repository all the time.")
                    raise DriverError(Sentence(text), transient=True)
                time.sleep(_PAUSE)

    def observe(self, refs: Sequence[ObjectRef]) -> tuple[Observed, ...]:
        """Whether there are files; what became of them in the cluster is not known here."""
        with _open(self._address) as repo:
            head = _Head(repo)
            return tuple(_observed(ref, head.manifest(ref)) for ref in refs)

    def inventory(self, namespace: str) -> tuple[ObjectRef, ...]:
        """The portal's objects in a namespace's folder; see Driver."""
        with _open(self._address) as repo:
            manifests = _Head(repo).folder(namespace)
        found = []
        for manifest in manifests:
            ref = ObjectRef(*rules.reference(manifest))
            if ref.namespace == namespace and (manifest["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true":
                found.append(ref)
        return tuple(found)

    def census(self) -> tuple[Observed, ...]:
        """Every object in the branch that has a fence; see Driver."""
        with _open(self._address) as repo:
            manifests = _Head(repo).everything()
        return tuple(_observed(ObjectRef(*rules.reference(m)), m) for m in manifests if fence_of(m) is not None)

    def delete(self, ref: ObjectRef, uid: str, bundle: str = "") -> bool:
        """True if there is no such file any more; else it may be removed by `commit`; see Driver."""
        with _open(self._address) as repo:
            live = _Head(repo).manifest(ref)
        if live is None:
            return True
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
        """Whether the repository can be read and written; the version is the branch's commit."""
        with _open(self._address) as repo:
            writable = os.access(repo.object_store.path, os.W_OK)
            text = gettext_noop("The portal may not write to the Git repository.")
            problems = () if writable else (Sentence(text),)
            return Probe(_Head(repo).commit_id or "-", problems, datetime.now(UTC))


class _Head:
    """The branch as it is at one moment; empty while nobody has committed."""

    def __init__(self, repo: Repo) -> None:
        self._store = repo.object_store
        try:
            self.sha: ObjectID | None = repo.refs[BRANCH]
        except KeyError:
            self.sha = None
        self.tree = self._commit().tree if self.sha else None

    @property
    def commit_id(self) -> str:
        return self.sha.decode() if self.sha else ""

    def text(self, ref: ObjectRef) -> str | None:
        """The file of an object; None if there is none."""
        return self._read(path_of(ref).encode())

    def manifest(self, ref: ObjectRef) -> Manifest | None:
        """The object in its file; None if there is none. Raises DriverError for what is not an object."""
        text = self.text(ref)
        return None if text is None else parsed(text, path_of(ref))

    def folder(self, namespace: str) -> list[Manifest]:
        """All objects in a namespace's folder."""
        folder = self._lookup(segment(namespace).encode())
        if not isinstance(folder, Tree):
            return []
        names = [f"{namespace}/{entry.path.decode()}" for entry in folder.items() if entry.path.endswith(b".yaml")]
        return [parsed(self._read(name.encode()) or "", name) for name in names]

    def everything(self) -> list[Manifest]:
        """All objects of the branch, in all folders."""
        root = self._store[self.tree] if self.tree else None
        folders = [entry.path.decode() for entry in root.items()] if isinstance(root, Tree) else []
        return [manifest for name in folders for manifest in self.folder(name)]

    def _commit(self) -> Commit:
        commit = self._store[self.sha] if self.sha else None
        if not isinstance(commit, Commit):
            text = gettext_noop("The branch main of the Git repository holds no commit.")
            raise DriverError(Sentence(text), transient=False)
        return commit

    def _read(self, path: bytes) -> str | None:
        blob = self._lookup(path)
        return blob.data.decode("utf-8", "replace") if isinstance(blob, Blob) else None

    def _lookup(self, path: bytes) -> object:
        if self.tree is None:
            return None
        try:
            _mode, sha = tree_lookup_path(self._store.__getitem__, self.tree, path)
        except KeyError:
            return None
        return self._store[sha]


def _open(address: str) -> Repo:
    parts = urlsplit(address)
    if parts.scheme not in ("", "file") or (parts.scheme and parts.netloc not in ("", "localhost")):
        text = gettext_noop("Only Git repositories on this machine can be used (a path or file://).")
        raise DriverError(Sentence(text), transient=False, operator=True)
    path = unquote(parts.path) if parts.scheme else address
    try:
        # With `bare` given, dulwich takes the path's word for it.
        if not os.path.isdir(os.path.join(path, "objects")):
            raise NotGitRepository(path)
        return Repo(path, bare=True)
    except (NotGitRepository, OSError) as error:
        sentence = Sentence(gettext_noop("There is no Git repository at %(address)s."), {"address": address})
        raise DriverError(sentence, transient=False, operator=True) from error


def _changes(head: _Head, desired: Sequence[Desired], gone: Sequence[ObjectRef]) -> dict[str, str | None]:
    """The new text of every file that differs from the branch; None for files to be removed."""
    changes: dict[str, str | None] = {path_of(ref): None for ref in gone if head.text(ref) is not None}
    for item in desired:
        text = text_of(stamped(item))
        if judge(head.manifest(item.ref), item) in ("create", "apply") and head.text(item.ref) != text:
            changes[path_of(item.ref)] = text
    return changes


def _write(repo: Repo, head: _Head, changes: dict[str, str | None], message: str) -> str | None:
    """Commits onto `head`; None if the branch has moved meanwhile, or another writer holds it or one of its objects."""
    try:
        return _committed(repo, head, changes, message)
    except FileLocked:
        return None


def _committed(repo: Repo, head: _Head, changes: dict[str, str | None], message: str) -> str | None:
    if not changes:
        return head.commit_id
    entries: list[tuple[bytes, int | None, ObjectID | None]] = []
    for path, text in sorted(changes.items()):
        if text is None:
            entries.append((path.encode(), None, None))
            continue
        blob = Blob.from_string(text.encode())
        repo.object_store.add_object(blob)
        entries.append((path.encode(), _FILE_MODE, blob.id))
    root = head.tree
    if root is None:
        empty = Tree()
        repo.object_store.add_object(empty)
        root = empty.id
    commit = _commit(commit_tree_changes(repo.object_store, root, entries), head.sha, message)
    repo.object_store.add_object(commit)
    if head.sha is None:
        moved = repo.refs.add_if_new(BRANCH, commit.id)
    else:
        moved = repo.refs.set_if_equals(BRANCH, head.sha, commit.id)
    return commit.id.decode() if moved else None


def _commit(tree: ObjectID, parent: ObjectID | None, message: str) -> Commit:
    commit = Commit()
    commit.tree = tree
    commit.parents = [parent] if parent else []
    commit.author = commit.committer = _AUTHOR
    commit.author_time = commit.commit_time = int(time.time())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    return commit


def _planned(head: _Head, desired: Desired) -> Change:
    live = head.manifest(desired.ref)
    if live is None:
        return Change(desired.ref, "add", _fields(None, desired.manifest))
    check_ours(live, desired.ref, desired.uid, desired.bundle)
    fields = tuple(field for field in _fields(live, stamped(desired)) if REVISION_ANNOTATION not in field[0])
    return Change(desired.ref, "change" if fields else "keep", fields)


def _fields(before: Manifest | None, after: Manifest) -> tuple[tuple[str, object, object], ...]:
    return tuple((path, old, new) for path, old, new in rules.difference(before, after))


def _observed(ref: ObjectRef, live: Manifest | None) -> Observed:
    if live is None:
        words = {"kind": ref.kind, "name": ref.name}
        text = gettext_noop("%(kind)s %(name)s is not in the Git repository.")
        return Observed(ref, False, False, Sentence(text, words))
    fence = fence_of(live) or Fence("", 0)
    return Observed(ref, True, False, uid=fence.bundle, bundle=fence.bundle, revision=fence.revision)


def _bundle(live: Manifest | None) -> str:
    fence = fence_of(live) if live else None
    return fence.bundle if fence else ""
