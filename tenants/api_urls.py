"""REST addresses of tenants and projects, below /api/v1/."""

from django.urls import path

from tenants.api import deletion, projects, tenants, usage

urlpatterns = [
    path("tenants", tenants.TenantsView.as_view(), name="api-tenants"),
    path("projects", projects.ProjectsView.as_view(), name="api-projects"),
    path("projects/<uuid:uid>", projects.ProjectView.as_view(), name="api-project"),
    path("projects/<uuid:uid>/usage", usage.ProjectUsageView.as_view(), name="api-project-usage"),
    path("projects/<uuid:uid>/deletion/call-off", deletion.CallOffView.as_view(), name="api-project-call-off"),
    path("tenants/<slug:code>", tenants.TenantView.as_view(), name="api-tenant"),
    path("size-plans", tenants.SizePlansView.as_view(), name="api-size-plans"),
]
