"""What pools have and what is promised of them, read from the ledger's rows: see tenants.ledger.

What counts is a join with the bundle and written down nowhere: see Claim. One statement reads it for a pool, so a
concurrent change of a bundle's claims is seen whole or not at all.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import CharField, F, Q, QuerySet, Sum, Value

from clusters.capacity import effective
from clusters.models import Capacity, Cluster
from tenants.models import Claim, Tenant, TenantBudget
from tenants.rules import RESOURCES
from tenants.standing import Standing
from workflow.models import Request

# By pool (its id) and resource; what is missing has no limit.
Limits = dict[int, dict[str, int | None]]

_COUNTS = Q(until__isnull=True) | Q(until__gt=F("bundle__observed_generation"))
_HELD = Q(bundle__isnull=True) | Q(revision__gt=F("bundle__observed_generation"))


class Pools(NamedTuple):
    """What the pools of some needs have without a request's own claims, by id, and whether it holds anything."""

    tenants: dict[int, dict[str, Standing]]
    clusters: dict[int, dict[str, Standing]]
    holds: bool


def pools_of_both(tenants: Collection[int], clusters: Collection[int], without: Request | None) -> Pools:
    """In three queries, of which one reads all sums: a concurrent change of claims is seen whole or not at all."""
    budgets, capacities = _budgets(tenants), _capacities(clusters)
    sums = _sums("tenant", budgets, without).union(_sums("cluster", capacities, without), all=True)
    if without is not None and without.pk is not None:
        own = Claim.objects.filter(request=without, bundle__isnull=True)
        sums = sums.union(_summed(own, "request"), all=True)
    rows = list(sums)
    holds = any(row[0] == "request" for row in rows)
    return Pools(_standings("tenant", budgets, rows), _standings("cluster", capacities, rows), holds)


def standings_of_tenants(
    tenants: Iterable[Tenant], *, without: Request | None = None
) -> dict[int, dict[str, Standing]]:
    """The tenants' budgets by tenant id and resource, and what is promised of them, in two queries; `without` leaves a
    request's own claims out."""
    limits = _budgets({tenant.pk for tenant in tenants})
    return _standings("tenant", limits, _sums("tenant", limits, without))


def standings_of_clusters(
    clusters: Iterable[Cluster], *, without: Request | None = None
) -> dict[int, dict[str, Standing]]:
    """As `standings_of_tenants`, of the clusters' capacities with their overcommit factors."""
    limits = _capacities({cluster.pk for cluster in clusters})
    return _standings("cluster", limits, _sums("cluster", limits, without))


def standings_of_read(clusters: Iterable[Cluster], *, without: Request | None = None) -> dict[int, dict[str, Standing]]:
    """As `standings_of_clusters` in one query, of clusters that were read with their capacity just now."""
    limits: Limits = {}
    for cluster in clusters:
        capacity = getattr(cluster, "capacity", None)
        limits[cluster.pk] = effective(capacity) if capacity else {}
    return _standings("cluster", limits, _sums("cluster", limits, without))


def promised_on(cluster: Cluster, tenants: QuerySet[Tenant]) -> dict[int, dict[str, tuple[int, int]]]:
    """{tenant id: {resource: (settled, held)}} of what the cluster has promised to each of these tenants, in one query;
    tenants and resources without a promise are left out."""
    claims = Claim.objects.filter(_COUNTS, cluster=cluster, tenant__in=tenants.values("pk")).order_by()
    sums = claims.values_list("tenant_id", "resource").annotate(
        promised=Sum("amount"), held=Sum("amount", filter=_HELD)
    )
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for pk, resource, promised, held in sums:
        found.setdefault(pk, {})[resource] = (promised - (held or 0), held or 0)
    return found


def _budgets(tenants: Collection[int]) -> Limits:
    limits: Limits = {pk: {} for pk in sorted(tenants)}
    rows = TenantBudget.objects.filter(tenant__in=limits).values_list("tenant_id", "resource", "amount")
    for pk, resource, amount in rows:
        limits[pk][resource] = amount
    return limits


def _capacities(clusters: Collection[int]) -> Limits:
    limits: Limits = {pk: {} for pk in sorted(clusters)}
    for capacity in Capacity.objects.filter(cluster__in=limits):
        limits[capacity.cluster_id] = effective(capacity)
    return limits


def _sums(pool: str, ids: Collection[int], without: Request | None) -> QuerySet[Claim, Any]:
    """See `_summed`, of these pools (`pool` is the claims' column that names them)."""
    claims = Claim.objects.filter(_COUNTS, **{f"{pool}__in": list(ids)})
    if without is not None and without.pk is not None:
        claims = claims.exclude(request_id=without.pk)
    return _summed(claims, pool)


def _summed(claims: QuerySet[Claim], pool: str) -> QuerySet[Claim, Any]:
    """(the pool's column, its id, resource, promised, held or None) of each resource of which something is promised."""
    named = claims.order_by().annotate(pool=Value(pool, CharField()), key=F(f"{pool}_id"))
    sums = named.values("pool", "key", "resource").annotate(promised=Sum("amount"), held=Sum("amount", filter=_HELD))
    return sums.values_list("pool", "key", "resource", "promised", "held")


def _standings(pool: str, limits: Limits, sums: Iterable[Any]) -> dict[int, dict[str, Standing]]:
    """Those of the sums that are of pools of this sort, with their limits; a missing limit is none."""
    known = {
        (key, resource): (promised - (held or 0), held or 0) for of, key, resource, promised, held in sums if of == pool
    }
    return {
        pk: {resource: Standing(limit.get(resource), *known.get((pk, resource), (0, 0))) for resource in RESOURCES}
        for pk, limit in limits.items()
    }
