"""Pages of tenants: what may be promised to each, and what is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.rows import standing_bars, standing_rows
from tenants import ledger, queries, tenant_rows
from tenants.models import Membership, Tenant
from tenants.service_account_rows import entry_link
from web.errors import NotFound
from workflow.machine import OPEN_STATES
from workflow.queries import requests_visible_to
from workflow.rows import request_row

SHOWN = 50


@require_safe
def detail(http: HttpRequest, code: str) -> HttpResponse:
    """How much of its budget is left, who is in it, what it has, what is open."""
    tenant = queries.tenants_visible_to(http.user).filter(code=code[:13]).first()
    if tenant is None:
        raise NotFound(_("There is no such tenant."))
    members = list(tenant.memberships.filter(Membership.OF_PEOPLE))
    roles = {one.role for one in members if one.subject in http.user.subjects}
    standings = ledger.pools_of_tenant(tenant)
    projects = queries.projects_visible_to(http.user).filter(tenant=tenant).order_by("-pk")[: SHOWN + 1]
    # Not parents: their children say where they stand.
    waiting = requests_visible_to(http.user).filter(tenant=tenant, state__in=OPEN_STATES, policy__isnull=False)
    shown = [tenant_rows.project_line(project) for project in projects]
    context = {
        "t": {"name": tenant.name, "code": tenant.code},
        "actions": tenant_rows.tenant_actions(tenant, roles, http.user),
        "bars": standing_bars(standings),
        "standings": standing_rows(standings),
        "members": tenant_rows.member_rows(members),
        "projects": shown[:SHOWN],
        "has_more": len(shown) > SHOWN,
        "requests": [request_row(found) for found in waiting.order_by("-pk")[:SHOWN]],
        "service_accounts_url": entry_link(tenant, roles, http.user),
        "list_url": reverse("tenants"),
        "audit_url": _audit_url(http, tenant),
    }
    return render(http, "tenants/detail.html", context)


def _audit_url(http: HttpRequest, tenant: Tenant) -> str:
    """Where what happened to the tenant is told; "" for who may not read that."""
    user, subjects = http.user, set(http.user.subjects)
    owns = any(one.role == "owner" and one.subject in subjects for one in tenant.memberships.all())
    return f"{reverse('audit')}?tenant={tenant.code}" if owns or user.is_auditor or user.is_administrator else ""
