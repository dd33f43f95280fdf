"""Requests of a list as plain values, what serializers.RequestSerializer makes of each, at a fraction of its time."""

from collections.abc import Iterable
from typing import Any

from clusters import words
from web.moments import iso
from web.sentences import shown
from workflow import machine, rows
from workflow.models import Request, Step

Row = dict[str, Any]


def items(page: Iterable[Request]) -> list[Row]:
    """The requests of queries.as_lines; a test holds them to the serializer, which is what the document shows."""
    return [_item(found) for found in page]


def progress_of(found: Request) -> dict[str, Any] | None:
    """How far its clusters agree as plain values, None before there is anything; of several bundles the one that needs
    a person most speaks for all."""
    if found.state != machine.APPROVED or rows.is_parent(found):
        return None
    bundle = rows.telling(found)
    if bundle is None:
        return None
    outcomes = list(found.outcomes.all())
    return {
        "state": words.state_of(bundle),
        "message": shown(bundle.message),
        "wanted_revision": bundle.generation,
        "observed_revision": bundle.observed_generation,
        "commit": bundle.committed,
        "bundles": len(outcomes),
        "agreeing": sum(1 for one in outcomes if one.bundle.observed_generation >= one.revision),
    }


def _item(found: Request) -> Row:
    return {
        "number": found.pk,
        "kind": found.kind,
        "state": found.state,
        "title": found.title,
        "parent": found.parent_id,
        "tenant": found.tenant.code if found.tenant else None,
        "environment": found.environment,
        "cluster": found.cluster.name if found.cluster else None,
        "asker": found.asker.username,
        "policy": found.policy.slug if found.policy else None,
        "round": found.round,
        "submitted_at": iso(found.submitted_at),
        "closed_at": iso(found.closed_at),
        "steps": [_step(step) for step in found.steps.all()],
        "progress": progress_of(found),
    }


def _step(step: Step) -> Row:
    return {
        "round": step.round,
        "group": step.group.slug,
        "minimum": step.minimum,
        "state": step.state,
        "due_at": iso(step.due_at),
        "closed_at": iso(step.closed_at),
    }
