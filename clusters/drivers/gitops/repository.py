"""What the driver asks of a repository, wherever it is."""

from typing import Protocol

from django.utils.translation import gettext_noop
from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format

from clusters.drivers.base import Connection, DriverError
from clusters.drivers.gitops.address import parse
from clusters.drivers.gitops.local import LocalRepository
from clusters.drivers.gitops.remote import RemoteRepository
from web.sentences import Sentence


class Repository(Protocol):
    """One branch of a repository. `deadline` is a time of time.monotonic(); every method raises DriverError."""

    @property
    def store(self) -> BaseObjectStore:
        """The objects that were fetched, and those that are to be pushed."""
        ...

    def head(self, deadline: float) -> ObjectID | None:
        """The branch's newest commit as it is now, its files in the store; None if there is no such branch."""
        ...

    def branches(self, deadline: float) -> list[str]:
        """The names of all branches."""
        ...

    def move(self, old: ObjectID | None, new: ObjectID, deadline: float) -> bool:
        """Moves the branch from one commit to another; False, and nothing is moved, if it is not at `old` (any more).
        None for `old`: the branch does not exist yet."""
        ...

    def problem(self, old: ObjectID | None, new: ObjectID, deadline: float) -> Sentence | None:
        """Why the branch could not be moved; None if it could. Moves nothing."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


def open_repository(connection: Connection) -> Repository:
    """The repository of a connection; speaks to no server yet. Raises DriverError for what is no address or branch."""
    branch = f"refs/heads/{connection.branch}".encode()
    if not check_ref_format(Ref(branch)) or not connection.branch.isprintable() or connection.branch.startswith("-"):
        text = gettext_noop('"%(branch)s" cannot be the name of a branch.')
        raise DriverError(Sentence(text, {"branch": connection.branch}), transient=False, operator=True)
    address = parse(connection.address)
    if address.scheme == "file":
        return LocalRepository(address, branch)
    return RemoteRepository(address, branch, connection)
