"""Commits: what a pass changes in the files, who is named for it, and its signature."""

import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from django.conf import settings
from dulwich.object_store import BaseObjectStore, commit_tree_changes
from dulwich.objects import Blob, Commit, ObjectID, Tree

from clusters.drivers.base import Desired, ObjectRef
from clusters.drivers.fence import judge, stamped
from clusters.drivers.files import text_of
from clusters.drivers.gitops.head import Head
from clusters.drivers.gitops.signing import signature

PORTAL = "Container cloud portal"
_FILE_MODE = 0o100644
# What would end a name or an address in a commit's header.
_CONFUSING = str.maketrans(dict.fromkeys("<>\n\r\0", " "))


def changes_of(head: Head, desired: Sequence[Desired], gone: Sequence[ObjectRef]) -> dict[str, str | None]:
    """The new text of every file (by path) that differs from the branch; None for files to be removed."""
    changes: dict[str, str | None] = {head.path(ref): None for ref in gone if head.text(ref) is not None}
    for item in desired:
        text = text_of(stamped(item))
        if judge(head.manifest(item.ref), item) in ("create", "apply") and head.text(item.ref) != text:
            changes[head.path(item.ref)] = text
    return changes


def write(
    store: BaseObjectStore, head: Head, changes: Mapping[str, str | None], message: str, author: str, key: str
) -> ObjectID:
    """Stores a commit on top of `head` and answers its id; no branch is moved.

    `author` is a user name ("" for the portal itself), `key` an OpenSSH private key that signs ("" for none).
    Raises DriverError for a key that cannot sign.
    """
    entries: list[tuple[bytes, int | None, ObjectID | None]] = []
    for path, text in sorted(changes.items()):
        if text is None:
            entries.append((path.encode(), None, None))
            continue
        blob = Blob.from_string(text.encode())
        store.add_object(blob)
        entries.append((path.encode(), _FILE_MODE, blob.id))
    root = head.tree
    if root is None:
        empty = Tree()
        store.add_object(empty)
        root = empty.id
    commit = new_commit(commit_tree_changes(store, root, entries), head.sha, message, author)
    if key:
        commit.gpgsig = signature(commit.as_raw_string(), key)
    store.add_object(commit)
    return commit.id


def new_commit(tree: ObjectID, parent: ObjectID | None, message: str, author: str = "") -> Commit:
    """A commit of now: written by who asked, committed by the portal."""
    commit = Commit()
    commit.tree = tree
    commit.parents = [parent] if parent else []
    commit.author, commit.committer = _person(author) if author else _portal(), _portal()
    commit.author_time = commit.commit_time = int(time.time())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    return commit


def _portal() -> bytes:
    return f"{PORTAL} <portal@{_host()}>".encode()


def _person(name: str) -> bytes:
    plain = " ".join(name.translate(_CONFUSING).split())
    return f"{plain} <{plain.replace(' ', '.')}@{_host()}>".encode()


def _host() -> str:
    """Git wants an address for everybody; the portal's host tells where the name is known."""
    return urlsplit(settings.EXTERNAL_URL).hostname or "localhost"
