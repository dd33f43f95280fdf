"""Lists of projects and tenants."""

from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters import words
from clusters.rows import amount_text
from tenants import ledger, narrowing, queries, rows, tenant_rows
from tenants.models import Project, Tenant
from tenants.narrowing import Wanted
from tenants.views.projects import with_objects
from web.exporting import MOST, csv_file
from web.filters import select_field, text_field
from web.tables import Column, Table, shown_filters

Row = dict[str, Any]

# Columns of a project's quota by resource.
QUOTA = {"cpu": "cpu_millicores", "memory": "memory_bytes", "storage": "storage_bytes", "pods": "pods"}


def _own_name() -> str:
    """The field of a tenant's name in the reader's language."""
    return f"name_{'en' if (get_language() or '').startswith('en') else 'zh'}"


@require_safe
def projects(http: HttpRequest) -> HttpResponseBase:
    """All projects the person may see, and what they have together."""
    wanted = narrowing.read(http.GET, "text", "environment", "tenant", "cluster")
    table = Table(http, _project_columns())
    fitting = narrowing.narrowed_projects(queries.projects_visible_to(http.user), wanted)
    if table.wants_csv:
        return _projects_file(table, fitting)
    page = table.page(with_objects(fitting))
    ask_url = reverse("request-new", args=["new-project"]) if queries.tenants_askable_by(http.user).exists() else ""
    context = {
        "rows": [rows.project_row(project) for project in page],
        "table": table,
        "total": _total(fitting) if page else "",
        "filters": shown_filters(table, _project_fields(wanted), http.path, wanted.is_narrow),
        "ask_url": ask_url,
        "empty": _no_projects(wanted, http.path, ask_url),
    }
    return render(http, "projects/list.html", context)


def _project_columns() -> list[Column]:
    return [
        Column("project", _("Project"), "display_name"),
        Column("tenant", _("Tenant"), f"tenant__{_own_name()}"),
        Column("status", _("Status")),
        Column("quota", _("Quota"), "cpu_millicores", sort="number", classes="pt-quota-col"),
    ]


def _project_fields(wanted: Wanted) -> list[Row]:
    environments = {name: words.environment_label(name) for name in ("dev", "test", "prod")}
    return [
        text_field("q", _("Search"), wanted.text, _("Name, namespace")),
        select_field("environment", _("Environment"), wanted.environment, environments),
        text_field("tenant", _("Code of the tenant"), wanted.tenant, ""),
        text_field("cluster", _("Cluster"), wanted.cluster, ""),
    ]


def _no_projects(wanted: Wanted, list_url: str, ask_url: str) -> Row:
    if wanted.is_narrow:
        said = {"title": _("Nothing matches"), "text": _("No project fits these filters.")}
        return said | {"action_label": _("Show all"), "action_url": list_url}
    return {
        "title": _("No projects yet"),
        "text": _("A project is a namespace of your own, with quota and members.") if ask_url else "",
        "action_label": _("New project"),
        "action_url": ask_url,
    }


def _total(fitting: QuerySet[Project]) -> str:
    """How many there are and what they have together, in one line."""
    sums = {f"all_{name}": Sum(column) for name, column in QUOTA.items()}
    found = fitting.order_by().aggregate(count=Count("pk"), **sums)
    parts = [ngettext("%(n)s project", "%(n)s projects", found["count"]) % {"n": found["count"]}]
    parts += [f"{words.resource_label(name)} {amount_text(name, found[f'all_{name}'] or 0)}" for name in QUOTA]
    return " · ".join(parts)


def _projects_file(table: Table, fitting: QuerySet[Project]) -> HttpResponseBase:
    heads = [_("Name"), _("Namespace"), _("Tenant"), _("Environment"), _("Cluster"), _("Status"), _("Owner")]
    heads += [_("Cost centre"), _("CPU (cores)"), _("Memory (GiB)"), _("Storage (GiB)"), _("Pods"), _("Since")]
    return csv_file("projects", heads, (_project_line(one) for one in table.every(fitting, MOST + 1)))


def _project_line(one: Project) -> list[object]:
    where = [one.tenant.code, words.environment_label(one.environment), one.bundle.cluster.name]
    state = words.bundle_status(one.bundle)["label"]
    gib = 1024**3
    quota = [one.cpu_millicores / 1000, one.memory_bytes / gib, one.storage_bytes / gib, one.pods]
    about = [one.display_name, one.namespace, *where, state, one.owner.username, one.cost_centre]
    return [*about, *quota, one.created_at]


@require_safe
def tenants(http: HttpRequest) -> HttpResponseBase:
    """All tenants the person may see, with their budgets."""
    wanted, table = narrowing.read(http.GET, "text"), Table(http, _tenant_columns())
    counted = queries.tenants_visible_to(http.user).annotate(
        living=Count("projects", filter=Q(projects__gone_at__isnull=True))
    )
    fitting = narrowing.narrowed_tenants(counted, wanted)
    if table.wants_csv:
        return _tenants_file(table, fitting)
    page = table.page(fitting)
    standings = ledger.standings_of_tenants(page)
    fields = [text_field("q", _("Search"), wanted.text, _("Name, code"))]
    context = {
        "rows": [tenant_rows.tenant_row(tenant, standings[tenant.pk], _living(tenant)) for tenant in page],
        "table": table,
        "filters": shown_filters(table, fields, http.path, wanted.is_narrow),
    }
    return render(http, "tenants/list.html", context)


def _living(tenant: Tenant) -> int:
    """How many projects it has, as the list has counted them."""
    return int(tenant.living)  # type: ignore[attr-defined]


def _tenant_columns() -> list[Column]:
    return [
        Column("tenant", _("Tenant"), _own_name()),
        Column("projects", _("Projects"), "living", sort="number"),
        Column("budget", _("Budget"), classes="pt-quota-col"),
    ]


def _tenants_file(table: Table, fitting: QuerySet[Tenant]) -> HttpResponseBase:
    """The names in both languages, as whoever works with the file may speak the other one."""
    heads = [_("Code"), _("Name in Chinese"), _("Name in English"), _("Projects"), _("Since")]
    found = table.every(fitting, MOST + 1)
    lines = ([one.code, one.name_zh, one.name_en, _living(one), one.created_at] for one in found)
    return csv_file("tenants", heads, lines)
