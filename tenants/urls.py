"""Addresses of the pages of projects."""

from django.urls import path

from tenants.views import deletion, projects, service_accounts, tenants

urlpatterns = [
    path("projects", projects.listing, name="projects"),
    path("projects/<uuid:uid>", projects.detail, name="project-detail"),
    path("projects/<uuid:uid>/state", projects.state, name="project-state"),
    path("projects/<uuid:uid>/deletion/call-off", deletion.call_off, name="project-call-off"),
    path("tenants", tenants.listing, name="tenants"),
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
