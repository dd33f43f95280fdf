"""Addresses of the pages of projects."""

from django.urls import path

from tenants import views

urlpatterns = [
    path("projects", views.listing, name="projects"),
    path("projects/<uuid:uid>", views.detail, name="project-detail"),
    path("projects/<uuid:uid>/state", views.state, name="project-state"),
]
