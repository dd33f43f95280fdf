"""The quota bar as markup, written by hand: a list shows hundreds, and a template for each was most of its time."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from web import bars
from web.bars import Geometry, Number, Span

_ARROW = ' <span aria-hidden="true">→</span> '
_LEVELS = {"over": "pt-q-flag pt-q-flag-danger", "warn": "pt-q-flag"}


class _Bar(NamedTuple):
    """What the component of this name takes, whole."""

    name: str
    used: Number
    held: Number
    ask: Number
    limit: Number
    limit_before: Number | None
    unit: str
    note: str
    known: bool


def quota_bar(bar: Mapping[str, Any], warning: SafeString, error: SafeString) -> SafeString:
    """Words above, the picture below, a note if there is one; `bar` as the component of this name takes it, with the
    icons for what is nearly and what is more than full."""
    whole = _Bar(
        name=bar["name"],
        used=bar["used"],
        held=bar.get("held") or 0,
        ask=bar.get("ask") or 0,
        limit=bar["limit"],
        limit_before=bar.get("limit_before"),
        unit=bar.get("unit", ""),
        note=bar.get("note", ""),
        known=bar.get("known", True),
    )
    return _drawn(whole, get_language(), warning, error)


@lru_cache(maxsize=2048)
def _drawn(bar: _Bar, _language: str | None, warning: SafeString, error: SafeString) -> SafeString:
    """Everything is escaped, whether it was marked as safe or not: equal texts must give equal bars."""
    g = bars.geometry(bar.used, bar.held, bar.ask, bar.limit, bar.limit_before)
    note = f'<p class="pt-q-note">{escape(bar.note)}</p>' if bar.note else ""
    icon = {"over": error, "warn": warning}.get(g.level, "")
    return mark_safe(  # nosec B308 B703  # every text in it is escaped
        f'<div class="pt-q"><div class="pt-q-head"><span class="pt-q-name">{escape(bar.name)}</span>'
        f'<span class="pt-q-val">{_amounts(bar)}</span>'
        f'<span class="pt-q-pct">{_flag(g.level, icon)}{_share(g, bar.known)}</span></div>'
        f'\n<svg class="pt-q-bar" width="100%" height="16" role="img" aria-label="{_words(bar, g)}">'
        f"{_picture(g)}</svg>{note}</div>\n"
    )


def _words(bar: _Bar, g: Geometry) -> str:
    return escape(bars.sentence(bar._asdict(), g))


def _amounts(bar: _Bar) -> str:
    used, limit = bars.amount(bar.used) if bar.known else "—", bars.amount(bar.limit)
    more = " " + escape(_("+%(held)s held") % {"held": bars.amount(bar.held)}) if bar.held else ""
    more += f" <strong>+{bars.amount(bar.ask)}</strong>" if bar.ask else ""
    if bar.limit_before is not None and bar.limit_before != bar.limit:
        limit = f'<span class="pt-q-was">{bars.amount(bar.limit_before)}</span>{_ARROW}<strong>{limit}</strong>'
    return f"{used}{more} / {limit} {escape(bar.unit)}"


def _flag(level: str, icon: str) -> str:
    if not level:
        return ""
    said = _("over the limit") if level == "over" else _("near the limit")
    return f'<span class="{_LEVELS[level]}">{icon}<span class="pf-v6-screen-reader">{escape(said)}</span></span>'


def _share(g: Geometry, known: bool) -> str:
    if not known or g.after is None:
        return ""
    if g.before is not None and g.before != g.after:
        return f'<span class="pt-q-was">{g.before}%</span>{_ARROW}<strong>{g.after}%</strong>'
    return f"{g.after}%"


def _picture(g: Geometry) -> str:
    hatch = "pt-hatch-bad" if g.level == "over" else "pt-hatch"
    drawn = [f'<rect class="pt-q-track" x="0" y="3" width="{g.track.width}" height="10" rx="3"/>']
    if g.grow:
        drawn += [_rect(g.grow, 'y="3.5"', 'height="9" rx="2"', "pt-q-grow"), _hatched(g.grow, "pt-hatch")]
    if g.shrink:
        drawn.append(_hatched(g.shrink, "pt-hatch-off"))
    if g.used:
        drawn.append(_rect(g.used, 'y="3"', 'height="10" rx="3"', "pt-q-ok"))
    if g.held:
        drawn.append(_rect(g.held, 'y="3"', 'height="10"', "pt-q-hold"))
    if g.ask:
        drawn += [_rect(g.ask, 'y="3.5"', 'height="9"', "pt-q-askbg"), _hatched(g.ask, hatch)]
    if g.limit_before:
        drawn.append(_tick(g.limit_before, "pt-q-old"))
    return "".join([*drawn, _tick(g.limit, "pt-q-limit")])


def _rect(span: Span, top: str, height: str, classes: str) -> str:
    return f'<rect class="{classes}" x="{span.x}" {top} width="{span.width}" {height}/>'


def _hatched(span: Span, pattern: str) -> str:
    return f'<rect x="{span.x}" y="3" width="{span.width}" height="10" fill="url(#{pattern})"/>'


def _tick(x: str, classes: str) -> str:
    return f'<rect class="{classes}" x="{x}" y="0" width="2" height="16" transform="translate(-2 0)"/>'
