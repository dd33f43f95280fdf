"""Reading the fleet."""

from django.db import models

from accounts.models import User
from clusters.models import Cluster


def clusters_visible_to(user: User) -> models.QuerySet[Cluster]:
    """Whoever is signed in may know which clusters there are; addresses and credentials are not for pages."""
    return Cluster.objects.filter(is_active=True).defer("token_sealed", "ca")


def clusters_of_environment(environment: str) -> models.QuerySet[Cluster]:
    """Clusters on which a project of this environment may be placed."""
    return Cluster.objects.filter(is_active=True, environments__contains=[environment])
