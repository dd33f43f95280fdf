"""The quota bar: where its rectangles are, how full it is, and what it says, from plain numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

Number = int | float | Decimal

# From this share of the limit on a bar warns; above the whole it is over.
WARN_AT = 0.85
# A change narrower than this share of the bar would not be seen; it is drawn this wide.
LEAST_CHANGE = 1.2


@dataclass(frozen=True)
class Span:
    """A stretch of the bar, in per cent of its width, written as SVG attributes want it ("66.67%")."""

    x: str
    width: str


@dataclass(frozen=True)
class Geometry:
    """What is drawn; None where there is nothing. Ticks are positions of limits, in per cent.

    `grow` is what a higher limit adds, `shrink` what a lower one takes away; `before` and `after` are the
    shares used in whole per cent, None without a limit; `level` is "", "warn" or "over", after the change.
    """

    track: Span
    used: Span | None
    held: Span | None
    ask: Span | None
    grow: Span | None
    shrink: Span | None
    limit: str
    limit_before: str
    before: int | None
    after: int | None
    level: str


def _percent(share: float) -> str:
    return f"{round(share * 100, 2):g}%"


def _span(start: float, length: float, least: float = 0.0) -> Span | None:
    if length <= 0:
        return None
    width = max(length, least)
    return Span(_percent(min(start, 1 - width)), _percent(width))


def _share(amount: float, limit: float) -> float | None:
    return amount / limit if limit > 0 else None


def _whole(share: float | None) -> int | None:
    # Half up, as people round; round() would make 52.5 an even 52.
    return None if share is None else int(share * 100 + 0.5)


def _level(used: float, after: float, limit: float) -> str:
    if limit <= 0:
        return "over" if after > 0 else ""
    if after > limit:
        return "over"
    return "warn" if max(used, after) / limit >= WARN_AT else ""


def geometry(used: Number, held: Number, ask: Number, limit: Number, limit_before: Number | None = None) -> Geometry:
    """The bar for amounts in one unit.

    `held` is what other open requests hold, `ask` what this request adds to the use, `limit` the limit after it
    and `limit_before` the one now, None if it stays.
    """
    u, h, a, top = float(used), float(held), float(ask), float(limit)
    old = top if limit_before is None else float(limit_before)
    after = u + h + a
    scale = max(top, old, after) or 1.0
    least = LEAST_CHANGE / 100
    return Geometry(
        track=Span("0%", _percent(min(old, top) / scale if old != top else top / scale)),
        used=_span(0, u / scale),
        held=_span(u / scale, h / scale, least),
        ask=_span((u + h) / scale, a / scale, least),
        grow=_span(old / scale, (top - old) / scale, least),
        shrink=_span(top / scale, (old - top) / scale, least),
        limit=_percent(top / scale),
        limit_before=_percent(old / scale) if old != top else "",
        before=_whole(_share(u, old)),
        after=_whole(_share(after, top)),
        level=_level(u, after, top),
    )


def amount(value: Number) -> str:
    """A number as both languages write it: thousands separated, at most two decimals, none if whole."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def sentence(bar: Mapping[str, Any], drawn: Geometry) -> str:
    """The whole bar in words, for those who do not see it."""
    unit = bar.get("unit", "")
    held, ask, before = bar.get("held") or 0, bar.get("ask") or 0, bar.get("limit_before")
    known = bar.get("known", True)
    parts = [
        _("used %(amount)s %(unit)s") % {"amount": amount(bar["used"]), "unit": unit} if known else _("use unknown")
    ]
    if held:
        parts.append(_("held by other open requests %(amount)s %(unit)s") % {"amount": amount(held), "unit": unit})
    if ask:
        parts.append(_("this request adds %(amount)s %(unit)s") % {"amount": amount(ask), "unit": unit})
    if before is not None and before != bar["limit"]:
        parts.append(_("limit now %(amount)s %(unit)s") % {"amount": amount(before), "unit": unit})
        parts.append(_("new limit %(amount)s %(unit)s") % {"amount": amount(bar["limit"]), "unit": unit})
    else:
        parts.append(_("limit %(amount)s %(unit)s") % {"amount": amount(bar["limit"]), "unit": unit})
    if known and drawn.before is not None:
        parts.append(_("%(percent)s%% used") % {"percent": drawn.before})
    if known and drawn.after is not None and drawn.after != drawn.before:
        parts.append(_("%(percent)s%% after the change") % {"percent": drawn.after})
    if drawn.level:
        parts.append(_("over the limit") if drawn.level == "over" else _("near the limit"))
    listed = pgettext("between parts of a sentence", ", ").join(part.strip() for part in parts)
    return pgettext("a name and what is said of it", "%(name)s: %(text)s") % {"name": bar["name"], "text": listed}
