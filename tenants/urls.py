"""Addresses of the pages of projects."""

from django.urls import path

from tenants.views import deletion, lists, projects, service_accounts, tenants

urlpatterns = [
    path("projects", lists.projects, name="projects"),
    path("projects/<uuid:uid>", projects.detail, name="project-detail"),
    path("projects/<uuid:uid>/state", projects.state, name="project-state"),
    path("projects/<uuid:uid>/usage", projects.usage, name="project-usage"),
    path("projects/<uuid:uid>/deletion/call-off", deletion.call_off, name="project-call-off"),
    path("tenants", lists.tenants, name="tenants"),
    path("tenants/<slug:code>", tenants.detail, name="tenant-detail"),
    path("tenants/<slug:code>/service-accounts", service_accounts.listing, name="service-accounts"),
    path("tenants/<slug:code>/service-accounts/<slug:name>", service_accounts.detail, name="service-account"),
    path(
        "tenants/<slug:code>/service-accounts/<slug:name>/change",
        service_accounts.change,
        name="service-account-change",
    ),
    path(
        "tenants/<slug:code>/service-accounts/<slug:name>/tokens/<slug:prefix>/revoke",
        service_accounts.token_revoke,
        name="service-account-token-revoke",
    ),
]
