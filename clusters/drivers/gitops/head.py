"""A branch as it is at one moment: reading objects out of its files."""

import contextlib
import stat
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext_noop
from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree

from clusters.drivers.base import DriverError, Manifest, ObjectRef
from clusters.drivers.files import parsed, path_of, segment
from web.sentences import Sentence

# Of one file, in bytes. Kubernetes itself takes objects of 1.5 MB; larger ones are not fetched either.
LARGEST_FILE = 1024 * 1024


class _Entry(NamedTuple):
    mode: int
    sha: ObjectID


class Head:
    """The branch's newest commit (`sha`, None while nobody has committed) and the files in the portal's folder."""

    def __init__(self, store: BaseObjectStore, sha: ObjectID | None, folder: str = "") -> None:
        self._store = store
        self._folder = folder
        self.sha = sha
        self.tree = self._commit(sha).tree if sha else None

    @property
    def commit_id(self) -> str:
        """The commit in hexadecimal; "" while there is none."""
        return self.sha.decode() if self.sha else ""

    def path(self, ref: ObjectRef) -> str:
        """Where the object's file is in the repository. Raises DriverError for names that would lead elsewhere."""
        return within(self._folder, path_of(ref))

    def text(self, ref: ObjectRef) -> str | None:
        """The file of an object; None if there is none."""
        path = self.path(ref)
        entry = self._entry(path)
        return None if entry is None else self._read(path, entry)

    def manifest(self, ref: ObjectRef) -> Manifest | None:
        """The object in its file; None if there is none. Raises DriverError for what is not an object."""
        text = self.text(ref)
        return None if text is None else parsed(text, self.path(ref))

    def manifests(self, namespace: str) -> list[Manifest]:
        """All objects in a namespace's folder."""
        path = within(self._folder, segment(namespace))
        entry = self._entry(path)
        if entry is None:
            return []
        tree = self._store[entry.sha] if stat.S_ISDIR(entry.mode) else None
        if not isinstance(tree, Tree):
            raise _not_a_folder(path)
        return [parsed(self._read(name, item), name) for name, item in _yaml_files(tree, path)]

    def everything(self) -> list[Manifest]:
        """All objects one folder below the portal's; what others keep there and is none is passed over."""
        folder = self._folder.strip("/")
        entry = self._entry(folder) if folder else None
        root = entry.sha if entry else None if folder else self.tree
        tree = self._store[root] if root else None
        found = []
        for item in tree.items() if isinstance(tree, Tree) else []:
            inner = self._store[item.sha] if item.sha and item.mode and stat.S_ISDIR(item.mode) else None
            for name, file in _yaml_files(inner, "") if isinstance(inner, Tree) else []:
                with contextlib.suppress(DriverError):
                    found.append(parsed(self._read(name, file), name))
        return found

    def _commit(self, sha: ObjectID) -> Commit:
        commit = self._store[sha]
        if not isinstance(commit, Commit):
            text = gettext_noop("The branch of the Git repository does not lead to a commit.")
            raise DriverError(Sentence(text), transient=False, operator=True)
        return commit

    def _entry(self, path: str) -> _Entry | None:
        """What is at a path; None if there is nothing. Raises DriverError where a folder is none."""
        if self.tree is None:
            return None
        tree = self._store[self.tree]
        parts = path.split("/")
        for depth, part in enumerate(parts):
            if not isinstance(tree, Tree):
                raise _not_a_folder("/".join(parts[:depth]))
            try:
                entry = _Entry(*tree[part.encode()])
            except KeyError:
                return None
            if depth == len(parts) - 1:
                return entry
            # A link or another repository in its place would lead the GitOps tool to wherever it points.
            if not stat.S_ISDIR(entry.mode):
                raise _not_a_folder("/".join(parts[: depth + 1]))
            tree = self._store[entry.sha]
        return None

    def _read(self, path: str, entry: _Entry) -> str:
        if not stat.S_ISREG(entry.mode):
            text = gettext_noop("In the Git repository, %(path)s is not a plain file.")
            raise DriverError(Sentence(text, {"path": path}), transient=False)
        try:
            blob = self._store[entry.sha]
        except KeyError:
            # Larger ones were not fetched.
            blob = None
        if not isinstance(blob, Blob) or blob.raw_length() > LARGEST_FILE:
            text = gettext_noop("The file %(path)s in the Git repository is too large.")
            raise DriverError(Sentence(text, {"path": path}), transient=False)
        return blob.data.decode("utf-8", "replace")


def within(folder: str, path: str) -> str:
    """The path within the portal's folder. Raises DriverError for a folder that leads elsewhere."""
    parts = [segment(part) for part in folder.strip("/").split("/")] if folder.strip("/") else []
    return "/".join([*parts, path])


def _yaml_files(tree: Tree, path: str) -> Iterator[tuple[str, _Entry]]:
    for item in tree.items():
        if item.path is not None and item.path.endswith(b".yaml") and item.mode is not None and item.sha:
            yield f"{path}/{item.path.decode('utf-8', 'replace')}", _Entry(item.mode, item.sha)


def _not_a_folder(path: str) -> DriverError:
    text = gettext_noop("In the Git repository, %(path)s is not a folder.")
    return DriverError(Sentence(text, {"path": path}), transient=False)
