"""Which cluster a project goes to: pure ranking of what fits, with the reasons in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from tenants.rules import RESOURCES
from tenants.standing import Standings, shortages
from web.sentences import Sentence

if TYPE_CHECKING:
    from clusters.models import Cluster

ISOLATIONS = ("shared", "dedicated")
_NOWHERE = {
    "shared": gettext_noop("No cluster offers this environment."),
    "dedicated": gettext_noop("No cluster of this environment is dedicated to the tenant."),
}


@dataclass(frozen=True)
class Candidate:
    """A cluster that might take it. `left` is what it has now, by resource, and `share` the least part of any resource
    that it would have left afterwards (0.25 is a quarter); None is unknown. `reason` says what it lacks."""

    cluster: "Cluster"
    fits: bool
    left: dict[str, int | None]
    share: float | None
    reason: Sentence | None


@dataclass(frozen=True)
class Placement:
    """The cluster that was chosen, None where none will do, why, and all candidates, best first."""

    chosen: "Cluster | None"
    why: Sentence
    candidates: list[Candidate]


def place(
    offers: Sequence[tuple["Cluster", Standings]], need: Mapping[str, int], wanted: str, isolation: str
) -> Placement:
    """The best of the offered clusters, or the one that is wanted by name: that one or none, since who names a cluster
    does not mean another. Unknown capacity fits, but comes after what is known."""
    candidates = sorted((_candidate(cluster, standings, need) for cluster, standings in offers), key=_order)
    if wanted:
        return _as_wanted(candidates, wanted)
    fitting = [candidate for candidate in candidates if candidate.fits]
    if not fitting:
        return Placement(None, _nowhere(candidates, isolation), candidates)
    return Placement(fitting[0].cluster, _best(fitting), candidates)


def _candidate(cluster: "Cluster", standings: Standings, need: Mapping[str, int]) -> Candidate:
    lacking = shortages("cluster", cluster.name, standings, need)
    left = {resource: standings[resource].left for resource in RESOURCES}
    reason = lacking[0].sentence if lacking else None
    return Candidate(cluster, not lacking, left, _share(standings, need), reason)


def _share(standings: Standings, need: Mapping[str, int]) -> float | None:
    shares = []
    for resource in RESOURCES:
        limit, left = standings[resource].limit, standings[resource].left
        # A cluster without any of it is not full of it.
        if limit and left is not None:
            shares.append((left - need.get(resource, 0)) / limit)
    return min(shares, default=None)


def _order(candidate: Candidate) -> tuple[bool, bool, float, str]:
    return not candidate.fits, candidate.share is None, -(candidate.share or 0), candidate.cluster.name


def _as_wanted(candidates: list[Candidate], wanted: str) -> Placement:
    found = next((candidate for candidate in candidates if candidate.cluster.name == wanted), None)
    if found is None:
        # The same whether there is no such cluster or it is another tenant's.
        text = gettext_noop("The cluster %(cluster)s does not take this.")
        return Placement(None, Sentence(text, {"cluster": wanted}), candidates)
    if found.reason is not None:
        return Placement(None, found.reason, candidates)
    text = gettext_noop("%(cluster)s fits.")
    return Placement(found.cluster, Sentence(text, {"cluster": wanted}), candidates)


def _nowhere(candidates: list[Candidate], isolation: str) -> Sentence:
    if not candidates:
        return Sentence(_NOWHERE[isolation])
    first = candidates[0].reason
    if len(candidates) == 1 and first is not None:
        return first
    text = gettext_noop("None of %(count)s clusters has room for this.")
    return Sentence(text, {"count": len(candidates)})


def _best(fitting: list[Candidate]) -> Sentence:
    parameters: dict[str, str | int | Sentence] = {"cluster": fitting[0].cluster.name, "count": len(fitting)}
    if len(fitting) == 1:
        return Sentence(gettext_noop("%(cluster)s is the only cluster that fits."), parameters)
    if fitting[0].share is None:
        text = gettext_noop("How much room there is in the %(count)s clusters that may take this is not known.")
        return Sentence(text, parameters)
    return Sentence(gettext_noop("%(cluster)s has the most room left of %(count)s clusters that fit."), parameters)
