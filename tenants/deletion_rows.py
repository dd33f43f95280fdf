"""A project's planned removal as a prepared row for its page."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from tenants import queries
from tenants.blockers import blockers_of
from tenants.models import Deletion, Project
from tenants.rows import used_of
from tenants.services.deletion import may_call_off
from web.sentences import shown

Row = dict[str, Any]


def deletion_row(project: Project, user: User, at: datetime) -> Row | None:
    """{title, tone, due_from, reason, number, request_url, hindered (sentences), call_off_url ("" for who may not, and
    once it has begun)}; None while no removal is planned. `at` is now; the bundle's objects should be prefetched."""
    pending = queries.pending_deletion(project)
    if pending is None:
        return None
    begun = pending.started_at is not None
    may = not begun and may_call_off(project, pending, user)
    return {
        "title": _title(pending, at),
        "tone": "danger" if begun else "warning",
        "due_from": None if begun else pending.due_from,
        "reason": pending.request.values.get("reason", ""),
        "number": pending.request.number,
        "request_url": reverse("request-detail", args=[pending.request.number]),
        "hindered": _hindered(project, pending),
        "call_off_url": reverse("project-call-off", args=[project.uid]) if may else "",
    }


def _title(pending: Deletion, at: datetime) -> str:
    if pending.started_at is not None:
        return _("This project is being removed.")
    if pending.due_from <= at:
        return _("This project is to be removed; its grace period is over.")
    return _("This project will be removed when its grace period is over.")


def _hindered(project: Project, pending: Deletion) -> list[str]:
    """What the worker said, else what would be in the way as far as is known."""
    if pending.message:
        return [shown(pending.message)]
    if pending.started_at is not None:
        return []
    return [str(sentence) for sentence in blockers_of(project, used_of(project.bundle))]
