"""What a project used over time, as prepared rows for its page: picture, table, and both in a sentence."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clusters import history
from clusters.history import History
from clusters.models.usage import RESOURCES
from clusters.rows import amount_in, amount_text, unit_of
from clusters.sampling import DAY, HOUR, begins
from clusters.words import resource_label
from tenants.models import Project
from web import bars

Row = dict[str, Any]

# How far back, and how long the rows of the table are.
RANGES = {"day": (DAY, HOUR), "week": (7 * DAY, 6 * HOUR), "month": (30 * DAY, DAY), "year": (365 * DAY, 7 * DAY)}


def usage_row(project: Project, parameters: Mapping[str, str], now: datetime) -> Row:
    """{ranges, resources, resource, summary, chart, table, empty} of one resource over one range, by `range` and
    `resource` of an address; what is not known there is the last day, the CPU."""
    reach = parameters.get("range", "") if parameters.get("range", "") in RANGES else "day"
    name = parameters.get("resource", "") if parameters.get("resource", "") in RESOURCES else "cpu"
    back, row_step = RANGES[reach]
    seen = history.read(project.bundle, now - back, now, now)
    known = any(value is not None for value in seen.used[name])
    return {
        "ranges": [_choice(project, key, name, key == reach, label, key) for key, label in _range_labels().items()],
        "resources": [_choice(project, reach, key, key == name, resource_label(key), key) for key in RESOURCES],
        "resource": resource_label(name),
        "api_url": reverse("api-project-usage", args=[project.uid]),
        "summary": _summary(seen, name) if known else "",
        "chart": json.dumps(_chart(seen, name)) if known else "",
        "table": _table(seen, name, row_step) if known else [],
        "empty": "" if known else _empty(project),
    }


def _range_labels() -> dict[str, str]:
    return {"day": _("24 hours"), "week": _("7 days"), "month": _("30 days"), "year": _("1 year")}


def _choice(project: Project, reach: str, name: str, is_current: bool, label: str, key: str) -> Row:
    query = f"?range={reach}&resource={name}"
    page, part = reverse("project-detail", args=[project.uid]), reverse("project-usage", args=[project.uid])
    return {
        "id": f"usage-{key}",
        "label": label,
        "current": is_current,
        "url": f"{page}{query}#project-usage",
        "page_url": f"{page}{query}",
        "part_url": f"{part}{query}",
    }


def _empty(project: Project) -> str:
    if not project.bundle.cluster.is_observed:
        return _("Use is not known: this cluster is written through Git only.")
    return _("Nothing was seen in this time. A sample is taken whenever the cluster is looked at, every few minutes.")


def _summary(seen: History, name: str) -> str:
    """The picture in a sentence: the last use that is known and its limit, and the highest."""
    used = [(value, at) for value, at in zip(seen.used[name], seen.at, strict=True) if value is not None]
    limits = [value for value in seen.limit[name] if value is not None]
    highest, at = max(used, key=lambda pair: pair[0])
    words = {
        "resource": resource_label(name),
        "used": amount_text(name, used[-1][0]),
        "highest": amount_text(name, highest),
        "at": _moment(at, seen.step),
    }
    if not limits:
        return _("%(resource)s: %(used)s in use, no limit; highest %(highest)s on %(at)s.") % words
    text = _("%(resource)s: %(used)s of %(limit)s in use; highest %(highest)s on %(at)s.")
    return text % (words | {"limit": amount_text(name, limits[-1])})


def _moment(at: datetime, step: timedelta) -> str:
    """To the minute, to the day where a step is one."""
    return f"{timezone.localtime(at):%Y-%m-%d}" if step >= DAY else f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _chart(seen: History, name: str) -> Row:
    """What the picture is drawn from (static/src/chart.js): amounts in `unit`, seconds since 1970."""
    return {
        "since": int(seen.since.timestamp()),
        "until": int(seen.until.timestamp()),
        "step": int(seen.step.total_seconds()),
        "zone": settings.TIME_ZONE,
        "at": [int(at.timestamp()) for at in seen.at],
        "used": [_drawn(name, value) for value in seen.used[name]],
        "limit": [_drawn(name, value) for value in seen.limit[name]],
        "unit": unit_of(name),
        "said": _("{at}: {used} of {limit} {unit}"),
        "said_unlimited": _("{at}: {used} {unit}, no limit"),
        "unknown": _("{at}: not known"),
        "label": _("%(resource)s over time; move through it by the arrow keys") % {"resource": resource_label(name)},
    }


def _drawn(name: str, value: int | None) -> float | None:
    return None if value is None else round(amount_in(name, value), 3)


def _table(seen: History, name: str, step: timedelta) -> list[Row]:
    """[{at, used, limit, share, is_high}], the newest first: the highest use within each row's time."""
    rows: dict[datetime, tuple[int, int | None]] = {}
    for at, used, limit in zip(seen.at, seen.used[name], seen.limit[name], strict=True):
        if used is not None:
            begin = begins(at, max(step, seen.step))
            highest, last = rows.get(begin, (used, limit))
            rows[begin] = (max(highest, used), last if limit is None else limit)
    return [_table_row(name, at, step, *row) for at, row in sorted(rows.items(), reverse=True)]


def _table_row(name: str, at: datetime, step: timedelta, used: int, limit: int | None) -> Row:
    share = None if not limit else int(used / limit * 100 + 0.5)
    return {
        "at": _moment(at, step),
        "used": amount_text(name, used),
        "limit": "" if limit is None else amount_text(name, limit),
        "share": "" if share is None else f"{share}%",
        "is_high": limit is not None and used >= limit * bars.WARN_AT,
    }
