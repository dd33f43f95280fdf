"""Looking at what a request would change, and keeping each look with its number."""

from datetime import datetime

from clusters import planning
from clusters.rules import Manifest
from workflow.kinds import kind_of
from workflow.models import Plan, Request


def render(request: Request) -> list[Manifest]:
    """The manifests the request would make wanted, from its kind's state as the rows are now."""
    kind = kind_of(request.kind)
    return kind.render(kind.state(request))


def look(request: Request, owner: str) -> planning.Plan:
    """Compares with the live cluster; network, so never inside a transaction. May raise drivers' DriverError."""
    assert request.cluster is not None
    return planning.plan(cluster=request.cluster, owner=owner, manifests=render(request))


def keep(request: Request, number: int, seen: planning.Plan, at: datetime) -> Plan:
    """Stores a look as plan `number` of the request, its newest; the caller holds the request's lock."""
    return Plan.objects.create(
        request=request,
        number=number,
        base_revision=seen.base_revision,
        changes=seen.changes,
        digest=seen.digest,
        problem=seen.problem.stored() if seen.problem else None,
        observed_at=at,
    )
