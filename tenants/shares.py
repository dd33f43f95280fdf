"""Which tenants have most of a cluster, of those that a person may see."""

from django.urls import reverse

from accounts.models import User
from clusters.models import Cluster
from clusters.shares import Share
from tenants import queries
from tenants.pools import promised_on

SHOWN = 5


def shares_of(cluster: Cluster, user: User) -> list[Share]:
    """Those with most CPU first, then most memory; in two queries."""
    tenants = queries.tenants_visible_to(user)
    promised = promised_on(cluster, tenants)

    def size(pk: int) -> tuple[int, ...]:
        return tuple(sum(promised[pk].get(name, (0, 0))) for name in ("cpu", "memory"))

    most = sorted(promised, key=size, reverse=True)[:SHOWN]
    known = tenants.in_bulk(most)
    return [
        Share(known[pk].name, reverse("tenant-detail", args=[known[pk].code]), promised[pk])
        for pk in most
        if pk in known
    ]
