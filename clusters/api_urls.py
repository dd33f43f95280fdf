"""REST addresses of clusters, below /api/v1/."""

from django.urls import path

from clusters import api, bundle_api, drift_api

urlpatterns = [
    path("clusters", api.ClustersView.as_view(), name="api-clusters"),
    path("clusters/<slug:name>", api.ClusterView.as_view(), name="api-cluster"),
    path("clusters/<slug:name>/settings", api.SettingsView.as_view(), name="api-cluster-settings"),
    path("clusters/<slug:name>/capacity", api.CapacityView.as_view(), name="api-cluster-capacity"),
    path("clusters/<slug:name>/probe", api.ProbeView.as_view(), name="api-cluster-probe"),
    path("bundles", bundle_api.BundlesView.as_view(), name="api-bundles"),
    path("bundles/<uuid:uid>", bundle_api.BundleView.as_view(), name="api-bundle"),
    path("bundles/<uuid:uid>/retry", bundle_api.RetryView.as_view(), name="api-bundle-retry"),
    path("bundles/<uuid:uid>/runs", bundle_api.RunsView.as_view(), name="api-bundle-runs"),
    path("bundles/<uuid:uid>/revisions", bundle_api.RevisionsView.as_view(), name="api-bundle-revisions"),
    path("bundles/<uuid:uid>/revisions/<int:number>", bundle_api.RevisionView.as_view(), name="api-bundle-revision"),
    path(
        "bundles/<uuid:uid>/revisions/<int:number>/difference",
        bundle_api.DifferenceView.as_view(),
        name="api-bundle-difference",
    ),
    path("clusters/<slug:name>/restore", api.RestoreView.as_view(), name="api-cluster-restore"),
    path("drift", drift_api.DriftsView.as_view(), name="api-drift"),
    path("bundles/<uuid:uid>/drift", drift_api.BundleDriftView.as_view(), name="api-bundle-drift"),
    path("bundles/<uuid:uid>/repair", drift_api.RepairView.as_view(), name="api-bundle-repair"),
]
