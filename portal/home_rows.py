"""What the home page says: what a person has, what waits for them, and what to do next, as prepared rows."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters import drift_rows
from tenants.models import Project
from tenants.rows import project_row
from tenants.steps import is_short, troubles_of
from workflow.inbox import Totals, Weighed
from workflow.machine import CHANGES_REQUESTED
from workflow.models import Request
from workflow.rows import inbox_row, is_parent, request_row

Row = dict[str, Any]
# What a project's bars on this page are about; others only where they are short.
_ALWAYS = 2


def request_rows(mine: Iterable[Request]) -> Row:
    """{requests, finished, poll} of the person's newest requests: what is under way, and what came to an end."""
    rows = [(found, request_row(found)) for found in mine]
    moving = [(found.is_open or _moves(row), row) for found, row in rows]
    return {
        "requests": [row for is_moving, row in moving if is_moving],
        "finished": [row for is_moving, row in moving if not is_moving],
        "poll": any(_moves(row) for _found, row in rows),
    }


def _moves(row: Row) -> bool:
    return any("now" in one["track"] for one in [row, *row["children"]])


def project_groups(projects: Iterable[Project]) -> list[Row]:
    """[{name, tenant, id, projects}]: the environments of one project together."""
    groups: dict[tuple[int, str], Row] = {}
    for project in projects:
        row = project_row(project)
        row["bars"] = row["bars"][:_ALWAYS] + [bar for bar in row["bars"][_ALWAYS:] if is_short(bar)]
        row["drifts"] = drift_rows.drift_line(project.bundle) is not None
        empty = {"name": project.display_name, "tenant": str(project.tenant), "id": project.namespace, "projects": []}
        groups.setdefault((project.tenant_id, project.name), empty)["projects"].append(row)
    return list(groups.values())


def next_steps(mine: Sequence[Request], projects: Sequence[Project], askable: Collection[int]) -> list[Row]:
    """What was sent back to the person, what is wrong with their projects, then what to do first for who has nothing
    yet; what waits for a decision has a card of its own. `askable`: ids of tenants for which they may ask."""
    parts = [part for found in mine for part in (found.children.all() if is_parent(found) else [found])]
    steps = [_sent_back_step(part) for part in parts if part.state == CHANGES_REQUESTED]
    steps += [step for project in projects if project.tenant_id in askable for step in troubles_of(project)]
    if askable and not projects:
        steps.append(_first_step())
    return steps


def _sent_back_step(found: Request) -> Row:
    return {
        "icon": "edit",
        "tone": "warning",
        "title": _("#%(number)s %(title)s was sent back to you") % {"number": found.number, "title": found.title},
        "url": reverse("request-detail", args=[found.number]),
        "text": _("Read what is asked for and change it; it expires if nothing happens."),
        "action": _("Open"),
    }


def _first_step() -> Row:
    return {
        "icon": "project",
        "tone": "info",
        "title": _("Ask for your first project"),
        "url": reverse("request-new", args=["new-project"]),
        "text": _("Development projects are ready within a minute."),
        "action": _("Ask"),
    }


def waiting_rows(found: Iterable[Weighed], at: datetime) -> list[Row]:
    """Rows of the inbox as this page shows them, whose risk says that it is one."""
    rows = [inbox_row(one, at) for one in found]
    return [
        row | {"risk": row["risk"] | {"label": _("Risk: %(level)s") % {"level": row["risk"]["label"]}}} for row in rows
    ]


def waiting_steps(totals: Totals) -> list[Row]:
    """[{label, icon, tone, url}] of what of the inbox is due soon, and what is risky."""
    inbox = reverse("inbox")
    soon = ngettext("%(n)s is due within a day", "%(n)s are due within a day", totals.urgent) % {"n": totals.urgent}
    high = ngettext("%(n)s is of high risk", "%(n)s are of high risk", totals.high) % {"n": totals.high}
    rows = []
    if totals.urgent:
        rows.append({"label": soon, "icon": "clock", "tone": "warning", "url": f"{inbox}?age=soon"})
    if totals.high:
        rows.append({"label": high, "icon": "error", "tone": "danger", "url": f"{inbox}?risk=high"})
    return rows


def lead(projects: int, steps: int, waiting: int | None) -> str:
    """How things stand in one line: how many projects there are, and what needs the person."""
    parts = []
    if waiting is not None:
        text = ngettext("%(n)s request waits for your decision", "%(n)s requests wait for your decision", waiting)
        parts.append(text % {"n": waiting} if waiting else _("Nothing waits for your decision"))
    if projects:
        parts.append(ngettext("%(n)s project", "%(n)s projects", projects) % {"n": projects})
    if steps:
        parts.append(ngettext("%(n)s thing needs you", "%(n)s things need you", steps) % {"n": steps})
    elif projects:
        parts.append(_("nothing needs you"))
    return " · ".join(parts)
