"""A bare repository on this machine, as the demo has it."""

import os
import time

from django.utils.translation import gettext_noop
from dulwich.errors import NotGitRepository
from dulwich.file import FileLocked
from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from clusters.drivers.base import DriverError
from clusters.drivers.gitops.address import Address
from web.sentences import Sentence

# Seconds. A lock is held for milliseconds; one as old as this was left by a writer that crashed.
STALE_LOCK = 300
_BRANCHES = b"refs/heads/"


class LocalRepository:
    """A Repository in a folder; `branch` is the whole name of the ref."""

    def __init__(self, address: Address, branch: bytes) -> None:
        self._path, self._branch = address.path, Ref(branch)
        try:
            # With `bare` given, dulwich takes the path's word for it.
            if not os.path.isdir(os.path.join(self._path, "objects")):
                raise NotGitRepository(self._path)
            self._repo = Repo(self._path, bare=True)
        except (NotGitRepository, OSError) as error:
            sentence = Sentence(gettext_noop("There is no Git repository at %(address)s."), {"address": address.url})
            raise DriverError(sentence, transient=False, operator=True) from error
        self.store = self._repo.object_store

    def head(self, deadline: float) -> ObjectID | None:
        """The branch's newest commit; see Repository."""
        try:
            return self._repo.refs[self._branch]
        except KeyError:
            return None

    def branches(self, deadline: float) -> list[str]:
        """The names of all branches; see Repository."""
        found = self._repo.refs.allkeys()
        return sorted(name.removeprefix(_BRANCHES).decode() for name in found if name.startswith(_BRANCHES))

    def move(self, old: ObjectID | None, new: ObjectID, deadline: float) -> bool:
        """Moves the branch by compare-and-swap; see Repository."""
        if old is None:
            return self._repo.refs.add_if_new(self._branch, new)
        return self._repo.refs.set_if_equals(self._branch, old, new)

    def problem(self, old: ObjectID | None, new: ObjectID, deadline: float) -> Sentence | None:
        """Why the branch could not be moved; see Repository."""
        if os.access(self._repo.object_store.path, os.W_OK):
            return None
        return Sentence(gettext_noop("The portal may not write to the Git repository."))

    def close(self) -> None:
        """Closes its files."""
        self._repo.close()


def locked(error: FileLocked) -> Sentence:
    """Which lock is in the way and how long it stays there; removes one that a crashed writer left."""
    path = os.fsdecode(error.lockfilename)
    try:
        age = time.time() - os.lstat(path).st_mtime
        if age > STALE_LOCK:
            os.unlink(path)
    except FileNotFoundError:
        age = 0
    text = gettext_noop(
        "Another program holds the lock %(path)s of the Git repository; it is removed once it is %(seconds)d s old."
    )
    return Sentence(text, {"path": path, "seconds": STALE_LOCK})
