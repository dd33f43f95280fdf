"""Keeping the quotas over tenants' projects in OpenShift clusters, in the transactions that change what they follow."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import User
from clusters import services as fleet
from clusters.models import Bundle, Cluster
from tenants import manifests, tenant_quotas
from tenants.models import Project, Tenant
from workflow.models import Request
from workflow.services import outcomes


def lock_quotas(tenant: Tenant) -> None:
    """Nobody else changes the tenant's quotas until the caller's transaction ends. Bundles before tenants, always: a
    decision holds its bundles before anything is carried out."""
    list(_bundles(tenant).values_list("pk"))
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)


def keep_quotas(
    *, request: Request, tenant: Tenant, clusters: Iterable[Cluster], by: User | None, at: datetime
) -> None:
    """Makes the tenant's budget, as it is now, its quota in those of the clusters that are OpenShift, after an approved
    request and in its transaction. What is wanted already is not touched."""
    chosen = [cluster for cluster in clusters if cluster.flavour == tenant_quotas.OPENSHIFT]
    if not chosen:
        return
    lock_quotas(tenant)
    state = tenant_quotas.state_of(tenant)
    wanted, now = manifests.tenant_quota(state), tenant_quotas.wanted_now(tenant, chosen)
    aims = [fleet.Aim(_bundle(tenant, cluster), wanted, state) for cluster in chosen if now[cluster.pk] != wanted]
    if aims:
        outcomes.set_desired_many(request, aims=aims, by=by, at=at)


def drop_quota(*, request: Request, tenant: Tenant, cluster: Cluster, at: datetime) -> None:
    """Removes the tenant's quota from a cluster in which it has no project any more, in the transaction in which the
    last one, removed after `request`, is gone; else nothing."""
    lock_quotas(tenant)
    if Project.objects.filter(tenant=tenant, bundle__cluster=cluster, gone_at__isnull=True).exists():
        return
    if not tenant_quotas.wanted_now(tenant, [cluster])[cluster.pk]:
        return
    # No outcome of the request: that is about the project, which is gone.
    fleet.set_desired(
        bundle=_bundle(tenant, cluster),
        manifests=[],
        state={},
        provenance=outcomes.provenance(request),
        by=None,
        at=at,
    )


def _bundles(tenant: Tenant) -> QuerySet[Bundle]:
    rows = Bundle.objects.select_for_update(of=("self",)).filter(owner=tenant_quotas.owner_key(tenant))
    return rows.order_by("pk")


def _bundle(tenant: Tenant, cluster: Cluster) -> Bundle:
    """The one of this tenant and cluster, made where there is none; the caller holds `lock_quotas`."""
    found = _bundles(tenant).filter(cluster=cluster).first()
    owner = tenant_quotas.owner_key(tenant)
    return found or fleet.create_bundle(cluster=cluster, tenant_id=tenant.pk, owner=owner, namespace="")
