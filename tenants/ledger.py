"""The ledger: holds what is asked for, so that no more is promised than a tenant's budget and a cluster have.

Everything here runs in the caller's transaction. Pools are tenants and clusters. `hold` alone lets more be promised, so
it alone (and `set_budget`, which lets less be) locks them: tenants by id, then clusters by id, in a mode that leaves
foreign keys to them free. All else gives back, or says of what is promised already which bundle has it; it is called
under the lock of the request or the bundle it is about, and never adds to a sum.

What counts is read by tenants.pools. A raise holds the difference only; a lowering
counts in full until the cluster has observed it, also against a raise that follows meanwhile.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.models import Bundle, Cluster
from tenants.models import Claim, Tenant, TenantBudget
from tenants.pools import Pools, pools_of_both, standings_of_clusters, standings_of_tenants
from tenants.rules import RESOURCES
from tenants.standing import Shortage, Standing, readable, shortages, word
from web.errors import Conflict
from web.once import keep, once
from workflow.models import Request


class NotEnough(Conflict):
    """A pool has too little left; `context` has the shortages: [{pool, name, resource, left, needed}]."""

    code = "not-enough"


class BelowPromised(Conflict):
    """A budget would be less than what is promised; `context` has the excesses: [{resource, promised, budget}]."""

    code = "below-promised"


@dataclass(frozen=True)
class Need:
    """What is needed of a tenant and a cluster, by resource, in millicores, bytes and pieces."""

    tenant: Tenant
    cluster: Cluster
    amounts: Mapping[str, int]


def hold(request: Request, needs: Sequence[Need]) -> None:
    """Makes the request hold these needs and nothing else. Raises NotEnough, and then changes nothing."""
    wanted = [need for need in needs if _counted(need.amounts)]
    _lock({need.tenant.pk for need in wanted}, {need.cluster.pk for need in wanted})
    pools = _pools_of(wanted, request)
    lacking = _lacking(wanted, pools)
    if lacking:
        sentence = " ".join(str(shortage.sentence) for shortage in lacking)
        raise NotEnough(sentence, shortages=[shortage.stored() for shortage in lacking])
    # Until the transaction ends nobody else changes what is promised of these.
    for tenant, standings in pools.tenants.items():
        keep(("pools", tenant, request.pk), standings)
    if pools.holds:
        release(request)
    amounts: Counter[tuple[int, int, str]] = Counter()
    for need in wanted:
        for resource, amount in _counted(need.amounts).items():
            amounts[need.tenant.pk, need.cluster.pk, resource] += amount
    Claim.objects.bulk_create(
        Claim(request=request, tenant_id=tenant, cluster_id=cluster, resource=resource, amount=amount)
        for (tenant, cluster, resource), amount in amounts.items()
    )


def pools_beside(request: Request) -> dict[str, Standing]:
    """As `pools_of_tenant` of the request's tenant without what it holds itself; as `hold` saw it under its lock."""
    tenant = request.tenant
    assert tenant is not None
    return once(("pools", tenant.pk, request.pk), lambda: pools_of_tenant(tenant, without=request))


def lacks(needs: Sequence[Need], *, without: Request | None = None) -> list[Shortage]:
    """What tenants and clusters have too little of, as things are now; `without` is the request that needs it."""
    return _lacking(needs, _pools_of(needs, without))


def _pools_of(needs: Sequence[Need], without: Request | None) -> Pools:
    return pools_of_both({need.tenant.pk for need in needs}, {need.cluster.pk for need in needs}, without)


def _lacking(needs: Sequence[Need], pools: Pools) -> list[Shortage]:
    tenants = {need.tenant.pk: need.tenant for need in needs}
    clusters = {need.cluster.pk: need.cluster for need in needs}
    of_tenants: dict[int, Counter[str]] = {pk: Counter() for pk in sorted(tenants)}
    of_clusters: dict[int, Counter[str]] = {pk: Counter() for pk in sorted(clusters)}
    for need in needs:
        of_tenants[need.tenant.pk].update(need.amounts)
        of_clusters[need.cluster.pk].update(need.amounts)
    found = [s for pk in of_tenants for s in shortages("tenant", tenants[pk].name, pools.tenants[pk], of_tenants[pk])]
    for pk, wanted in of_clusters.items():
        found += shortages("cluster", clusters[pk].name, pools.clusters[pk], wanted)
    return found


def release(request: Request) -> None:
    """Gives back what the request holds; what was granted to bundles stays."""
    Claim.objects.filter(request=request, bundle__isnull=True).delete()


def grant(request: Request, bundle: Bundle, revision: int) -> None:
    """What the request holds is the bundle's from now on, and settled once the cluster has observed `revision`."""
    Claim.objects.filter(request=request, bundle__isnull=True).update(bundle=bundle, revision=revision)


def grant_many(request: Request, grants: Sequence[tuple[Bundle, int, Mapping[str, int]]]) -> None:
    """As `grant` for several (bundle, revision, amounts), which share what the request holds and give the rest back.

    Raises ValueError if they come to more than is held.
    """
    rows = [
        Claim(
            request=request,
            tenant_id=bundle.tenant_id,
            cluster_id=bundle.cluster_id,
            bundle=bundle,
            revision=revision,
            resource=resource,
            amount=amount,
        )
        for bundle, revision, amounts in grants
        for resource, amount in _counted(amounts).items()
    ]
    unused: Counter[tuple[int, int, str]] = Counter()
    for held in Claim.objects.filter(request=request, bundle__isnull=True):
        unused[held.tenant_id, held.cluster_id, held.resource] += held.amount
    for row in rows:
        unused[row.tenant_id, row.cluster_id, row.resource] -= row.amount
    if any(amount < 0 for amount in unused.values()):
        raise ValueError("more is granted than was held")
    release(request)
    Claim.objects.bulk_create(rows)


def lasting(bundle: Bundle) -> dict[str, int]:
    """What the bundle has for good, by resource: without what ends with a revision that is not observed yet."""
    rows = Claim.objects.filter(bundle=bundle, until__isnull=True).order_by()
    sums = rows.values_list("resource").annotate(amount=Sum("amount"))
    return dict.fromkeys(RESOURCES, 0) | dict(sums)


def rises(bundle: Bundle, to: Mapping[str, int]) -> dict[str, int]:
    """What a change of the bundle to these amounts has to hold first: where they are above what it has for good."""
    now = lasting(bundle)
    return {resource: amount - now[resource] for resource, amount in to.items() if amount > now[resource]}


def change(request: Request, bundle: Bundle, revision: int, to: Mapping[str, int]) -> None:
    """After an approved change of the bundle, of which the request holds `rises`: what rises is granted, what falls is
    lowered. Raises ValueError if it held too little."""
    grant(request, bundle, revision)
    lower(bundle, revision, to)


def lower(bundle: Bundle, revision: int, to: Mapping[str, int]) -> None:
    """The bundle's claims count `to` once the cluster has observed `revision`, and as before until then; resources that
    are not in it stay. Raises ValueError for more than it has."""
    split, parts, ending = [], [], []
    # Whichever of them end: all count until `revision` is observed, and then all that stay are settled.
    kept = list(Claim.objects.select_for_update().filter(bundle=bundle, until__isnull=True))
    for resource, amount in to.items():
        rows = [row for row in kept if row.resource == resource]
        extra = sum(row.amount for row in rows) - amount
        if extra < 0:
            raise ValueError(f"{resource} would not be lowered")
        for row in rows:
            part = min(extra, row.amount)
            extra -= part
            if part == row.amount:
                ending.append(row.pk)
            elif part:
                parts.append(_part_of(row, part, revision))
                row.amount -= part
                split.append(row)
    Claim.objects.filter(pk__in=ending).update(until=revision)
    Claim.objects.bulk_update(split, ["amount"])
    Claim.objects.bulk_create(parts)


def give_back(bundle: Bundle, revision: int) -> None:
    """Everything the bundle has counts until the cluster has observed `revision`: its removal."""
    Claim.objects.filter(bundle=bundle, until__isnull=True).update(until=revision)


def pools_of_tenant(tenant: Tenant, *, without: Request | None = None) -> dict[str, Standing]:
    """The tenant's budget by resource, and what is promised of it; `without` leaves a request's own claims out."""
    return standings_of_tenants([tenant], without=without)[tenant.pk]


def pools_of_cluster(cluster: Cluster, *, without: Request | None = None) -> dict[str, Standing]:
    """As `pools_of_tenant`, of the cluster's capacity with its overcommit factors."""
    return standings_of_clusters([cluster], without=without)[cluster.pk]


def budget_of(tenant: Tenant) -> dict[str, int | None]:
    """The tenant's budget by resource; None is no limit."""
    rows = TenantBudget.objects.filter(tenant=tenant).values_list("resource", "amount")
    return dict.fromkeys(RESOURCES) | dict(rows)


def check_budget(tenant: Tenant, amounts: Mapping[str, int | None]) -> None:
    """Raises BelowPromised where the tenant was promised more than such a budget (None: no limit) allows."""
    standings = pools_of_tenant(tenant)
    sentences, excesses = [], []
    for resource, amount in amounts.items():
        promised = standings[resource].promised
        if amount is None or amount >= promised:
            continue
        excesses.append({"resource": resource, "promised": promised, "budget": amount})
        sentences.append(
            _("%(resource)s: %(promised)s is promised to %(name)s already, which is more than %(budget)s.")
            % {
                "resource": word(resource),
                "promised": readable(resource, promised),
                "budget": readable(resource, amount),
                "name": tenant.name,
            }
        )
    if excesses:
        raise BelowPromised(" ".join(sentences), excesses=excesses)


def set_budget(*, tenant: Tenant, amounts: Mapping[str, int | None], by: User | None, at: datetime) -> None:
    """Sets the tenant's budget for these resources (None: no limit); the others stay. Raises BelowPromised."""
    _lock({tenant.pk}, set())
    check_budget(tenant, amounts)
    before = budget_of(tenant)
    TenantBudget.objects.filter(tenant=tenant, resource__in=amounts).delete()
    TenantBudget.objects.bulk_create(
        TenantBudget(tenant=tenant, resource=resource, amount=amount)
        for resource, amount in amounts.items()
        if amount is not None
    )
    audit.record(
        actor=by,
        action="tenant.set-budget",
        subject=f"tenant:{tenant.code}",
        tenant=tenant.code,
        before=before,
        after=before | dict(amounts),
        at=at,
    )


def _lock(tenants: set[int], clusters: set[int]) -> None:
    """Nobody else lets more, or less, be promised of these until the transaction ends."""
    for pools, ids in ((Tenant.objects, tenants), (Cluster.objects, clusters)):
        list(pools.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def _counted(amounts: Mapping[str, int]) -> dict[str, int]:
    """Without what is nothing; raises ValueError for what cannot be promised."""
    for resource, amount in amounts.items():
        if resource not in RESOURCES or amount < 0:
            raise ValueError(f"{amount} of {resource}")
    return {resource: amount for resource, amount in amounts.items() if amount}


def _part_of(claim: Claim, amount: int, until: int) -> Claim:
    """A claim like it of this amount, which ends with the revision `until`."""
    return Claim(
        request_id=claim.request_id,
        tenant_id=claim.tenant_id,
        cluster_id=claim.cluster_id,
        bundle_id=claim.bundle_id,
        revision=claim.revision,
        resource=claim.resource,
        amount=amount,
        until=until,
    )
