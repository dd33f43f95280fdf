"""Addresses of the pages of projects."""

from django.urls import path

from tenants.views import deletion, lists, projects, tenants

urlpatterns = [
    path("projects", lists.projects, name="projects"),
    path("projects/<uuid:uid>", projects.detail, name="project-detail"),
    path("projects/<uuid:uid>/state", projects.state, name="project-state"),
    path("projects/<uuid:uid>/deletion/call-off", deletion.call_off, name="project-call-off"),
    path("tenants", lists.tenants, name="tenants"),
    path("tenants/<slug:code>", tenants.detail, name="tenant-detail"),
]
