"""Clusters and amounts of their resources as prepared rows for pages: plain values in the reader's language."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from clusters.models import Capacity, Cluster
from clusters.words import environment_label, resource_label
from web import bars
from web.sentences import shown

Row = dict[str, Any]

RESOURCES = ("cpu", "memory", "storage", "pods")
# How amounts are drawn: millicores in cores, bytes in Gi.
_SIZES = {"cpu": 1000, "memory": 1024**3, "storage": 1024**3, "pods": 1}


class Standing(Protocol):
    """How much of one resource a cluster may promise (None: not known), what it has promised, and what is left."""

    @property
    def limit(self) -> int | None:
        """What may be promised."""

    @property
    def settled(self) -> int:
        """What was promised and is in the cluster."""

    @property
    def held(self) -> int:
        """What open requests and changes under way hold."""

    @property
    def left(self) -> int | None:
        """What may still be promised."""


Standings = Mapping[str, Standing]


def standings_of(clusters: Iterable[Cluster]) -> dict[int, Standings]:
    """By cluster id and resource; what is promised is kept by a room above this one (settings.CLUSTER_STANDINGS)."""
    found: dict[int, Standings] = import_string(settings.CLUSTER_STANDINGS)(clusters)
    return found


def amount_text(resource: str, amount: int) -> str:
    """An amount of millicores, bytes or pieces for people, as bars say it: "1.5 cores", "30.47 Gi", "20"."""
    return f"{bars.amount(amount_in(resource, amount))} {unit_of(resource)}".strip()


def amount_in(resource: str, amount: int) -> float:
    """An amount of millicores, bytes or pieces in the unit in which it is drawn."""
    return amount / _SIZES[resource]


def unit_of(resource: str) -> str:
    """The unit in which a resource is drawn: cores, Gi; "" for pieces."""
    return {"cpu": _("cores"), "pods": ""}.get(resource, "Gi")


def resource_bar(
    resource: str,
    *,
    used: int | Decimal | None,
    limit: int,
    held: int = 0,
    ask: int = 0,
    limit_before: int | None = None,
    note: str = "",
) -> Row:
    """One resource for the component quota_bar, from amounts in millicores, bytes and pieces; `used` None is not
    known."""
    size = _SIZES[resource]
    return {
        "name": resource_label(resource),
        "used": float(used or 0) / size,
        "held": held / size,
        "ask": ask / size,
        "limit": limit / size,
        "limit_before": None if limit_before is None else limit_before / size,
        "unit": unit_of(resource),
        "known": used is not None,
        "note": note,
    }


def standing_bars(standings: Standings) -> list[Row]:
    """A bar for each resource that has a limit: settled, held, and what may be promised."""
    return [
        resource_bar(name, used=one.settled, held=one.held, limit=one.limit)
        for name, one in _in_order(standings)
        if one.limit is not None
    ]


def standing_rows(standings: Standings) -> list[Row]:
    """The same in numbers, for a table: [{"label", "limit", "settled", "held", "left", "is_over"}], also of resources
    without a limit, where "limit" and "left" are ""."""
    return [
        {
            "label": resource_label(name),
            "limit": "" if one.limit is None else amount_text(name, one.limit),
            "settled": amount_text(name, one.settled),
            "held": amount_text(name, one.held),
            "left": "" if one.left is None else amount_text(name, one.left),
            "is_over": one.left is not None and one.left < 0,
        }
        for name, one in _in_order(standings)
    ]


def _in_order(standings: Standings) -> list[tuple[str, Standing]]:
    return [(name, standings[name]) for name in RESOURCES]


def cluster_row(cluster: Cluster, standings: Standings, may_state: bool) -> Row:
    """A cluster with what it has to give; its capacity and whom it is dedicated to should be selected with it."""
    capacity = capacity_of(cluster)
    unknown = [resource_label(name) for name, one in _in_order(standings) if one.limit is None] if capacity else []
    return {
        "name": cluster.name,
        "description": cluster.description,
        "environments": [environment_label(name) for name in cluster.environments],
        "driver": cluster.get_driver_display(),
        "flavour": cluster.get_flavour_display(),
        "dedicated_to": str(cluster.dedicated_to or ""),
        "bars": standing_bars(standings),
        "unknown": _("Not known: %(resources)s.") % {"resources": ", ".join(unknown)} if unknown else "",
        "source": _source(capacity),
        "overcommit": _overcommit(capacity),
        "observed_at": capacity.observed_at if capacity else None,
        "problem": shown(capacity.problem) if capacity else "",
        "state_url": reverse("cluster-capacity", args=[cluster.name]) if may_state else "",
    }


def retired_rows(names: Iterable[str]) -> list[Row]:
    """[{"name", "edit_url"}] of clusters that were taken out of service."""
    return [{"name": name, "edit_url": reverse("cluster-edit", args=[name])} for name in names]


def capacity_of(cluster: Cluster) -> Capacity | None:
    """The capacity's row, None where nobody has stated any and nodes cannot be read."""
    return getattr(cluster, "capacity", None)


def _source(capacity: Capacity | None) -> str:
    if capacity is None:
        return _("Nobody has stated this cluster's capacity yet.")
    if capacity.source == "stated":
        return _("Stated by hand")
    if capacity.observed_at is None:
        return _("From the nodes, which have not been read yet")
    return _("From %(count)s compute nodes") % {"count": capacity.nodes}


def _overcommit(capacity: Capacity | None) -> str:
    """What more is promised than there is, "" where it is as much as there is."""
    factors = {"cpu": capacity.cpu_overcommit, "memory": capacity.memory_overcommit} if capacity else {}
    texts = [f"{resource_label(name)} × {factor.normalize():f}" for name, factor in factors.items() if factor != 1]
    return _("Overcommit: %(factors)s") % {"factors": ", ".join(texts)} if texts else ""
