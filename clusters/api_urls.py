"""REST addresses of clusters, below /api/v1/."""

from django.urls import path

from clusters import api, drift_api

urlpatterns = [
    path("clusters", api.ClustersView.as_view(), name="api-clusters"),
    path("clusters/<slug:name>", api.ClusterView.as_view(), name="api-cluster"),
    path("clusters/<slug:name>/capacity", api.CapacityView.as_view(), name="api-cluster-capacity"),
    path("clusters/<slug:name>/restore", api.RestoreView.as_view(), name="api-cluster-restore"),
    path("drift", drift_api.DriftsView.as_view(), name="api-drift"),
    path("bundles/<uuid:uid>/drift", drift_api.BundleDriftView.as_view(), name="api-bundle-drift"),
    path("bundles/<uuid:uid>/repair", drift_api.RepairView.as_view(), name="api-bundle-repair"),
]
