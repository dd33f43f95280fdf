"""Holding a cluster after an older database was restored, and what the cluster has beyond it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from audit import services as audit
from clusters.drivers.base import Observed
from clusters.models import Bundle, Cluster, Health


class Beyond(NamedTuple):
    """One owner of whom cluster and database tell differently.

    `sort`: newer (the cluster has revisions that the database lost), unknown (the database has no such owner), gone
    (the cluster has nothing of it any more), pending (the database would apply something now). `known` and `live` are
    revisions; `objects` how many there are in the cluster.
    """

    sort: str
    bundle: str
    owner: str
    namespace: str
    known: int
    live: int
    objects: int


def hold_for_restore(clusters: Iterable[Cluster], at: datetime) -> None:
    """In the caller's transaction: nothing is written to these clusters until a person confirms; their next probe,
    which is due at once, says what they have beyond the database."""
    for cluster in clusters:
        held = Cluster.objects.filter(pk=cluster.pk, held_since__isnull=True).update(held_since=at)
        if held:
            Health.objects.filter(cluster=cluster).update(beyond=[], due_at=at, offered_until=None, attempts=0)
            audit.record(actor=None, action="cluster.hold", subject=f"cluster:{cluster.name}", at=at)


def is_surveyed(cluster: Cluster, health: Health) -> bool:
    """Whether the cluster was looked at since it is held, and can still be reached."""
    if cluster.held_since is None or health.checked_at is None or health.open_since is not None:
        return False
    return health.checked_at >= cluster.held_since


def beyond(cluster: Cluster, seen: Iterable[Observed]) -> list[Beyond]:
    """Compares a census of the cluster with what the database knows, by namespace."""
    live: dict[str, list[Observed]] = defaultdict(list)
    for one in seen:
        live[one.bundle].append(one)
    found = [
        _told(bundle, live.pop(str(bundle.uid), []))
        for bundle in Bundle.objects.filter(cluster=cluster).order_by("namespace", "pk")
    ]
    unknown = [Beyond("unknown", uid, "", _namespace(rest), 0, _newest(rest), len(rest)) for uid, rest in live.items()]
    return [one for one in found if one is not None] + sorted(unknown, key=lambda one: one.namespace)


def _told(bundle: Bundle, seen: list[Observed]) -> Beyond | None:
    known, newest = bundle.generation, _newest(seen)
    if newest > known:
        sort = "newer"
    elif bundle.observed_generation < known:
        sort = "pending"
    elif not seen and bundle.objects_kept.exclude(state="gone").exists():
        sort = "gone"
    else:
        return None
    return Beyond(sort, str(bundle.uid), bundle.owner, bundle.namespace, known, newest, len(seen))


def _newest(seen: Iterable[Observed]) -> int:
    return max((one.revision for one in seen), default=0)


def _namespace(seen: list[Observed]) -> str:
    return next((one.ref.namespace or one.ref.name for one in seen), "")


def rows_of(found: Iterable[Beyond]) -> list[dict[str, Any]]:
    """As Health.beyond holds them."""
    return [one._asdict() for one in found]
