"""What requests about projects have in common: their keys, the facts of a change of quota, and what room it leaves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clusters.rows import resource_bar
from clusters.words import resource_label
from tenants import ledger, queries
from tenants.figures import text_of
from tenants.models import Project
from tenants.placement import Placement
from tenants.rules import RESOURCES
from tenants.standing import Standing, readable
from web.bars import WARN_AT
from workflow.facts import NO_LIMIT
from workflow.kinds import Row
from workflow.machine import OPEN_STATES, SUBMITTED
from workflow.models import OpenTarget, Outcome, Request
from workflow.schema import is_printable


def target_key(namespace: str) -> str:
    """What at most one open request is about, of whatever kind."""
    return f"namespace:{namespace}"


def numbers_of(project: Project) -> QuerySet[Any]:
    """The requests (their keys) that changed the project, that wait, and that are to remove it; each found by an index
    of its own, since one condition for all of them would look at every request there is."""
    changed = Outcome.objects.filter(bundle=project.bundle_id).order_by().values("request")
    waiting = Request.objects.filter(target=target_key(project.namespace), state__in=OPEN_STATES)
    # A planned removal has changed no bundle yet.
    leaving = project.deletions.filter(called_off_at__isnull=True).order_by().values("request")
    return changed.union(waiting.order_by().values("pk"), leaving)


def owner_key(uid: str) -> str:
    """Whom the project's bundle is kept for."""
    return f"project:{uid}"


def bad_name(reason: str) -> str:
    """The sentence for a rules.BadName."""
    return {
        "grammar": _("Small letters, digits and hyphens; begins with a letter and does not end with a hyphen."),
        "length": _("Tenant, name and environment together have at most 63 characters."),
        "reserved": _("Names that begin like this are reserved for the platform."),
    }[reason]


def quota_facts(
    request: Request, *, current: Mapping[str, int], wanted: Mapping[str, int]
) -> dict[str, str | int | bool]:
    """requested.*, current.*, delta.*, left.* (of the tenant's budget after this), and whether who asks is an owner of
    the tenant."""
    assert request.tenant is not None
    pools = ledger.pools_beside(request)
    facts: dict[str, str | int | bool] = {"asker.is_tenant_owner": is_owner(request)}
    for resource in RESOURCES:
        now, then = current.get(resource, 0), wanted[resource]
        facts |= {f"requested.{resource}": then, f"current.{resource}": now, f"delta.{resource}": then - now}
        left = pools[resource].left
        facts[f"left.{resource}"] = NO_LIMIT if left is None else left - max(then - now, 0)
    return facts


def stand_in(project: Project) -> Request:
    """A request to be about the project, for what a form shows: what an open one holds already, while it is changed, is
    not counted twice."""
    waiting = OpenTarget.objects.filter(key=target_key(project.namespace)).first()
    return Request(
        pk=waiting.request_id if waiting else None,
        state=SUBMITTED,
        tenant=project.tenant,
        cluster=project.bundle.cluster,
    )


def is_owner(request: Request) -> bool:
    """Whether who asks is an owner of the request's tenant."""
    return any(
        one.role == "owner" and one.tenant_id == request.tenant_id for one in queries.memberships_of(request.asker)
    )


def figure_rows(amounts: Mapping[str, int]) -> list[tuple[str, str]]:
    """(label, text) of each resource, for people."""
    return [(resource_label(resource), text_of(resource, amounts[resource])) for resource in RESOURCES]


def change_rows(before: Mapping[str, int], after: Mapping[str, int]) -> list[tuple[str, str]]:
    """(label, "2 → 4") of each resource."""
    return [
        (
            resource_label(resource),
            text_of(resource, after[resource])
            if before[resource] == after[resource]
            else f"{text_of(resource, before[resource])} → {text_of(resource, after[resource])}",
        )
        for resource in RESOURCES
    ]


def room_bars(request: Request, rises: Mapping[str, int]) -> list[Row]:
    """The tenant's budget and the cluster's capacity as bars: promised, held by other open requests, and what this
    request adds while it is open."""
    mine = rises if request.is_open else {}
    own = request if request.is_open else None
    groups = []
    if request.tenant is not None:
        standings = ledger.pools_of_tenant(request.tenant, without=own)
        title = _("Budget of tenant %(name)s") % {"name": request.tenant}
        groups.append(_group(title, standings, mine, _("No budget is set: nothing limits this tenant.")))
    if request.cluster is not None:
        standings = ledger.pools_of_cluster(request.cluster, without=own)
        title = _("Capacity of cluster %(name)s") % {"name": request.cluster}
        groups.append(_group(title, standings, mine, _("The capacity of this cluster is not known.")))
    return groups


def _group(title: str, standings: Mapping[str, Standing], adds: Mapping[str, int], unlimited: str) -> Row:
    bars = [
        resource_bar(
            resource,
            used=standings[resource].settled,
            held=standings[resource].held,
            ask=max(adds.get(resource, 0), 0),
            limit=standings[resource].limit or 0,
        )
        for resource in RESOURCES
        if standings[resource].limit is not None
    ]
    return {"title": title, "bars": bars, "note": "" if bars else unlimited}


def risks_of(request: Request, groups: Sequence[Row]) -> list[str]:
    """Production, and pools that would be nearly used up."""
    found = []
    if request.environment == "prod":
        found.append(_("This is production."))
    for group in groups:
        full = [bar["name"] for bar in group["bars"] if _share(bar) >= WARN_AT]
        if full:
            words = {"title": group["title"], "resources": ", ".join(full)}
            found.append(_("%(title)s would be nearly used up: %(resources)s.") % words)
    return found


def _share(bar: Row) -> float:
    return float((bar["used"] + bar["held"] + bar["ask"]) / bar["limit"]) if bar["limit"] else 0.0


def placement_row(place: Placement) -> Row:
    """Where it would go, why, and what else there is: {"chosen", "why", "candidates": [{"name", "fits", "text"}]}."""
    candidates = []
    for one in place.candidates:
        left = [f"{resource_label(r)} {readable(r, max(n, 0))}" for r, n in one.left.items() if n is not None]
        text = _("left: %(amounts)s") % {"amounts": " · ".join(left)} if left else _("capacity not known")
        if one.reason is not None:
            text = str(one.reason)
        candidates.append({"name": one.cluster.name, "fits": one.fits, "text": text})
    return {
        "chosen": place.chosen.name if place.chosen else "",
        "why": str(place.why),
        "candidates": candidates,
    }


def readable_rows(rows: object, key: str, known: Iterable[str]) -> list[dict[str, Any]]:
    """Those of unfinished rows whose `key` is one of the known values, each once; what no row of the database could
    hold is left out of them."""
    found: dict[str, dict[str, Any]] = {}
    allowed = set(known)
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and isinstance(row.get(key), str) and row[key] in allowed:
            plain = {n: v for n, v in row.items() if isinstance(v, int) or (isinstance(v, str) and is_printable(v))}
            found.setdefault(row[key], plain)
    return list(found.values())
