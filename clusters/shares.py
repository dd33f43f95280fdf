"""Which tenants a cluster is promised to: rooms above this one know (settings.CLUSTER_SHARES)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import User
from clusters.models import Cluster
from clusters.rows import Standings, amount_text, resource_bar
from clusters.words import resource_label

Row = dict[str, Any]
# What a tenant has of a cluster is shown by these.
TELLING = ("cpu", "memory")


@dataclass(frozen=True)
class Share:
    """What one tenant was promised of a cluster: (settled, held) by resource, in millicores and bytes."""

    name: str
    url: str
    amounts: Mapping[str, tuple[int, int]]


def share_rows(cluster: Cluster, user: User, standings: Standings) -> list[Row]:
    """[{name, url, bars, text}] of the tenants with most of the cluster that the person may see; bars against what the
    cluster may promise, in words where that is not known."""
    found: list[Share] = import_string(settings.CLUSTER_SHARES)(cluster, user)
    return [_row(share, {name: standings[name].limit for name in TELLING}) for share in found]


def _row(share: Share, limits: Mapping[str, int | None]) -> Row:
    bars, texts = [], []
    for name in TELLING:
        settled, held = share.amounts.get(name, (0, 0))
        limit = limits[name]
        if limit is None:
            texts.append(f"{resource_label(name)} {amount_text(name, settled + held)}")
        else:
            bars.append(resource_bar(name, used=settled, held=held, limit=limit))
    return {"name": share.name, "url": share.url, "bars": bars, "text": " · ".join(texts)}
