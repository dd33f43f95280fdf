"""Saying how much a cluster has to give."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.access import PLAN_TIMEOUT
from clusters.drivers.base import Connection
from clusters.drivers.registry import open_driver
from clusters.models import Capacity, Cluster
from web.errors import Forbidden, Invalid, NotFound
from web.etags import IfMatch, etag

LEAST_OVERCOMMIT, MOST_OVERCOMMIT = Decimal("0.1"), Decimal(20)
# What a capacity may be stated as: more than any cluster of today has, and what a column holds.
MOST = {
    "cpu_millicores": 1_000_000 * 1000,
    "memory_bytes": 100 * 1024**5,
    "storage_bytes": 1024**6,
    "pods": 1_000_000,
}


def can_read_nodes(cluster: Cluster) -> bool:
    """Whether the cluster's driver can say how much its nodes have; asks nobody."""
    return open_driver(cluster.driver, Connection(cluster.name, ""), PLAN_TIMEOUT).capabilities.can_survey


def may_state(user: User) -> bool:
    """Whether the person may say how much a cluster has to give: administrators."""
    return user.is_administrator


def check_state(by: User) -> None:
    """Raises Forbidden unless `may_state`."""
    if not may_state(by):
        raise Forbidden(_("Only platform administrators say how much a cluster has to give."))


@transaction.atomic
def state_capacity(
    *,
    name: str,
    source: str,
    by: User | None,
    at: datetime,
    cpu_millicores: int | None = None,
    memory_bytes: int | None = None,
    storage_bytes: int | None = None,
    pods: int | None = None,
    cpu_overcommit: Decimal = Decimal(1),
    memory_overcommit: Decimal = Decimal(1),
    if_match: IfMatch | None = None,
) -> Capacity:
    """Says how much the cluster `name` has to give: `source` "stated" by these figures (None is not known), "nodes" by
    what is read from its nodes at once and again; their storage is stated either way, since nodes know of none.

    Less than is promised already is accepted: nothing more is promised then. Raises NotFound, Forbidden, Invalid, and
    Stale unless it is in one of the states of `if_match` (`tag_of_capacity`).
    """
    if by is not None:
        check_state(by)
    # As the ledger locks it: what is being promised just now is promised of the old or of the new figures.
    cluster = Cluster.objects.select_for_update(no_key=True).filter(name=name, is_active=True).first()
    if cluster is None:
        raise NotFound(_("There is no such cluster."))
    figures = {"cpu_millicores": cpu_millicores, "memory_bytes": memory_bytes, "pods": pods}
    always = {"storage_bytes": storage_bytes}
    overcommit = {"cpu_overcommit": cpu_overcommit, "memory_overcommit": memory_overcommit}
    _check_capacity(cluster, source, figures | always, overcommit)
    kept = Capacity.objects.filter(cluster=cluster).first() or unstated(cluster)
    if if_match:
        if_match.check(tag_of_capacity(kept))
    before = _capacity_of(kept) if kept.pk else None
    _set_capacity(kept, source, figures, {**always, **overcommit}, at)
    audit.record(
        actor=by,
        action="cluster.state-capacity",
        subject=f"cluster:{name}",
        before=before,
        after=_capacity_of(kept),
        at=at,
    )
    return kept


def unstated(cluster: Cluster) -> Capacity:
    """What stands for the capacity of a cluster of which nobody has said anything; not stored."""
    return Capacity(cluster=cluster, lane=cluster.name, source="stated")


def tag_of_capacity(capacity: Capacity) -> str:
    """The entity tag of a cluster's capacity, as stated and as last read from the nodes."""
    seen = [capacity.nodes, capacity.problem, capacity.observed_at]
    return etag("capacity", capacity.cluster_id, capacity.generation, _capacity_of(capacity), seen)


def _check_capacity(
    cluster: Cluster, source: str, figures: Mapping[str, int | None], overcommit: Mapping[str, Decimal]
) -> None:
    """Raises Invalid with what is wrong at each field."""
    errors: dict[str, str] = {}
    if source not in ("nodes", "stated"):
        errors["/source"] = _("This is not one of the choices.")
    elif source == "nodes" and not can_read_nodes(cluster):
        errors["/source"] = _("The nodes of this cluster cannot be read; please state its capacity by hand.")
    for field, amount in figures.items():
        if source == "nodes" and field != "storage_bytes" and amount is not None:
            errors[f"/{field}"] = _("This is read from the nodes.")
        elif amount is not None and not 0 <= amount <= MOST[field]:
            errors[f"/{field}"] = _("Between 0 and %(most)s.") % {"most": MOST[field]}
    for field, factor in overcommit.items():
        # What is no number cannot be compared, and more digits than these would be rounded away.
        exponent = factor.as_tuple().exponent
        if not factor.is_finite() or not LEAST_OVERCOMMIT <= factor <= MOST_OVERCOMMIT:
            errors[f"/{field}"] = _("Between 0.1 and 20.")
        elif isinstance(exponent, int) and exponent < -2:
            errors[f"/{field}"] = _("At most two decimals.")
    if errors:
        raise Invalid(_("Please correct the marked fields."), errors)


def _set_capacity(
    kept: Capacity,
    source: str,
    figures: Mapping[str, int | None],
    always: Mapping[str, int | Decimal | None],
    at: datetime,
) -> None:
    changes: dict[str, Any] = {**always, "source": source}
    if source == "stated":
        changes |= {**figures, "nodes": None, "problem": None, "observed_at": at}
    elif kept.source != source:
        # The figures stay until the nodes are read: without any, as much would be promised as anybody wants.
        changes["observed_at"] = None
    # Whoever reads the nodes just now sees by the generation that they are to be read again.
    changes |= {"generation": kept.generation + 1, "due_at": at, "offered_until": None}
    for field, value in changes.items():
        setattr(kept, field, value)
    # Of a row that is there nothing else is written: a worker may hold its lease.
    kept.save(update_fields=list(changes) if kept.pk else None)


def _capacity_of(capacity: Capacity) -> dict[str, Any]:
    """What an event says of a cluster's capacity."""
    fields = ("source", *MOST, "cpu_overcommit", "memory_overcommit")
    values = {field: getattr(capacity, field) for field in fields}
    return {field: str(value) if isinstance(value, Decimal) else value for field, value in values.items()}
