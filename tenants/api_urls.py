"""REST addresses of tenants and projects, below /api/v1/."""

from django.urls import path

from tenants import api

urlpatterns = [
    path("tenants", api.TenantsView.as_view(), name="api-tenants"),
    path("projects", api.ProjectsView.as_view(), name="api-projects"),
    path("projects/<uuid:uid>", api.ProjectView.as_view(), name="api-project"),
]
