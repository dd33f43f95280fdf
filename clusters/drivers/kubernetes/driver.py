"""Plans, applies, observes and removes objects through a Kubernetes API server."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext_noop

from clusters import secrets
from clusters.drivers.base import (
    MANAGED_LABEL,
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
from clusters.drivers.fence import Fence, check_ours, fence_of, judge, stamped
from clusters.drivers.kubernetes import comparing, drifting, generating, probing, quotas, readiness, surveying
from clusters.drivers.kubernetes.client import Client, bounded, client_for
from clusters.drivers.kubernetes.errors import Absent, Conflict, Unknown, translated
from clusters.drivers.kubernetes.ownership import CLOSED_KINDS, as_applied, removals
from web.sentences import Sentence
from work import failpoints

# A live object changes under our hands when its controller writes its status; more often than this it is a fight.
_ATTEMPTS = 6
_NAMESPACE = ("v1", "Namespace")


class KubernetesDriver:
    """A Driver over one API server. Cheap to make: the connections behind it are kept per process."""

    capabilities = Capabilities(can_dry_run=True, can_observe=True, can_hold_secrets=True, can_survey=True)

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    @property
    def _client(self) -> Client:
        # Asked for at each call, because a worker process may have been forked in between.
        return client_for(self._connection)

    def plan(self, desired: Sequence[Desired], removed: Sequence[ObjectRef]) -> tuple[Change, ...]:
        """Live state against a server dry run; see Driver. Objects whose namespace is missing are tried elsewhere."""
        with bounded(self._timeout):
            client = self._client
            within = {item.ref.namespace for item in desired} - {""}
            spaces = {name: client.get(ObjectRef(*_NAMESPACE, "", name)) for name in within}
            changes = [_planned(client, item, spaces) for item in desired]
            for ref in removed:
                live = client.get(ref)
                changes.append(Change(ref, "remove", usage=quotas.usage(live)) if live else Change(ref, "keep"))
            return tuple(changes)

    def apply(self, desired: Desired) -> Applied:
        """Makes one object as wanted; see Driver. What the portal never had is created; else it reads, compares the
        fence, and writes only over what it read."""
        with bounded(self._timeout):
            client, body = self._client, stamped(desired)
            if not desired.uid:
                failpoints.reach(f"after-read-{desired.ref.kind}")
                try:
                    return _applied(desired.ref, "created", _created(client, desired.ref, body))
                except Conflict as error:
                    conflict = error
            for _attempt in range(_ATTEMPTS):
                try:
                    live = client.get(desired.ref)
                    if live is None and not desired.uid:
                        raise conflict
                    verdict = judge(live, desired)
                    if live is None or verdict in ("missing", "superseded"):
                        outcome: Outcome = "missing" if live is None else "superseded"
                        return Applied(desired.ref, outcome, _uid(live), seen=_observed(desired.ref, live))
                    failpoints.reach(f"after-read-{desired.ref.kind}")
                    return _brought(client, desired, live)
                except Conflict as error:
                    conflict = error
            raise conflict

    def commit(
        self,
        desired: Sequence[Desired],
        removed: Sequence[ObjectRef],
        message: str,
        still_ours: Callable[[], None] = lambda: None,
        author: str = "",
    ) -> str:
        """Nothing is left to be done: every apply was written at once."""
        return ""

    def observe(self, refs: Sequence[ObjectRef]) -> tuple[Observed, ...]:
        """How the objects are now; see Driver. Several of a kind in a namespace are read with one call."""
        with bounded(self._timeout):
            client, live = self._client, {}
            several = Counter(ref[:3] for ref in refs if ref.namespace)
            for (api_version, kind, namespace), number in several.items():
                if number > 1:
                    for item in client.list(api_version, kind, namespace):
                        # Objects in a list do not say their kind.
                        named = ObjectRef(api_version, kind, namespace, item["metadata"]["name"])
                        live[named] = {"apiVersion": api_version, "kind": kind, **item}
            return tuple(_observed(ref, live.get(ref) if several[ref[:3]] > 1 else client.get(ref)) for ref in refs)

    def inventory(self, namespace: str) -> tuple[ObjectRef, ...]:
        """The portal's objects in a namespace; see Driver."""
        with bounded(self._timeout):
            client, selector = self._client, f"{MANAGED_LABEL}=true"
            return tuple(
                ObjectRef(api_version, kind, namespace, live["metadata"]["name"])
                for api_version, kind in (drifting.KEPT_KINDS if namespace else drifting.CLUSTER_KINDS)
                for live in client.list(api_version, kind, namespace, selector)
            )

    def census(self) -> tuple[Observed, ...]:
        """Everything with the portal's label and a fence, whatever namespace it is in; see Driver."""
        with bounded(self._timeout):
            client, found = self._client, []
            for api_version, kind in (_NAMESPACE, *drifting.KEPT_KINDS, *drifting.CLUSTER_KINDS):
                for live in _of_the_portal(client, api_version, kind):
                    meta, fence = live["metadata"], fence_of(live)
                    if fence is not None:
                        ref = ObjectRef(api_version, kind, meta.get("namespace", ""), meta["name"])
                        found.append(Observed(ref, True, False, None, {}, meta["uid"], *fence))
            return tuple(found)

    def drift(self, desired: Sequence[Desired], namespace: str) -> tuple[Finding, ...]:
        """What differs from the wanted objects, and what others put beside them; see Driver."""
        with bounded(self._timeout):
            return drifting.drift(self._client, desired, namespace, can_try=True)

    def delete(self, ref: ObjectRef, uid: str, bundle: str = "") -> bool:
        """Asks for the removal of one object; True once the server no longer has it; see Driver."""
        with bounded(self._timeout):
            client = self._client
            live = client.get(ref)
            if live is None:
                return True
            if uid and uid != _uid(live):
                text = gettext_noop(
                    "%(kind)s %(name)s was replaced by another one in the cluster, which is left alone."
                )
                raise DriverError(Sentence(text, {"kind": ref.kind, "name": ref.name}), transient=False)
            if not uid:
                check_ours(live, ref, uid, bundle)
            if not live["metadata"].get("deletionTimestamp"):
                # What owns nothing needs not wait for what it owns; others are gone when theirs are gone.
                plain = ref.kind in CLOSED_KINDS or (ref.api_version, ref.kind) == _NAMESPACE
                try:
                    client.delete(ref, _uid(live), "Background" if plain else "Foreground")
                except Absent:
                    return True
            return client.get(ref) is None

    def survey(self, selector: str = "", names: Sequence[str] = ()) -> tuple[Surveyed, ...]:
        """What is in existing namespaces; see Driver."""
        with bounded(self._timeout):
            return surveying.survey(self._client, selector, names)

    def capacity(self) -> Capacity:
        """What the compute nodes can give; see Driver."""
        with bounded(self._timeout), translated():
            return surveying.capacity(self._client)

    def probe(self) -> Probe:
        """Version, admission policies and rights; see Driver."""
        with bounded(self._timeout):
            return probing.probe(self._client)


def _of_the_portal(client: Client, api_version: str, kind: str) -> list[Manifest]:
    """The objects with the portal's label; none of a kind that the cluster does not know."""
    try:
        return client.list(api_version, kind, selector=f"{MANAGED_LABEL}=true")
    except Unknown:
        return []


def _created(client: Client, ref: ObjectRef, body: Manifest) -> Manifest:
    """Creates what is not there, fenced against whoever creates it at the same moment."""
    if not secrets.is_secret(body):
        return client.create_by_apply(body, ref)
    # An apply would own the values, and a later one, which does not say them, would remove them.
    made = client.create(generating.filled(body))
    entries = as_applied(made)
    if entries is None:
        return made
    change = {"op": "replace", "path": "/metadata/managedFields", "value": entries}
    return client.patch(ref, [change], made["metadata"]["resourceVersion"])


def _brought(client: Client, desired: Desired, live: Manifest) -> Applied:
    """Applies over a live object that is ours, as it was read."""
    if live["metadata"].get("deletionTimestamp"):
        raise DriverError(readiness.being_deleted(live), transient=True)
    # Whoever uses more meanwhile writes the quota's status, and what was read is no longer what is written to.
    quotas.check_use(live, desired.manifest)
    read = live["metadata"]["resourceVersion"]
    entries = as_applied(live)
    if entries is not None:
        change = {"op": "replace", "path": "/metadata/managedFields", "value": entries}
        live = client.patch(desired.ref, [change], read)
    body = stamped(desired)
    body["metadata"] |= {key: live["metadata"][key] for key in ("resourceVersion", "uid")}
    result = client.apply(body, desired.ref)
    foreign = comparing.foreign_keys(client, result, desired)
    if foreign:
        result = client.patch(desired.ref, removals(foreign), result["metadata"]["resourceVersion"])
    return _applied(desired.ref, "unchanged" if result["metadata"]["resourceVersion"] == read else "changed", result)


def _applied(ref: ObjectRef, outcome: Outcome, live: Manifest) -> Applied:
    return Applied(ref, outcome, _uid(live), seen=_observed(ref, live))


def _planned(client: Client, desired: Desired, spaces: Mapping[str, Manifest | None]) -> Change:
    """One object's change; `spaces` are the namespaces of all, read already: None for those that do not exist.

    A refusal by the server (quota, schema, rights) raises DriverError: it would be refused.
    """
    ref = desired.ref
    if ref.namespace and spaces[ref.namespace] is None:
        comparing.tried_elsewhere(client, desired)
        return Change(ref, "add", comparing.fields_between(None, desired.manifest))
    is_read = (ref.api_version, ref.kind) == _NAMESPACE and ref.name in spaces
    live = spaces[ref.name] if is_read else client.get(ref)
    if live is None:
        client.create(stamped(desired), dry_run=True)
        return Change(desired.ref, "add", comparing.fields_between(None, desired.manifest))
    check_ours(live, desired.ref, desired.uid, desired.bundle)
    if live["metadata"].get("deletionTimestamp"):
        raise DriverError(readiness.being_deleted(live), transient=True)
    fields = comparing.by_dry_run(client, live, desired)
    return Change(desired.ref, "change" if fields else "keep", fields, quotas.usage(live))


def _observed(ref: ObjectRef, live: Manifest | None) -> Observed:
    if live is None:
        words = {"kind": ref.kind, "name": ref.name}
        text = gettext_noop("%(kind)s %(name)s does not exist in the cluster.")
        return Observed(ref, False, False, Sentence(text, words))
    message = readiness.unready(live)
    fence = fence_of(live) or Fence("", 0)
    return Observed(ref, True, not message, message, quotas.usage(live), _uid(live), *fence)


def _uid(live: Manifest | None) -> str:
    return live["metadata"]["uid"] if live else ""
