"""Addresses of the pages of projects."""

from django.urls import path

from tenants.views import deletion, projects, tenants

urlpatterns = [
    path("projects", projects.listing, name="projects"),
    path("projects/<uuid:uid>", projects.detail, name="project-detail"),
    path("projects/<uuid:uid>/state", projects.state, name="project-state"),
    path("projects/<uuid:uid>/usage", projects.usage, name="project-usage"),
    path("projects/<uuid:uid>/deletion/call-off", deletion.call_off, name="project-call-off"),
    path("tenants", tenants.listing, name="tenants"),
    path("tenants/<slug:code>", tenants.detail, name="tenant-detail"),
]
