"""Addresses of the pages of clusters."""

from django.urls import path

from clusters import bundle_views, cluster_views, drift_views, fleet_views, views

urlpatterns = [
    path("clusters", fleet_views.listing, name="clusters"),
    path("clusters/new", views.new, name="cluster-new"),
    path("clusters/<slug:name>/edit", views.edit, name="cluster-edit"),
    path("clusters/<slug:name>/capacity", views.capacity, name="cluster-capacity"),
    path("clusters/<slug:name>", cluster_views.detail, name="cluster"),
    path("clusters/<slug:name>/health", cluster_views.health, name="cluster-health"),
    path("clusters/<slug:name>/probe", cluster_views.probe, name="cluster-probe"),
    path("bundles/<uuid:uid>", bundle_views.detail, name="bundle"),
    path("bundles/<uuid:uid>/state", bundle_views.state, name="bundle-state"),
    path("bundles/<uuid:uid>/retry", bundle_views.retry, name="bundle-retry"),
    path("clusters/<slug:name>/restore", views.restore, name="cluster-restore"),
    path("bundles/<uuid:uid>/drift", drift_views.detail, name="bundle-drift"),
    path("bundles/<uuid:uid>/repair", drift_views.repair, name="bundle-repair"),
]
