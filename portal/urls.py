"""All addresses of the portal."""

from django.urls import include, path

from portal import api, audit_api, audit_views, document_api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("home/requests", views.home_requests, name="home-requests"),
    path("home/projects", views.home_projects, name="home-projects"),
    path("audit", audit_views.listing, name="audit"),
    path("audit/events.csv", audit_views.as_csv, name="audit-csv"),
    path("audit/events.jsonl", audit_views.as_json_lines, name="audit-jsonl"),
    path("audit/<int:pk>", audit_views.event, name="audit-event"),
    path("search", views.search_page, name="search"),
    path("search/panel", views.search_panel, name="search-panel"),
    path("reference", views.reference, name="reference"),
    path("reference/<slug:name>", views.reference_operation, name="reference-operation"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.metrics_text, name="metrics"),
    path("readyz", views.readyz, name="readyz"),
    path("", include("accounts.urls")),
    path("", include("notify.urls")),
    path("", include("workflow.urls")),
    path("", include("tenants.urls")),
    path("", include("clusters.urls")),
    path("api/v1/audit/events", audit_api.EventsView.as_view(), name="api-audit"),
    path("api/v1/audit/events.csv", audit_api.CsvView.as_view(), name="api-audit-csv"),
    path("api/v1/audit/events.jsonl", audit_api.JsonLinesView.as_view(), name="api-audit-jsonl"),
    path("api/v1/audit/events/<int:pk>", audit_api.EventView.as_view(), name="api-audit-event"),
    path("api/v1/audit/seals", audit_api.SealsView.as_view(), name="api-audit-seals"),
    path("api/v1/openapi.json", document_api.DocumentView.as_view(), name="api-schema"),
    path("api/v1/search", api.SearchView.as_view(), name="api-search"),
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
