"""Tenants as prepared rows for pages: plain values in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.rows import amount_text, standing_bars
from clusters.words import bundle_status, environment_label, resource_label
from tenants.figures import text_of
from tenants.models import Membership, Project, Tenant
from tenants.rows import member_row
from tenants.services.tenants import is_administrator
from tenants.standing import Standings
from tenants.states import figures_of
from workflow.kinds import all_kinds

Row = dict[str, Any]
_ORDER = {"owner": 0, "developer": 1, "viewer": 2}


def tenant_row(tenant: Tenant, standings: Standings, projects: int) -> Row:
    """One tenant with what is promised to it; `unlimited` says what is promised of resources without a budget."""
    texts = [
        f"{resource_label(name)} {amount_text(name, one.promised)}"
        for name, one in standings.items()
        if one.limit is None and one.promised
    ]
    has_limits = any(one.limit is not None for one in standings.values())
    return {
        "url": reverse("tenant-detail", args=[tenant.code]),
        "code": tenant.code,
        "name": tenant.name,
        "projects": projects,
        "bars": standing_bars(standings),
        "unlimited": _("Without limit: %(amounts)s") % {"amounts": " · ".join(texts)} if texts else "",
        "has_limits": has_limits,
    }


def member_rows(memberships: Iterable[Membership]) -> list[Row]:
    """[{name, kind_label, is_group, role_label}], owners first."""
    ordered = sorted(memberships, key=lambda one: (_ORDER.get(one.role, len(_ORDER)), one.subject))
    return [member_row(one.subject, one.role) for one in ordered]


def project_line(project: Project) -> Row:
    """A project in a list of a tenant's: where it is, its quota in words, how it is."""
    quota = " · ".join(f"{resource_label(name)} {text_of(name, n)}" for name, n in figures_of(project).items())
    return {
        "url": reverse("project-detail", args=[project.uid]),
        "name": project.display_name,
        "namespace": project.namespace,
        "environment_label": environment_label(project.environment),
        "cluster": project.bundle.cluster.name,
        "quota": quota,
        "status": bundle_status(project.bundle),
    }


def tenant_actions(tenant: Tenant, roles: set[str], user: User) -> Sequence[Row]:
    """What the person may ask for about the tenant: [{"label", "url", "icon"}]."""
    manages = "owner" in roles or is_administrator(user)
    return offered(
        [
            (bool(roles & {"owner", "developer"}), "new-project", _("New project"), "plus"),
            (manages, "tenant-quota", _("Change budget"), "edit"),
            (manages, "change-tenant-members", _("Change members"), "group"),
        ],
        {"tenant": tenant.code},
    )


def project_actions(project: Project, roles: set[str], user: User) -> Sequence[Row]:
    """What the person may ask for about the project: [{"label", "url", "icon"}]."""
    works = bool(roles & {"owner", "developer"})
    manages = "owner" in roles or is_administrator(user)
    return offered(
        [
            (works and "quota" in project.parts, "change-quota", _("Change quota"), "edit"),
            (works and "members" in project.parts, "change-members", _("Change members"), "group"),
            (manages, "delete-project", _("Delete"), "close"),
        ],
        {"project": str(project.uid)},
    )


def offered(wishes: Iterable[tuple[bool, str, str, str]], values: Mapping[str, str]) -> list[Row]:
    """Links to the forms of kinds, from (may be asked, kind, label, icon); kinds this portal lacks are left out."""
    query = "&".join(f"{name}={value}" for name, value in values.items())
    return [
        {"kind": kind, "label": label, "icon": icon, "url": f"{reverse('request-new', args=[kind])}?{query}"}
        for may, kind, label, icon in wishes
        if may and kind in all_kinds()
    ]
