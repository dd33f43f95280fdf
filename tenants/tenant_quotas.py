"""The quota over a tenant's projects in one OpenShift cluster: one bundle a tenant and cluster, as large as the budget.

A budget is for all clusters together and the ledger keeps to it; this makes every cluster refuse more than that too.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from clusters.models import Bundle, BundleRevision, Cluster
from tenants import ledger, manifests
from tenants.models import Project, Tenant

OPENSHIFT = "openshift"


def owner_key(tenant: Tenant) -> str:
    """Whom the bundle is kept for."""
    return f"tenant:{tenant.code}"


def state_of(tenant: Tenant, budget: Mapping[str, int | None] | None = None) -> dict[str, Any]:
    """What manifests.tenant_quota renders: the tenant's budget, or the one given."""
    return {"tenant": tenant.code, "budget": dict(ledger.budget_of(tenant) if budget is None else budget)}


def clusters_of(tenant: Tenant) -> list[Cluster]:
    """The OpenShift clusters in which the tenant has projects, by name."""
    there = Project.objects.filter(tenant=tenant, gone_at__isnull=True).values("bundle__cluster")
    return list(Cluster.objects.filter(pk__in=there, flavour=OPENSHIFT).order_by("name"))


def wanted_now(tenant: Tenant, clusters: Iterable[Cluster]) -> dict[int, list[dict[str, Any]]]:
    """The manifests of the newest revision by cluster (its pk); [] where there is none."""
    pks = [cluster.pk for cluster in clusters]
    bundles = dict(Bundle.objects.filter(owner=owner_key(tenant), cluster__in=pks).values_list("pk", "cluster_id"))
    newest = BundleRevision.objects.filter(bundle__in=bundles).order_by("bundle_id", "-number").distinct("bundle_id")
    wanted = {
        bundles[pk]: [entry["manifest"] for entry in entries]
        for pk, entries in newest.values_list("bundle_id", "objects_wanted")
    }
    return {pk: wanted.get(pk, []) for pk in pks}


def lacks(tenant: Tenant, cluster: Cluster) -> bool:
    """Whether the cluster should have another quota for the tenant, once there is a project of the tenant in it."""
    if cluster.flavour != OPENSHIFT:
        return False
    return wanted_now(tenant, [cluster])[cluster.pk] != manifests.tenant_quota(state_of(tenant))
