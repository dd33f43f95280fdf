"""Addresses of the pages of clusters."""

from django.urls import path

from clusters import views

urlpatterns = [
    path("clusters", views.listing, name="clusters"),
    path("clusters/<slug:name>/capacity", views.capacity, name="cluster-capacity"),
    path("clusters/<slug:name>/restore", views.restore, name="cluster-restore"),
]
