"""How many bundles there are in each state, by cluster."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from clusters.models import Bundle, Cluster
from clusters.narrowing import in_state, living


@dataclass(frozen=True)
class Tally:
    """Bundles of one cluster that somebody may see: all, by state, and those that differ from what was approved."""

    total: int = 0
    ready: int = 0
    committed: int = 0
    queued: int = 0
    applying: int = 0
    retrying: int = 0
    blocked: int = 0
    drifted: int = 0
    tenants: int = 0

    @property
    def agreed(self) -> int:
        """How many are as wanted, as far as is known."""
        return self.ready + self.committed

    @property
    def under_way(self) -> int:
        """How many a worker has or will have next."""
        return self.queued + self.applying

    @property
    def needs_work(self) -> bool:
        """Whether any does not go on as it should."""
        return bool(self.blocked or self.retrying or self.drifted)

    def as_dict(self) -> dict[str, int]:
        """By name, as the API says it."""
        return asdict(self)


_STATES = ("ready", "committed", "queued", "applying", "retrying", "blocked")


def tallies_of(bundles: QuerySet[Bundle], clusters: Iterable[Cluster]) -> dict[int, Tally]:
    """By cluster id, in one query; the bundles are those that the reader may see."""
    pks = [cluster.pk for cluster in clusters]
    rows: Any = (
        living(bundles.filter(cluster__in=pks))
        .select_related(None)
        .defer(None)
        .order_by()
        .values("cluster")
        .annotate(
            total=Count("pk", distinct=True),
            tenants=Count("tenant", distinct=True),
            drifted=Count("drift", distinct=True, filter=Q(drift__found_at__isnull=False)),
            # Prefixed: what is called as a column would be taken for it.
            **{f"in_{state}": Count("pk", distinct=True, filter=in_state(state)) for state in _STATES},
        )
    )
    found = {row.pop("cluster"): Tally(**{name.removeprefix("in_"): n for name, n in row.items()}) for row in rows}
    return {pk: found.get(pk, Tally()) for pk in pks}
