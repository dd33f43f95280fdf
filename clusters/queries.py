"""Reading the fleet."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from clusters.access import SEALED
from clusters.models import Cluster


def clusters_visible_to(user: User) -> models.QuerySet[Cluster]:
    """Whoever is signed in may know which shared clusters there are; one that is dedicated to a tenant is for its
    members and for who sees all tenants. Addresses and credentials are not for pages."""
    rows = Cluster.objects.filter(is_active=True).defer(
        "address", "ca", "client_certificate", "observer_address", *(f"{name}_sealed" for name in SEALED)
    )
    if user.sees_all_tenants:
        return rows
    own = Cluster.objects.filter(dedicated_to__memberships__subject__in=user.subjects).values("pk")
    return rows.filter(Q(dedicated_to__isnull=True) | Q(pk__in=own))


def clusters_managed_by(user: User) -> models.QuerySet[Cluster]:
    """All clusters, those out of service too, with their addresses, for administrators; none for others. What is
    sealed is never read for a page."""
    rows = Cluster.objects.select_related("dedicated_to").defer(*(f"{name}_sealed" for name in SEALED))
    return rows if user.is_administrator else rows.none()


def clusters_of_environment(environment: str) -> models.QuerySet[Cluster]:
    """Clusters on which a project of this environment may be placed."""
    return Cluster.objects.filter(is_active=True, environments__contains=[environment])
