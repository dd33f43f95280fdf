"""The list of clusters: the whole fleet, what needs work first."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from clusters import fleet_rows, permissions, queries, rows
from clusters.models import Cluster
from clusters.rows import RESOURCES, Standings, amount_text
from clusters.tallies import tallies_of
from clusters.words import environment_label, resource_label
from web.exporting import csv_file
from web.filters import select_field, text_field
from web.searching import matching, words_of
from web.tables import Column, Table, shown_filters

Row = dict[str, Any]

ENVIRONMENTS = ("dev", "test", "prod")
# Millicores, bytes and pieces of what files say: cores, GiB, pieces.
_SIZES = {"cpu": 1000, "memory": 1024**3, "storage": 1024**3, "pods": 1}


@require_safe
def listing(http: HttpRequest) -> HttpResponseBase:
    """All clusters the person may see, what needs work first unless another order is asked for."""
    table, words = Table(http, _columns()), words_of(http.GET.get("q", ""))
    environment = http.GET.get("environment", "")
    environment = environment if environment in ENVIRONMENTS else ""
    seen = queries.clusters_visible_to(http.user).select_related("capacity", "health", "dedicated_to")
    found = [one for one in seen.filter(matching(words, "name", "description")) if _offers(one, environment)]
    standings, tallies = rows.standings_of(found), tallies_of(queries.bundles_visible_to(http.user), found)
    every = [fleet_rows.fleet_row(one, standings[one.pk], tallies[one.pk], http.user) for one in found]
    needing = [row for row in every if row["needs_work"]]
    is_narrow = http.GET.get("show") == "attention"
    shown = table.sorted(fleet_rows.by_need(needing if is_narrow else every))
    if table.wants_csv:
        return _file(shown, {one.name: standings[one.pk] for one in found})
    retired = queries.clusters_managed_by(http.user).filter(is_active=False).values_list("name", flat=True)
    context = {
        "rows": shown,
        "table": table,
        "total": len(every),
        "together": _together(list(standings.values())),
        "needing": len(needing),
        "is_narrow": is_narrow,
        "filters": _filters(http, table, words, environment, is_narrow),
        "list_url": reverse("clusters"),
        "new_url": reverse("cluster-new") if permissions.may_keep_clusters(http.user) else "",
        "retired": rows.retired_rows(retired),
    }
    return render(http, "clusters/list.html", context)


def _offers(cluster: Cluster, environment: str) -> bool:
    return not environment or environment in cluster.environments


def _columns() -> list[Column]:
    return [
        Column("cluster", _("Cluster"), "name"),
        Column("state", _("State")),
        Column("capacity", _("Capacity"), classes="pt-quota-col"),
    ]


def _filters(http: HttpRequest, table: Table, words: list[str], environment: str, is_narrow: bool) -> Row:
    choices = {name: environment_label(name) for name in ENVIRONMENTS}
    fields = [
        text_field("q", _("Search"), " ".join(words), _("Name, description")),
        select_field("environment", _("Environment"), environment, choices),
        select_field("show", _("State"), "attention" if is_narrow else "", {"attention": _("Needs attention")}),
    ]
    return shown_filters(table, fields, http.path, bool(words or environment or is_narrow))


def _together(standings: list[Standings]) -> str:
    """What is promised of what the clusters have together, as far as that is known."""
    parts = []
    for name in RESOURCES:
        known = [one[name] for one in standings if one[name].limit is not None]
        if not known:
            continue
        promised, limit = sum(one.settled + one.held for one in known), sum(one.limit or 0 for one in known)
        amounts = {"promised": amount_text(name, promised), "limit": amount_text(name, limit)}
        parts.append(f"{resource_label(name)} {_('%(promised)s of %(limit)s') % amounts}")
    count = ngettext("%(n)s cluster", "%(n)s clusters", len(standings)) % {"n": len(standings)}
    return " · ".join([count, *parts])


def _file(shown: list[Row], standings: dict[str, Standings]) -> HttpResponseBase:
    heads = [_("Cluster"), _("Description"), _("Environments"), _("For"), _("State"), _("Version")]
    units = {"cpu": _("cores"), "memory": "GiB", "storage": "GiB", "pods": ""}
    for name in RESOURCES:
        unit = f" ({units[name]})" if units[name] else ""
        heads += [f"{resource_label(name)}: {text}{unit}" for text in (_("capacity"), _("promised"))]
    return csv_file("clusters", heads, (_line(row, standings[row["name"]]) for row in shown))


def _line(row: Row, standings: Standings) -> list[object]:
    health = row["health"]
    line: list[object] = [row["name"], row["description"], ", ".join(row["environments"]), row["dedicated_to"]]
    line += [health["status"]["label"], health["version"]]
    for name in RESOURCES:
        one, size = standings[name], _SIZES[name]
        line += [None if one.limit is None else one.limit / size, (one.settled + one.held) / size]
    return line
