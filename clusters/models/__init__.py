"""The registry of clusters, and bundles: all objects the portal keeps in one cluster for one owner."""

from clusters.models.bundle import Bundle, BundleObject, BundleRevision, BundleRun
from clusters.models.capacity import Capacity
from clusters.models.cluster import Cluster, workable_clusters
from clusters.models.drift import DriftCheck
from clusters.models.health import Health, Origin
from clusters.models.usage import UsageSample, UsageThinning

__all__ = [
    "Bundle",
    "BundleObject",
    "BundleRevision",
    "BundleRun",
    "Capacity",
    "Cluster",
    "DriftCheck",
    "Health",
    "Origin",
    "UsageSample",
    "UsageThinning",
    "workable_clusters",
]
