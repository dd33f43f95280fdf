"""The timeline of a request: asked, every step, applied, ready."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters import words
from workflow import machine, permissions, queries
from workflow.kinds import kind_of
from workflow.models import Decision, Request, Step
from workflow.rows.lists import Row, bundles_of, is_parent, telling

# Objects that the cluster has as they are wanted.
DONE = ("applied", "ready")


def timeline(request: Request, decisions: Sequence[Decision]) -> list[Row]:
    """Asked, every step with who, when and until when, applied, ready: [{title, text, at, state, icon}]."""
    asked = _("by %(who)s") % {"who": request.asker}
    rows = [_moment(_("Asked"), asked, request.submitted_at, "done", "send")]
    if is_parent(request):
        return rows + [_child_moment(child) for child in request.children.all()]
    steps = permissions.steps_of(request)
    for step in steps:
        said = [one for one in decisions if one.step_id == step.pk and one.voided_at is None]
        rows.append(_step_moment(step, [speaker(one) for one in said]))
    if not steps and request.policy is not None:
        by = _("by policy: %(name)s") % {"name": request.policy.name}
        rows.append(_moment(_("Approved"), by, request.closed_at, "done", "check"))
    kind = kind_of(request.kind)
    rows += _end_moments(request)
    return rows + ([] if kind.removes else _cluster_moments(request)) + list(kind.moments(request))


def speaker(decision: Decision) -> str:
    """Who decided, and in whose place."""
    if decision.principal_id in (decision.by_id, decision.by.owner_id):
        return str(decision.by)
    return _("%(who)s for %(principal)s") % {"who": decision.by, "principal": decision.principal}


def _moment(title: str, text: str, at: datetime | None, state: str, icon: str, **more: Any) -> Row:
    return {"title": title, "text": text, "at": at, "state": state, "icon": icon, **more}


def _end_moments(request: Request) -> list[Row]:
    if request.state == machine.CHANGES_REQUESTED:
        return [_moment(_("%(who)s changes it") % {"who": request.asker}, "", None, "now", "edit")]
    if request.state == machine.WITHDRAWN:
        return [_moment(_("Withdrawn"), "", request.closed_at, "failed", "close")]
    if request.state == machine.EXPIRED:
        return [_moment(_("Expired"), "", request.closed_at, "failed", "clock")]
    return []


def _child_moment(child: Request) -> Row:
    """An environment of a parent as one moment, which waits, is done or failed."""
    states = {machine.SUBMITTED: "now", machine.CHANGES_REQUESTED: "now", machine.APPROVED: "done"}
    state = states.get(child.state, "failed")
    bundle = telling(child)
    if child.state == machine.APPROVED and bundle is not None:
        state = "failed" if bundle.blocked else "done" if words.is_settled(bundle) else "now"
    step = permissions.current_step(child)
    text = _("Waits for %(group)s") % {"group": step.group.name} if step else ""
    icon = {"done": "check", "failed": "close"}.get(state, "clock")
    at = child.closed_at if step is None else None
    return _moment(words.environment_label(child.environment) or child.title, text, at, state, icon)


def _step_moment(step: Step, who: list[str]) -> Row:
    states = {"approved": "done", "rejected": "failed", "sent_back": "failed", "current": "now", "skipped": "skipped"}
    state = states.get(step.state, "todo")
    title = {
        "approved": _("%(group)s approved"),
        "rejected": _("%(group)s rejected"),
        "sent_back": _("%(group)s sent it back"),
        "current": _("Waits for %(group)s"),
    }.get(step.state, "%(group)s") % {"group": step.group.name}
    parts = [_("by %(who)s") % {"who": ", ".join(who)}] if who else []
    if state in ("now", "todo") and step.minimum > 1:
        counted = ngettext("%(done)s of %(count)s person", "%(done)s of %(count)s people", step.minimum)
        parts.append(counted % {"done": len(who), "count": step.minimum})
    at = step.closed_at
    if state == "now":
        parts.append(_("due"))
        at = step.due_at
    icon = {"done": "check", "failed": "close"}.get(state, "clock")
    return _moment(title, " · ".join(parts), at, state, icon)


def _cluster_moments(request: Request) -> list[Row]:
    """What became of it in the cluster: applied n of m, then ready."""
    if request.state not in (machine.SUBMITTED, machine.APPROVED) or request.cluster is None:
        return []
    cluster = str(request.cluster)
    bundle = telling(request)
    if bundle is None:
        return [_moment(_("Applied to %(cluster)s") % {"cluster": cluster}, "", None, "todo", "clock")]
    revisions = list(queries.revisions_of(request))
    settled = all(agreed_at for _bundle, agreed_at, _count in revisions)
    moment_state = "done" if settled else ("failed" if bundle.blocked else "now")
    total = sum(count for _bundle, _agreed_at, count in revisions)
    agreed = {pk: count for pk, agreed_at, count in revisions if agreed_at}
    done = sum(
        agreed.get(one.pk, sum(kept.state in DONE for kept in one.objects_kept.all())) for one in bundles_of(request)
    )
    counted = _("%(done)s of %(total)s objects") % {"done": min(done, total), "total": total} if total else ""
    observed = bundle.cluster.is_observed
    # What the bundle says now is about its newest revision, which may be another request's.
    message = words.bundle_message(bundle) if not settled or not observed else ""
    text = " · ".join(part for part in (counted, message) if part)
    title = _("Applied to %(cluster)s") if observed else _("Committed for %(cluster)s")
    icon = {"done": "check", "failed": "error"}.get(moment_state, "refresh")
    rows = [_moment(title % {"cluster": cluster}, text, None, moment_state, icon)]
    if observed:
        at = max((agreed_at for _bundle, agreed_at, _count in revisions if agreed_at), default=None)
        rows.append(_moment(_("Ready"), "", at if settled else None, "done" if settled else "todo", "check"))
    return rows
