"""Points in time as people say them: how long ago, how long until, and the exact time beside it."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Beyond this many days a date says more than a count.
_DATE_AFTER_DAYS = 30


def relative(at: datetime, now: datetime) -> str:
    """How far `at` is from `now`: past in the largest whole unit, to come in the nearest: ten days less a minute
    are ten days; beyond 30 days the date in the portal's time zone."""
    seconds = (now - at).total_seconds()
    distance = abs(seconds) if seconds >= 0 else _rounded(-seconds)
    if distance < _MINUTE:
        return _("just now") if seconds >= 0 else _("in a moment")
    if distance >= _DATE_AFTER_DAYS * _DAY:
        return f"{timezone.localtime(at):%Y-%m-%d}"
    if distance < _HOUR:
        count = int(distance // _MINUTE)
        past = ngettext("%(count)s minute ago", "%(count)s minutes ago", count)
        future = ngettext("in %(count)s minute", "in %(count)s minutes", count)
    elif distance < _DAY:
        count = int(distance // _HOUR)
        past = ngettext("%(count)s hour ago", "%(count)s hours ago", count)
        future = ngettext("in %(count)s hour", "in %(count)s hours", count)
    else:
        count = int(distance // _DAY)
        past = ngettext("%(count)s day ago", "%(count)s days ago", count)
        future = ngettext("in %(count)s day", "in %(count)s days", count)
    return (past if seconds >= 0 else future) % {"count": count}


def _rounded(seconds: float) -> float:
    """Half up to whole minutes, hours or days, whichever is the largest that fits at least once after rounding."""
    if seconds < _MINUTE:
        return seconds
    for unit, units_in_next in ((_MINUTE, 60), (_HOUR, 24)):
        count = int(seconds / unit + 0.5)
        if count < units_in_next:
            return count * unit
    return int(seconds / _DAY + 0.5) * _DAY


def iso(at: datetime | None) -> str | None:
    """As the API writes times (the framework's DateTimeField does the same): in the portal's time zone, Z for UTC."""
    return None if at is None else timezone.localtime(at).isoformat().replace("+00:00", "Z")


def exact(at: datetime) -> str:
    """The time to the minute in the portal's time zone, which is named: 2026-11-23 15:20 (UTC+8)."""
    local = timezone.localtime(at)
    offset = local.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    zone = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
    return f"{local:%Y-%m-%d %H:%M} ({zone})"
