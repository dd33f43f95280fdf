"""The page of one cluster: how it is, how much is left of it, what an operator chose, what runs there."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clusters import (
    bundle_rows,
    drift_rows,
    fleet_rows,
    health_rows,
    narrowing,
    queries,
    restore_rows,
    rows,
    services,
    shares,
)
from clusters.models import Cluster
from clusters.narrowing import Wanted
from clusters.owners import owners_of
from clusters.permissions import may_keep_clusters
from clusters.tallies import tallies_of
from web import paging
from web.errors import NotFound
from web.filters import select_field, text_field
from web.fragments import fragment

# Of the tenants' bundles on one page.
SHOWN = 30
DRIFTS_SHOWN = 6


def _cluster_or_404(http: HttpRequest, name: str) -> Cluster:
    seen = queries.clusters_visible_to(http.user).select_related("capacity", "health", "dedicated_to")
    found = seen.filter(name=name[:41]).first()
    if found is None:
        raise NotFound(_("There is no such cluster."))
    return found


@require_safe
def detail(http: HttpRequest, name: str) -> HttpResponse:
    """Is it reachable, how much capacity is left, what runs there, what has drifted."""
    cluster = _cluster_or_404(http, name)
    standings = rows.standings_of([cluster])[cluster.pk]
    tally = tallies_of(queries.bundles_visible_to(http.user), [cluster])[cluster.pk]
    asked = health_rows.health_of(cluster)
    context = {
        "c": fleet_rows.fleet_row(cluster, standings, tally, http.user),
        "h": _health(http, cluster),
        "standings": rows.standing_rows(standings),
        "said": health_rows.facts_rows(asked.facts if asked else {}),
        "settings": fleet_rows.settings_rows(cluster, http.user),
        "actions": fleet_rows.actions(cluster, http.user),
        "held": restore_rows.held_row(cluster, asked, may_keep_clusters(http.user)),
        "list_url": reverse("clusters"),
        "drifts": _drifts(http, cluster) if tally.drifted else [],
        "shares": shares.share_rows(cluster, http.user, standings),
        **_bundles(http, cluster),
    }
    return render(http, "clusters/detail.html", context)


def _drifts(http: HttpRequest, cluster: Cluster) -> list[dict[str, Any]]:
    """What differs there of what the person may see, the newest first."""
    found = queries.drift_visible_to(http.user).filter(bundle__cluster=cluster, found_at__isnull=False)
    return [drift_rows.finding_line(check) for check in found.order_by("-found_at", "-pk")[:DRIFTS_SHOWN]]


def _health(http: HttpRequest, cluster: Cluster) -> dict[str, Any]:
    return health_rows.health_row(cluster, may_keep_clusters(http.user))


def _bundles(http: HttpRequest, cluster: Cluster) -> dict[str, Any]:
    """What runs there of what the person may see, a page of it."""
    wanted = narrowing.read(http.GET, "state", "tenant")
    seen = narrowing.living(queries.bundles_visible_to(http.user).filter(cluster=cluster))
    page, after = paging.page_of(narrowing.narrowed(queries.with_history(seen), wanted), http.GET, SHOWN)
    owners = owners_of(page, http.user)
    return {
        "bundles": [bundle_rows.bundle_row(bundle, owners[bundle.pk]) for bundle in page],
        "next_url": paging.next_url(http.GET, after),
        "filters": {"fields": _fields(wanted), "action": http.path, "is_narrow": wanted.is_narrow},
    }


def _fields(wanted: Wanted) -> list[dict[str, Any]]:
    states = {
        "attention": _("Needs attention"),
        "drift": _("With drift"),
        "blocked": _("Failed"),
        "retrying": _("Being tried again"),
        "queued": _("Waiting for a worker"),
        "applying": _("Being applied"),
        "ready": _("Ready"),
        "committed": _("Committed"),
    }
    return [
        select_field("state", _("State"), wanted.state, states),
        text_field("tenant", _("Code of the tenant"), wanted.tenant, ""),
    ]


@require_safe
def health(http: HttpRequest, name: str) -> HttpResponse:
    """Fragment: whether it is reachable."""
    context = {"h": _health(http, _cluster_or_404(http, name))}
    return fragment(http, "clusters/_health.html", context, reverse("cluster", args=[name]))


@require_POST
def probe(http: HttpRequest, name: str) -> HttpResponse:
    """It is asked how it is at once, whatever the next try was."""
    services.probe_now(name=name[:41], by=http.user, at=timezone.now())
    messages.success(http, _("%(name)s is being probed.") % {"name": name})
    return redirect("cluster", name=name)
