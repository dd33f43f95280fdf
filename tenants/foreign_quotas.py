"""What quotas that others keep in a namespace say of the figures people ask for; pure."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from math import ceil

from clusters import quantity

# By name: {"hard": {limit: quantity}, "used": {...}}, as the API server says.
Quotas = Mapping[str, Mapping[str, Mapping[str, str]]]

# Which limits say how much there is of a figure; the first that is there counts.
_LIMITS = {
    "cpu": ("limits.cpu", "requests.cpu", "cpu"),
    "memory": ("limits.memory", "requests.memory", "memory"),
    "storage": ("requests.storage",),
    "pods": ("pods", "count/pods"),
}
# What the portal's quota makes every pod say of itself, and as what it may have been under quota before.
_SAID_BY_PODS = {
    "requests.cpu": {"requests.cpu", "cpu"},
    "limits.cpu": {"limits.cpu"},
    "requests.memory": {"requests.memory", "memory"},
    "limits.memory": {"limits.memory"},
}


def figures_of(quotas: Quotas) -> dict[str, int]:
    """How much the quotas allow, as far as they say it: the least, in millicores, bytes and pieces."""
    found = {}
    for resource, limits in _LIMITS.items():
        stated = [next(_amounts(quota["hard"], limits, resource), None) for quota in quotas.values()]
        known = [amount for amount in stated if amount is not None]
        if known:
            found[resource] = ceil(min(known))
    return found


def used_of(quotas: Quotas) -> dict[str, Decimal]:
    """What is in use, as far as quotas count it: the most that any says, in millicores, bytes and pieces."""
    found: dict[str, Decimal] = {}
    for resource, limits in _LIMITS.items():
        known = [amount for quota in quotas.values() for amount in _amounts(quota["used"], limits, resource)]
        if known:
            found[resource] = max(known)
    return found


def new_to_pods(hard: Iterable[Mapping[str, str]]) -> bool:
    """Whether a quota of the portal's makes pods say what none of these quotas (their limits) made them say."""
    limits = {limit for one in hard for limit in one}
    return any(not limits & known for known in _SAID_BY_PODS.values())


def _amounts(quantities: Mapping[str, str], limits: Iterable[str], resource: str) -> Iterator[Decimal]:
    """What is said of these limits and can be read."""
    for limit in limits:
        try:
            yield quantity.parse(quantities.get(limit, "")) * (1000 if resource == "cpu" else 1)
        except ValueError:
            continue
