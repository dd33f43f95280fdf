"""A repository behind https:// or ssh://: its newest commit is fetched, ours is pushed if the branch has not moved."""

from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID

from clusters.drivers.base import Connection
from clusters.drivers.gitops.address import Address
from clusters.drivers.gitops.program import Program, Said
from clusters.drivers.gitops.verdicts import failed, refusal
from web.sentences import Sentence

# Where the branch's newest commit is kept in our own repository.
_SEEN = "refs/portal/seen"
_BRANCHES = "refs/heads/"
# What git and servers say when the branch is not what we took it for, or another push holds it at the moment.
_MOVED = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value provided",
    "reference already exists",
)


class RemoteRepository:
    """A Repository on a server; one newest commit is fetched with its files, never the history."""

    def __init__(self, address: Address, branch: bytes, connection: Connection) -> None:
        self._address, self._branch = address, branch.decode()
        self._program = Program(address, connection)
        self.store = DiskObjectStore(str(self._program.repository / "objects"))

    def head(self, deadline: float) -> ObjectID | None:
        """The branch's newest commit, fetched; see Repository."""
        options = ["--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
        said = self._program.run("fetch", *options, "origin", f"+{self._branch}:{_SEEN}", deadline=deadline)
        if said.code and "couldn't find remote ref" in said.err:
            return None
        self._check(said)
        seen = self._program.repository / _SEEN
        return ObjectID(seen.read_bytes().strip())

    def branches(self, deadline: float) -> list[str]:
        """The names of all branches; see Repository."""
        said = self._program.run("ls-remote", "--heads", "origin", deadline=deadline)
        self._check(said)
        return [line.partition("\t")[2].removeprefix(_BRANCHES) for line in said.out.splitlines()]

    def move(self, old: ObjectID | None, new: ObjectID, deadline: float) -> bool:
        """Pushes, for which the server compares the branch with `old` and swaps; see Repository."""
        said = self._push(old, new, deadline)
        if said.code == 0:
            return True
        reason = refusal(said)
        if reason is not None and any(sign in reason for sign in _MOVED):
            return False
        raise failed(said, self._address)

    def problem(self, old: ObjectID | None, new: ObjectID, deadline: float) -> Sentence | None:
        """Why the branch could not be moved, from a push that ends before anything is sent; see Repository."""
        said = self._push(old, new, deadline, "--dry-run")
        return failed(said, self._address).sentence if said.code and refusal(said) is None else None

    def close(self) -> None:
        """Removes what was fetched."""
        self.store.close()
        self._program.close()

    def _push(self, old: ObjectID | None, new: ObjectID, deadline: float, *options: str) -> Said:
        lease = f"--force-with-lease={self._branch}:{old.decode() if old else ''}"
        target = f"{new.decode()}:{self._branch}"
        return self._program.run(
            "push", "--porcelain", "--no-verify", lease, *options, "origin", target, deadline=deadline
        )

    def _check(self, said: Said) -> None:
        if said.code:
            raise failed(said, self._address)
