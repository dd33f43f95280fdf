"""The protocol every driver keeps: plain data in, plain data out, one error type."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from web.sentences import Sentence

Manifest = dict[str, Any]

# The fence: "<bundle uuid>/<revision in which this object last changed>" on every object the portal keeps.
REVISION_ANNOTATION = "portal.cloud/revision"
MANAGED_LABEL = "portal.cloud/managed"
FIELD_MANAGER = "cloud-portal"
# A namespace of the portal's own in which bodies are tried when their own namespace does not exist yet.
SCRATCH_NAMESPACE = "portal-plan"


class ObjectRef(NamedTuple):
    """What names an object in a cluster; `namespace` is "" for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Capabilities:
    """What a driver can do, so that callers ask for no more."""

    can_dry_run: bool
    can_observe: bool
    can_hold_secrets: bool
    # What others keep in the cluster can be looked at: its namespaces and its nodes.
    can_survey: bool
    # Nothing exists before `commit`: apply only says what will be.
    writes_at_commit: bool = False


@dataclass(frozen=True)
class Connection:
    """How to reach a cluster, decrypted for the length of one use; `version` changes with every change of it."""

    name: str
    address: str
    ca: str = ""
    token: str = field(default="", repr=False)
    version: str = ""
    # PEM; used where there is no token.
    client_certificate: str = ""
    client_key: str = field(default="", repr=False)
    # Of a Git repository; `known_hosts` are those of an SSH remote.
    branch: str = "main"
    folder: str = ""
    username: str = ""
    known_hosts: str = ""
    signing_key: str = field(default="", repr=False)
    # A read-only way to the API server behind a Git repository.
    observer: "Connection | None" = None


@dataclass(frozen=True)
class Desired:
    """One object as it should be. `uid` is what the portal remembers of the live one ("" if it never had it).

    The body holds only fields the portal owns, without the fence annotation: the driver adds it from
    `bundle` and `changed_in`.
    """

    manifest: Manifest
    bundle: str
    changed_in: int
    uid: str = ""

    @property
    def ref(self) -> ObjectRef:
        """The object's name in the cluster."""
        meta = self.manifest["metadata"]
        return ObjectRef(self.manifest["apiVersion"], self.manifest["kind"], meta.get("namespace", ""), meta["name"])


@dataclass(frozen=True)
class Change:
    """What would happen to one object: fields are (path, live value, wanted value), None where there is none.

    `usage` are a live quota's figures as the server says, as in Observed; {} for everything else.
    """

    ref: ObjectRef
    action: Literal["add", "change", "remove", "keep"]
    fields: tuple[tuple[str, Any, Any], ...] = ()
    usage: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """How one object is: exists, ready, and a sentence if it is not; `usage` are quota figures as the server says
    ({"hard": {resource: quantity}, "used": {...}}). `uid` is the live object's, `bundle` and `revision`
    what its fence says ("" and 0 without one)."""

    ref: ObjectRef
    exists: bool
    ready: bool
    message: Sentence | None = None
    usage: dict[str, dict[str, str]] = field(default_factory=dict)
    uid: str = ""
    bundle: str = ""
    revision: int = 0


Outcome = Literal["created", "changed", "unchanged", "superseded", "missing"]


@dataclass(frozen=True)
class Applied:
    """What became of one object. superseded: a newer revision is live and was left alone. missing: the portal had
    this object (`uid`), somebody removed it, and it was not created again. `revision_id` is the commit of GitOps.
    `seen` is how the object was right after, where the answer to the call says so."""

    ref: ObjectRef
    outcome: Outcome
    uid: str = ""
    revision_id: str = ""
    seen: Observed | None = None


@dataclass(frozen=True)
class Finding:
    """One object that is not as the portal left it: changed (`fields` as in Change), missing, replaced by another one
    of its name (`uid`), or foreign: of others, beside the portal's.

    `by` and `at` (RFC 3339) say which field manager wrote what differs and when, "" where the server does not know.
    `refused` is why an apply would not bring it back, None if it would. `place` is "observed" for what is seen in the
    cluster behind a Git repository: nothing is written there.
    """

    ref: ObjectRef
    sort: Literal["changed", "missing", "replaced", "foreign"]
    fields: tuple[tuple[str, Any, Any], ...] = ()
    uid: str = ""
    by: str = ""
    at: str = ""
    refused: Sentence | None = None
    place: Literal["", "observed"] = ""


@dataclass(frozen=True)
class Surveyed:
    """What is in a namespace that exists. `is_open`: its administrator's label lets the portal write in it; `bundle`
    is whom its fence names, "" for none. `quotas`: {name: {"hard": {resource: quantity}, "used": {...}}}; `others`:
    names by kind (LimitRange, NetworkPolicy, RoleBinding). `terminating`: it is being deleted."""

    name: str
    uid: str
    labels: dict[str, str]
    annotations: dict[str, str]
    is_open: bool
    bundle: str
    quotas: dict[str, dict[str, dict[str, str]]]
    others: dict[str, list[str]]
    terminating: bool


@dataclass(frozen=True)
class Capacity:
    """What the compute nodes can give to pods: the sum over those that are ready and not cordoned (`ready` of
    `nodes`). Thousandths of a core, bytes and pieces."""

    cpu_millicores: int
    memory_bytes: int
    pods: int
    nodes: int
    ready: int


@dataclass(frozen=True)
class Probe:
    """What a cluster says of itself: `problems` are sentences, empty when all is well; `facts` what else was seen, as
    plain data (clusters/drivers/kubernetes/probing.py says which)."""

    version: str
    problems: tuple[Sentence, ...]
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)


class DriverError(Exception):
    """A call failed. `transient`: worth another attempt, after `retry_after` seconds if the server said so.
    `operator`: nothing in this cluster works until its operator acts (401), so the whole lane should wait.
    As text (in logs) it is in English; `sentence` is in the language of whoever reads it."""

    def __init__(
        self, sentence: Sentence, *, transient: bool, operator: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence.english)
        self.sentence = sentence
        self.transient = transient
        self.operator = operator
        self.retry_after = retry_after


class Unreachable(DriverError):
    """Nobody answered, or not in time: another object would fare no better now."""


class Driver(Protocol):
    """One cluster, spoken to. Every method raises DriverError; every method is bounded by `timeout` seconds a call."""

    capabilities: Capabilities

    def plan(self, desired: Sequence[Desired], removed: Sequence[ObjectRef]) -> tuple[Change, ...]:
        """Live state against the wanted one, by server dry run; changes nothing. One Change per object, in order."""
        ...

    def apply(self, desired: Desired) -> Applied:
        """Makes one object as wanted, unless a newer revision is live. Repeating it is harmless."""
        ...

    def commit(
        self,
        desired: Sequence[Desired],
        removed: Sequence[ObjectRef],
        message: str,
        still_ours: Callable[[], None] = lambda: None,
        author: str = "",
    ) -> str:
        """Ends a pass: drivers that write in one piece (GitOps) do so here and name the result; others answer "".

        `still_ours` raises when somebody else works on the bundle by now; it is asked between reading and writing.
        `author` is the user name of who asked for it.
        """
        ...

    def observe(self, refs: Sequence[ObjectRef]) -> tuple[Observed, ...]:
        """How the objects are now; one Observed per ref, in order."""
        ...

    def inventory(self, namespace: str) -> tuple[ObjectRef, ...]:
        """The objects in a namespace that carry the portal's label; of "" those of the whole cluster, without
        namespaces themselves."""
        ...

    def census(self) -> tuple[Observed, ...]:
        """Everything in the cluster that carries the portal's label and a fence, in a handful of calls; whether it is
        ready is not looked at."""
        ...

    def drift(self, desired: Sequence[Desired], namespace: str) -> tuple[Finding, ...]:
        """What is not as the objects of one bundle should be, and what others put into its namespace ("" for none)
        beside them; changes nothing.

        One list per kind, whatever there is, and no more while all is well; a dry run or two for what differs.
        """
        ...

    def delete(self, ref: ObjectRef, uid: str, bundle: str = "") -> bool:
        """Removes one object, if it still is the one with `uid`; True once it is gone (GitOps: once committed).

        Where no uid is known (a worker ended between create and writing it down) the live object's fence must name
        `bundle`. Anything else is left alone: DriverError, permanent.
        """
        ...

    def survey(self, selector: str = "", names: Sequence[str] = ()) -> tuple[Surveyed, ...]:
        """What is in the namespaces that match a label selector and, where given, are among `names`; by name.

        A handful of calls, however many there are. Raises a permanent DriverError without `can_survey`.
        """
        ...

    def capacity(self) -> Capacity:
        """What the compute nodes can give. Raises a permanent DriverError without `can_survey`."""
        ...

    def probe(self) -> Probe:
        """What the cluster says of itself, for the registry's page and health checks."""
        ...
