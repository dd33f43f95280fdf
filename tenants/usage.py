"""That no quota falls below what is in use of it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from clusters import metering
from tenants.standing import word
from web.sentences import Sentence

_HARD = "spec.hard."


def below_use(changes: Iterable[Mapping[str, Any]], used: Mapping[str, str]) -> dict[str, Sentence]:
    """By resource, why a planned change of the quota may not be: it lowers a limit below what is in use.

    `changes` and `used` are those of a plan. A limit that is not lowered may be below its use already.
    """
    found: dict[str, Sentence] = {}
    for limit, before, wanted in _lowered(changes):
        amount = metering.read(used.get(limit))
        if amount is None or wanted >= amount or wanted >= before:
            continue
        resource = next((name for name, limits in metering.LIMITS.items() if limit in limits), "")
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
            before, wanted = metering.read(old), metering.read(new)
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
