"""Addresses of the pages of clusters."""

from django.urls import path

from clusters import drift_views, views

urlpatterns = [
    path("clusters", views.listing, name="clusters"),
    path("clusters/<slug:name>/capacity", views.capacity, name="cluster-capacity"),
    path("clusters/<slug:name>/restore", views.restore, name="cluster-restore"),
    path("bundles/<uuid:uid>/drift", drift_views.detail, name="bundle-drift"),
    path("bundles/<uuid:uid>/repair", drift_views.repair, name="bundle-repair"),
]
