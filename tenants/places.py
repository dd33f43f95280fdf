"""Finding a place for a project among the clusters there are."""

from collections.abc import Mapping

from clusters.queries import clusters_of_environment
from tenants.models import Tenant
from tenants.placement import ISOLATIONS, Placement, place
from tenants.pools import standings_of_read
from workflow.models import Request


def choose(
    environment: str,
    isolation: str,
    tenant: Tenant,
    need: Mapping[str, int],
    wanted: str = "",
    without: Request | None = None,
) -> Placement:
    """Where `need` (by resource, in millicores, bytes and pieces) goes: "shared" among clusters that are nobody's,
    "dedicated" among the tenant's own; another tenant's are never shown. `wanted` names the one the asker wants,
    `without` is the request that needs it, so that what it holds already is not counted against it.

    Nothing is held: what fits now may be gone when it is. Raises ValueError for another isolation.
    """
    if isolation not in ISOLATIONS:
        raise ValueError(isolation)
    clusters = list(
        clusters_of_environment(environment)
        .select_related("capacity")
        .filter(dedicated_to=tenant if isolation == "dedicated" else None)
    )
    standings = standings_of_read(clusters, without=without)
    return place([(cluster, standings[cluster.pk]) for cluster in clusters], need, wanted, isolation)
