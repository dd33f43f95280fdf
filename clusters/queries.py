"""Reading the fleet."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from clusters.models import Bundle, Cluster

# How a cluster is reached, and with what: for drivers alone.
_NOT_FOR_PAGES = (
    "address",
    "ca",
    "token_sealed",
    "client_certificate",
    "client_key_sealed",
    "signing_key_sealed",
    "observer_address",
    "observer_ca",
    "observer_token_sealed",
)


def clusters_visible_to(user: User) -> models.QuerySet[Cluster]:
    """Whoever is signed in may know which shared clusters there are; one that is dedicated to a tenant is for its
    members and for who sees all tenants. Addresses and credentials are not for pages."""
    rows = Cluster.objects.filter(is_active=True).defer(*_NOT_FOR_PAGES)
    if user.sees_all_tenants:
        return rows
    own = Cluster.objects.filter(dedicated_to__memberships__subject__in=user.subjects).values("pk")
    return rows.filter(Q(dedicated_to__isnull=True) | Q(pk__in=own))


def clusters_of_environment(environment: str) -> models.QuerySet[Cluster]:
    """Clusters on which a project of this environment may be placed."""
    return Cluster.objects.filter(is_active=True, environments__contains=[environment])


def bundles_visible_to(user: User) -> models.QuerySet[Bundle]:
    """Bundles of the person's tenants; all for who sees all tenants. Their cluster is selected, without address and
    credentials."""
    rows = Bundle.objects.select_related("cluster", "tenant").defer(*(f"cluster__{name}" for name in _NOT_FOR_PAGES))
    if user.sees_all_tenants:
        return rows
    own = Bundle.objects.filter(tenant__memberships__subject__in=user.subjects).values("pk")
    return rows.filter(pk__in=own)
