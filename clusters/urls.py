"""Addresses of the pages of clusters."""

from django.urls import path

from clusters import views

urlpatterns = [
    path("clusters", views.listing, name="clusters"),
    path("clusters/new", views.new, name="cluster-new"),
    path("clusters/<slug:name>/edit", views.edit, name="cluster-edit"),
    path("clusters/<slug:name>/capacity", views.capacity, name="cluster-capacity"),
]
