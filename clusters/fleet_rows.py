"""The fleet and one cluster as prepared rows for pages: what needs work first, in the reader's language."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from clusters import permissions
from clusters.health_rows import health_row
from clusters.models import Cluster
from clusters.rows import Standings, cluster_row
from clusters.tallies import Tally
from clusters.words import environment_label

Row = dict[str, Any]


def fleet_row(cluster: Cluster, standings: Standings, tally: Tally, user: User) -> Row:
    """One cluster of the list; health, capacity and whom it is dedicated to should be selected with it."""
    keeps = permissions.may_keep_clusters(user)
    health = health_row(cluster, keeps)
    return cluster_row(cluster, standings, keeps) | {
        "url": health["page_url"],
        "health": health,
        "tally": tally_rows(cluster, tally),
        "kept": kept_text(tally),
        "drifted": tally.drifted,
        "drift_url": f"{health['page_url']}?state=drift#bundles",
        "needs_work": health["needs_work"] or tally.needs_work,
    }


# The worst first: what is down, what waits for a person, what has problems.
_ORDER = ("open", "held", "troubled", "unknown", "well")


def by_need(rows: list[Row]) -> list[Row]:
    """What needs somebody first, then by name."""
    return sorted(rows, key=lambda row: (not row["needs_work"], _ORDER.index(row["health"]["state"]), row["name"]))


def kept_text(tally: Tally) -> str:
    """How many bundles of how many tenants, in words; "" for none."""
    if not tally.total:
        return ""
    bundles = ngettext("%(n)s bundle", "%(n)s bundles", tally.total) % {"n": tally.total}
    tenants = ngettext("%(n)s tenant", "%(n)s tenants", tally.tenants) % {"n": tally.tenants}
    return _("%(bundles)s of %(tenants)s") % {"bundles": bundles, "tenants": tenants}


def tally_rows(cluster: Cluster, tally: Tally) -> list[Row]:
    """[{label, tone, icon, count, url}] of the states in which there are bundles, what needs somebody first."""
    page = reverse("cluster", args=[cluster.name])
    counted = [
        (_("failed"), "danger", "error", tally.blocked, "blocked"),
        (_("being tried again"), "warning", "refresh", tally.retrying, "retrying"),
        (_("with drift"), "warning", "warning", tally.drifted, "drift"),
        (_("under way"), "info", "refresh", tally.applying, "applying"),
        (_("waiting"), "info", "clock", tally.queued, "queued"),
        (_("ready"), "success", "check", tally.ready, "ready"),
        (_("committed"), "success", "check", tally.committed, "committed"),
    ]
    return [
        {
            "label": f"{count} {label}",
            "tone": tone,
            "icon": icon,
            "count": count,
            "url": f"{page}?state={state}#bundles",
        }
        for label, tone, icon, count, state in counted
        if count
    ]


def settings_rows(cluster: Cluster, user: User) -> list[Row]:
    """[{label, value, is_code}] of what an operator chose for the cluster; its address for administrators alone, its
    credentials for nobody."""
    rows = [
        (_("Environments"), ", ".join(map(environment_label, cluster.environments)) or _("none"), False),
        (_("For"), str(cluster.dedicated_to or _("all tenants")), False),
        (_("When something drifts"), _drift_policy(cluster), False),
        (_("Projects are kept apart by"), cluster.get_network_display(), False),
        (_("Users are called"), cluster.user_format, True),
        (_("Groups are called"), cluster.group_format, True),
        *((_("Nodes for %(environment)s") % {"environment": environment_label(name)}, str(selector), True)
          for name, selector in sorted(cluster.node_selectors.items())),
        (_("Security context constraints"), cluster.security_constraints, True),
        (_("Ingress namespaces"), _labels(cluster.ingress_labels), True),
        (_("Monitoring namespaces"), _labels(cluster.monitoring_labels), True),
    ]  # fmt: skip
    if cluster.driver == "gitops":
        rows += [(_("Branch"), cluster.git_branch, True), (_("Folder"), cluster.git_folder or "/", True)]
    if permissions.may_keep_clusters(user):
        rows += [(_("Address"), cluster.address, True), (_("Observed at"), cluster.observer_address, True)]
    return [{"label": label, "value": value, "is_code": is_code} for label, value, is_code in rows if value]


def _drift_policy(cluster: Cluster) -> str:
    return {"report": _("it is reported"), "repair": _("it is repaired")}[cluster.on_drift]


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))


def actions(cluster: Cluster, user: User) -> list[Row]:
    """[{label, url, icon}] of what the person may do with the cluster."""
    if not permissions.may_keep_clusters(user):
        return []
    found = [
        (_("Edit"), reverse("cluster-edit", args=[cluster.name]), "edit"),
        (_("State capacity"), reverse("cluster-capacity", args=[cluster.name]), "cpu"),
    ]
    return [{"label": label, "url": url, "icon": icon} for label, url, icon in found]
