"""Quotas as the server keeps them: what is in use, and that no limit is lowered below it."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from clusters import quantity
from clusters.drivers.base import DriverError, Manifest
from web.sentences import Sentence


def usage(live: Manifest) -> dict[str, dict[str, str]]:
    """What a quota allows and what is in use, as quantities; empty for other kinds."""
    return figures(live) if live["kind"] == "ResourceQuota" else {}


def figures(quota: Manifest) -> dict[str, dict[str, str]]:
    """The same for what is known to be a quota (objects in a list do not say their kind)."""
    status = quota.get("status") or {}
    return {"hard": status.get("hard") or {}, "used": status.get("used") or {}}


def check_use(live: Manifest, wanted: Manifest) -> None:
    """Raises a permanent DriverError if a limit would fall below what is in use; the server itself accepts that.

    A limit that is not lowered is left alone, although more may be in use than it allows.
    """
    if live["kind"] != "ResourceQuota":
        return
    before, used = (live.get("spec") or {}).get("hard") or {}, figures(live)["used"]
    for resource, text in ((wanted.get("spec") or {}).get("hard") or {}).items():
        if _is_less(text, before.get(resource)) and _is_less(text, used.get(resource)):
            sentence = gettext_noop(
                "%(name)s: %(used)s of %(resource)s are in use, so the limit cannot be lowered to %(wanted)s."
            )
            words = {"name": live["metadata"]["name"], "resource": resource}
            raise DriverError(Sentence(sentence, {**words, "used": used[resource], "wanted": text}), transient=False)


def _is_less(one: str, other: str | None) -> bool:
    first, second = _amount(one), _amount(other)
    return first is not None and second is not None and first < second


def _amount(text: str | None) -> Decimal | None:
    """None for what is no quantity: the server refuses that with a sentence of its own."""
    try:
        return None if text is None else quantity.parse(str(text))
    except ValueError:
        return None
