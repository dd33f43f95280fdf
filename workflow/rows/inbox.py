"""Rows of the inbox: since when and until when each request waits, what is risky about it, what it takes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clusters import words
from web.bars import amount
from web.sentences import shown
from workflow import inbox, permissions
from workflow.facts import is_amount
from workflow.kinds import kind_of
from workflow.rows.lists import Row
from workflow.rows.plans import changes_summary

_GIB = 1024**3


def deadline(due_at: datetime | None, at: datetime) -> Row | None:
    """A status label where time is short: {label, tone, icon}; None while there is time."""
    if due_at is None or due_at - at > inbox.SOON:
        return None
    if due_at <= at:
        return {"label": _("Overdue"), "tone": "danger", "icon": "error"}
    return {"label": _("Due soon"), "tone": "warning", "icon": "clock"}


def inbox_row(request: inbox.Weighed, at: datetime) -> Row:
    """One line of the inbox, of a request as inbox.weighed answers it."""
    step = permissions.current_step(request)
    assert step is not None and step.due_at is not None
    kind_label = str(kind_of(request.kind).title)
    labels = {
        inbox.HIGH: (_("High"), "danger", "error"),
        inbox.MEDIUM: (_("Medium"), "warning", "warning"),
        inbox.LOW: (_("Low"), "success", "check"),
    }
    level = inbox.LEVELS[request.risk]
    return {
        "number": request.number,
        "url": reverse("request-detail", args=[request.number]),
        "title": f"{kind_label} {request.title}",
        "subtitle": " · ".join(
            part for part in (str(request.tenant or ""), words.environment_label(request.environment)) if part
        ),
        "asker": str(request.asker),
        "since": step.due_at - timedelta(hours=step.deadline_hours),
        "due_at": step.due_at,
        "deadline": deadline(step.due_at, at),
        "group": step.group.name,
        "risk": dict(zip(("label", "tone", "icon"), labels[level], strict=True)),
        "risks": risks_of(request),
        "effect": effect_of(request.facts),
        "cpu": _whole(request.facts, "delta.cpu"),
        "memory": _whole(request.facts, "delta.memory"),
        "changes": changes_summary(request.plan_changes or []),
        "choice": f"{request.number}:{request.plan_digest}",
        "locked": inbox.locked_reason(request),
    }


def risks_of(request: inbox.Weighed) -> list[str]:
    """What is risky, from what is stored, in a few words each; see inbox.weighed for how each weighs."""
    found = []
    if reason := inbox.locked_reason(request):
        found.append(reason)
    if request.environment == "prod":
        found.append(_("Production"))
    elif kind_of(request.kind).removes:
        found.append(_("Removes something"))
    if inbox.is_large(request.facts):
        found.append(_("Takes a lot at once"))
    if request.policy_problem:
        found.append(shown(request.policy_problem))
    if inbox.is_budget_short(request.facts):
        found.append(_("Little is left of the tenant's budget after this"))
    return found


def effect_of(facts: Mapping[str, Any]) -> str:
    """ "+4 cores, +8 Gi" from the facts of a request, "" where it takes nothing and gives nothing back."""
    cpu, memory, storage = (_whole(facts, f"delta.{resource}") for resource in ("cpu", "memory", "storage"))
    parts = []
    if cpu:
        parts.append(_("%(amount)s cores") % {"amount": _signed(cpu / 1000)})
    if memory:
        parts.append(_("%(amount)s Gi") % {"amount": _signed(memory / _GIB)})
    if storage:
        parts.append(_("%(amount)s Gi storage") % {"amount": _signed(storage / _GIB)})
    return pgettext("between parts of a sentence", ", ").join(parts)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−'}{amount(abs(value))}"


def _whole(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name, 0)
    return value if is_amount(value) else 0
