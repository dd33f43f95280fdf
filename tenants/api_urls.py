"""REST addresses of tenants and projects, below /api/v1/."""

from django.urls import path

from tenants.api import deletion, projects, service_accounts, tenants, usage

urlpatterns = [
    path("tenants", tenants.TenantsView.as_view(), name="api-tenants"),
    path("projects", projects.ProjectsView.as_view(), name="api-projects"),
    path("projects/<uuid:uid>", projects.ProjectView.as_view(), name="api-project"),
    path("projects/<uuid:uid>/usage", usage.ProjectUsageView.as_view(), name="api-project-usage"),
    path("projects/<uuid:uid>/deletion/call-off", deletion.CallOffView.as_view(), name="api-project-call-off"),
    path("tenants/<slug:code>", tenants.TenantView.as_view(), name="api-tenant"),
    path(
        "tenants/<slug:code>/service-accounts",
        service_accounts.ServiceAccountsView.as_view(),
        name="api-service-accounts",
    ),
    path(
        "tenants/<slug:code>/service-accounts/<slug:name>",
        service_accounts.ServiceAccountView.as_view(),
        name="api-service-account",
    ),
    path(
        "tenants/<slug:code>/service-accounts/<slug:name>/tokens",
        service_accounts.ServiceTokensView.as_view(),
        name="api-service-account-tokens",
    ),
    path(
        "tenants/<slug:code>/service-accounts/<slug:name>/tokens/<slug:prefix>",
        service_accounts.ServiceTokenView.as_view(),
        name="api-service-account-token",
    ),
    path("size-plans", tenants.SizePlansView.as_view(), name="api-size-plans"),
]
