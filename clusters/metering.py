"""What is in use of a quota, in the figures people ask for, from what an API server says of the object."""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil

from clusters import quantity

# Which limits of the ResourceQuota follow from which figure; a pod's share of the node's disk follows from the pods.
LIMITS = {
    "cpu": ("limits.cpu", "requests.cpu"),
    "memory": ("limits.memory", "requests.memory"),
    "storage": ("requests.storage",),
    "pods": ("pods", "limits.ephemeral-storage", "requests.ephemeral-storage"),
}


def amounts(used: Mapping[str, str]) -> dict[str, Decimal]:
    """What is in use by resource, in millicores, bytes and pieces; parts of them are legal ("512m" of memory), and what
    is not known or cannot be read is left out."""
    found: dict[str, Decimal] = {}
    for resource, limits in LIMITS.items():
        known = [
            amount for limit in limits if "ephemeral" not in limit and (amount := read(used.get(limit))) is not None
        ]
        if known:
            found[resource] = max(known) * (1000 if resource == "cpu" else 1)
    return found


def whole(used: Mapping[str, str]) -> dict[str, int]:
    """As `amounts`, rounded up."""
    return {resource: ceil(amount) for resource, amount in amounts(used).items()}


def read(text: object) -> Decimal | None:
    """A quantity of Kubernetes, None for none and for what is no quantity."""
    try:
        return None if text is None else quantity.parse(str(text))
    except ValueError:
        return None
