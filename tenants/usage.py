"""What is in use of a project's quota, in the figures people ask for, from what an API server says of the object."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import ceil
from typing import Any

from django.utils.translation import gettext_noop

from clusters import quantity
from tenants.standing import word
from web.sentences import Sentence

# Which limits of the ResourceQuota follow from which figure; a pod's share of the node's disk follows from the pods.
LIMITS = {
    "cpu": ("limits.cpu", "requests.cpu"),
    "memory": ("limits.memory", "requests.memory"),
    "storage": ("requests.storage",),
    "pods": ("pods", "limits.ephemeral-storage", "requests.ephemeral-storage"),
}
_HARD = "spec.hard."


def amounts(used: Mapping[str, str]) -> dict[str, Decimal]:
    """What is in use by resource, in millicores, bytes and pieces; parts of them are legal ("512m" of memory), and what
    is not known or cannot be read is left out."""
    found: dict[str, Decimal] = {}
    for resource, limits in LIMITS.items():
        known = [
            amount for limit in limits if "ephemeral" not in limit and (amount := _read(used.get(limit))) is not None
        ]
        if known:
            found[resource] = max(known) * (1000 if resource == "cpu" else 1)
    return found


def whole(used: Mapping[str, str]) -> dict[str, int]:
    """As `amounts`, rounded up."""
    return {resource: ceil(amount) for resource, amount in amounts(used).items()}


def below_use(changes: Iterable[Mapping[str, Any]], used: Mapping[str, str]) -> dict[str, Sentence]:
    """By resource, why a planned change of the quota may not be: it lowers a limit below what is in use.

    `changes` and `used` are those of a plan. A limit that is not lowered may be below its use already.
    """
    found: dict[str, Sentence] = {}
    for limit, before, wanted in _lowered(changes):
        amount = _read(used.get(limit))
        if amount is None or wanted >= amount or wanted >= before:
            continue
        resource = next((name for name, limits in LIMITS.items() if limit in limits), "")
        if resource and resource not in found:
            found[resource] = _sentence(resource, limit, used[limit])
    return found


def _lowered(changes: Iterable[Mapping[str, Any]]) -> list[tuple[str, Decimal, Decimal]]:
    """(limit, before, wanted) of every limit of a quota that changes and can be read."""
    rows = []
    for change in changes:
        if change["ref"]["kind"] != "ResourceQuota" or change["action"] != "change":
            continue
        for path, old, new in change["fields"]:
            before, wanted = _read(old), _read(new)
            if path.startswith(_HARD) and before is not None and wanted is not None:
                rows.append((path.removeprefix(_HARD), before, wanted))
    return rows


def _sentence(resource: str, limit: str, used: str) -> Sentence:
    if "ephemeral" in limit:
        text = gettext_noop(
            "The pods have %(used)s of the nodes' disks in use, which is more than fewer pods may have."
        )
        return Sentence(text, {"used": used})
    return in_use(resource, used)


def in_use(resource: str, used: str) -> Sentence:
    """That so much of the resource is in use, where less is asked for."""
    return Sentence(gettext_noop("%(resource)s: %(used)s are in use."), {"used": used, "resource": word(resource)})


def _read(text: object) -> Decimal | None:
    try:
        return None if text is None else quantity.parse(str(text))
    except ValueError:
        return None
