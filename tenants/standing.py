"""Where a pool stands: how much may be promised of it, how much is, what is left and what lacks; no database."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.utils.translation import gettext_noop

from clusters.quantity import format_bytes, format_cpu
from tenants.rules import RESOURCES
from web.sentences import Sentence

_WORDS = {
    "cpu": gettext_noop("CPU"),
    "memory": gettext_noop("Memory"),
    "storage": gettext_noop("Storage"),
    "pods": gettext_noop("Pods"),
}
_LACKS = {
    "tenant": gettext_noop("%(resource)s: the budget of tenant %(name)s has %(left)s left, and %(needed)s is needed."),
    "cluster": gettext_noop("%(resource)s: the cluster %(name)s has %(left)s left, and %(needed)s is needed."),
}
# What more characters than these say nobody reads; amounts of nodes are seldom round.
_LONGEST = 7
_UNITS = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@dataclass(frozen=True)
class Standing:
    """One resource of one pool, in millicores, bytes or pieces; no limit is None: as much as anybody wants."""

    limit: int | None
    settled: int = 0
    held: int = 0

    @property
    def promised(self) -> int:
        """What counts against the limit."""
        return self.settled + self.held

    @property
    def left(self) -> int | None:
        """What may still be promised, None without a limit; below nought where the limit was lowered since."""
        return None if self.limit is None else self.limit - self.promised


Standings = Mapping[str, Standing]


@dataclass(frozen=True)
class Shortage:
    """A pool ("tenant" or "cluster", with its name) that has less left of a resource than is needed."""

    pool: str
    name: str
    resource: str
    left: int
    needed: int

    @property
    def sentence(self) -> Sentence:
        """For the person who needs it."""
        parameters: dict[str, str | int | Sentence] = {
            "resource": word(self.resource),
            "name": self.name,
            "left": readable(self.resource, max(self.left, 0)),
            "needed": readable(self.resource, self.needed),
        }
        return Sentence(_LACKS[self.pool], parameters)

    def stored(self) -> dict[str, Any]:
        """{pool, name, resource, left, needed}, as JSON."""
        return asdict(self)


def shortages(pool: str, name: str, standings: Standings, needed: Mapping[str, int]) -> list[Shortage]:
    """What the pool has too little of, in the order of RESOURCES."""
    found = []
    for resource in RESOURCES:
        amount, left = needed.get(resource, 0), standings[resource].left
        if amount > 0 and left is not None and amount > left:
            found.append(Shortage(pool, name, resource, left, amount))
    return found


def word(resource: str) -> Sentence:
    """The resource's name."""
    return Sentence(_WORDS[resource])


def readable(resource: str, amount: int) -> str:
    """The amount as Kubernetes writes it ("1500m", "8Gi", "20"); bytes that would be a long number are cut to two
    decimals of a large unit ("30.47Gi"). Raises ValueError for less than nothing."""
    if resource == "pods":
        return str(amount)
    if resource == "cpu":
        return format_cpu(amount)
    exact = format_bytes(amount)
    if len(exact) <= _LONGEST:
        return exact
    step = min((amount.bit_length() - 1) // 10, len(_UNITS))
    cut = (Decimal(amount) / 1024**step).quantize(Decimal("0.01"), ROUND_DOWN)
    return f"{cut.normalize():f}{_UNITS[step - 1]}"
