"""REST addresses of clusters, below /api/v1/."""

from django.urls import path

from clusters import api

urlpatterns = [
    path("clusters", api.ClustersView.as_view(), name="api-clusters"),
    path("clusters/<slug:name>", api.ClusterView.as_view(), name="api-cluster"),
    path("clusters/<slug:name>/capacity", api.CapacityView.as_view(), name="api-cluster-capacity"),
    path("clusters/<slug:name>/restore", api.RestoreView.as_view(), name="api-cluster-restore"),
]
