"""All addresses of the portal."""

from django.urls import include, path

from portal import document_api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("home/requests", views.home_requests, name="home-requests"),
    path("home/projects", views.home_projects, name="home-projects"),
    path("reference", views.reference, name="reference"),
    path("reference/<slug:name>", views.reference_operation, name="reference-operation"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("", include("accounts.urls")),
    path("", include("notify.urls")),
    path("", include("workflow.urls")),
    path("", include("tenants.urls")),
    path("", include("clusters.urls")),
    path("api/v1/openapi.json", document_api.DocumentView.as_view(), name="api-schema"),
    path("api/v1/", include("accounts.api_urls")),
    path("api/v1/", include("notify.api_urls")),
    path("api/v1/", include("workflow.api_urls")),
    path("api/v1/", include("tenants.api_urls")),
    path("api/v1/", include("clusters.api_urls")),
]

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.permission_denied"
handler404 = "portal.errors.page_not_found"
handler500 = "portal.errors.server_error"
