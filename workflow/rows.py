"""Requests as prepared rows for pages: plain values in the reader's language."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters import words
from web.sentences import shown
from workflow import machine, permissions, queries
from workflow.kinds import kind_of
from workflow.models import Plan, Request, Step

Row = dict[str, Any]


def request_status(request: Request) -> Row:
    """{label, tone, icon}: the decision while it is open, afterwards what became of it in the cluster."""
    if request.state == machine.APPROVED and request.bundle is not None:
        return words.bundle_status(request.bundle)
    label, tone, icon = {
        machine.SUBMITTED: (_("In approval"), "info", "clock"),
        machine.APPROVED: (_("Approved"), "success", "check"),
        machine.REJECTED: (_("Rejected"), "danger", "close"),
        machine.WITHDRAWN: (_("Withdrawn"), "neutral", "close"),
    }[request.state]
    return {"label": label, "tone": tone, "icon": icon}


def request_row(request: Request) -> Row:
    """One line of a list."""
    step = permissions.current_step(request)
    kind_label = str(kind_of(request.kind).title)
    return {
        "number": request.number,
        "url": reverse("request-detail", args=[request.number]),
        "title": f"{kind_label} {request.title}",
        "kind_label": kind_label,
        "tenant": str(request.tenant),
        "environment": words.environment_label(request.environment),
        "asker": str(request.asker),
        "asked_at": request.submitted_at,
        "age": request.submitted_at,
        "status": request_status(request),
        "waiting_for": _("Waits for %(group)s") % {"group": step.group.name} if step else "",
        "track": track(request),
        "risk": _("Production") if request.environment == "prod" else "",
        "changes": "",
    }


def inbox_rows(requests: Iterable[Request]) -> list[Row]:
    """Lines of the inbox, with what would change."""
    rows = list(requests)
    newest = {}
    for plan in Plan.objects.filter(request__in=rows).order_by("number"):
        newest[plan.request_id] = plan
    return [request_row(r) | {"changes": changes_summary(newest[r.pk]) if r.pk in newest else ""} for r in rows]


def track(request: Request) -> list[str]:
    """Progress in a few dashes: asked, each step, applied."""
    states = {"approved": "done", "current": "now", "rejected": "failed"}
    steps = [states.get(step.state, "todo") for step in request.steps.all()]
    applied = "failed" if request.state == machine.WITHDRAWN else "todo"
    if request.bundle is not None:
        agrees = request.bundle.observed_generation >= (request.revision or 0)
        applied = "done" if agrees else ("failed" if request.bundle.blocked else "now")
    return ["done", *steps, applied]


def timeline(request: Request) -> list[Row]:
    """Asked, every step with who and when, applied, ready: [{title, text, at, state, icon}]."""
    asked = _("by %(who)s") % {"who": request.asker}
    rows = [_moment(_("Asked"), asked, request.submitted_at, "done", "send")]
    decisions = list(queries.decisions_of(request))
    for step in request.steps.all():
        said = [d for d in decisions if d.step_id == step.pk and d.voided_at is None]
        rows.append(_step_moment(step, ", ".join(str(d.by) for d in said)))
    if not request.steps.all():
        rows.append(
            _moment(
                _("Approved"),
                _("by policy: %(name)s") % {"name": request.policy.name},
                request.closed_at,
                "done",
                "check",
            )
        )
    if request.state == machine.WITHDRAWN:
        rows.append(_moment(_("Withdrawn"), "", request.closed_at, "failed", "close"))
    return rows + _cluster_moments(request)


def _moment(title: str, text: str, at: object, state: str, icon: str) -> Row:
    return {"title": title, "text": text, "at": at, "state": state, "icon": icon}


def _step_moment(step: Step, who: str) -> Row:
    state = {"approved": "done", "rejected": "failed", "current": "now", "skipped": "skipped"}.get(step.state, "todo")
    title = {
        "approved": _("%(group)s approved"),
        "rejected": _("%(group)s rejected"),
        "current": _("%(group)s decides"),
    }.get(step.state, "%(group)s") % {"group": step.group.name}
    text = _("by %(who)s") % {"who": who} if who else ""
    return _moment(title, text, step.closed_at, state, {"done": "check", "failed": "close"}.get(state, "clock"))


def _cluster_moments(request: Request) -> list[Row]:
    """What became of it in the cluster: applied n of m, then ready."""
    if request.state in (machine.REJECTED, machine.WITHDRAWN):
        return []
    cluster = str(request.cluster)
    bundle = request.bundle
    if bundle is None:
        return [_moment(_("Applied to %(cluster)s") % {"cluster": cluster}, "", None, "todo", "clock")]
    objects = list(bundle.objects_kept.all())
    done = sum(1 for kept in objects if kept.state in ("applied", "ready"))
    state = words.state_of(bundle)
    settled = state in ("ready", "committed")
    moment_state = "done" if settled else ("failed" if state == "blocked" else "now")
    counted = _("%(done)s of %(total)s objects") % {"done": done, "total": len(objects)} if objects else ""
    text = " · ".join(part for part in (counted, words.bundle_message(bundle)) if part)
    title = _("Committed for %(cluster)s") if bundle.committed else _("Applied to %(cluster)s")
    icon = {"done": "check", "failed": "error"}.get(moment_state, "refresh")
    rows = [_moment(title % {"cluster": cluster}, text, None, moment_state, icon)]
    if not bundle.committed:
        rows.append(_moment(_("Ready"), "", bundle.ready_at, "done" if settled else "todo", "check"))
    return rows


def changes_summary(plan: Plan) -> str:
    """ "8 objects added, 1 changed" in words."""
    counts = {action: 0 for action in ("add", "change", "remove")}
    for change in plan.changes:
        if change["action"] in counts:
            counts[change["action"]] += 1
    texts = {
        "add": _("%(n)s added"),
        "change": _("%(n)s changed"),
        "remove": _("%(n)s removed"),
    }
    return ", ".join(texts[action] % {"n": n} for action, n in counts.items() if n) or _("Nothing changes")


def plan_row(plan: Plan) -> Row:
    """The plan as the page shows it: per object the fields that change, as lines of a difference."""
    labels = {"add": _("added"), "change": _("changed"), "remove": _("removed"), "keep": _("unchanged")}
    changes = [
        {
            "action": change["action"],
            "action_label": labels[change["action"]],
            "kind": change["ref"]["kind"],
            "name": change["ref"]["name"],
            "namespace": change["ref"]["namespace"],
            "lines": difference_lines(change["fields"]),
        }
        for change in plan.changes
    ]
    warning = ""
    if plan.problem:
        warning = _("The cluster could not be asked, so this compares with what the portal last applied: %(reason)s")
        warning %= {"reason": shown(plan.problem)}
    return {
        "digest": plan.digest,
        "summary": changes_summary(plan),
        "changes": changes,
        "warning": warning,
        "observed_at": plan.observed_at,
    }


def difference_lines(fields: Iterable[list[Any]]) -> list[tuple[str, str]]:
    """(sign, text) lines for [path, live, wanted] triples."""
    lines = []
    for path, live, wanted in fields:
        if live is not None:
            lines.append(("-", f"{path}: {_text(live)}"))
        if wanted is not None:
            lines.append(("+", f"{path}: {_text(wanted)}"))
    return lines


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(inner)}" for key, inner in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)


def decision_panel(request: Request, user: User, plan: Plan, error: str) -> Row | None:
    """The decision panel's values for an open request; who is in the group but may not decide reads why."""
    step = permissions.current_step(request)
    if step is None or step.group.slug not in user.approver_slugs:
        return None
    reason = ""
    try:
        permissions.check_decide(request, user)
    except permissions.Forbidden as refused:
        reason = refused.sentence
    return {
        "can": not reason,
        "reason": reason,
        "step_title": step.group.name,
        "plan_digest": plan.digest,
        "action": reverse("request-decide", args=[request.number]),
        "error": error,
    }


def rejection(request: Request) -> Row | None:
    """Who rejected the request and why, to be read first; None if nobody did."""
    if request.state != machine.REJECTED:
        return None
    decision = request.decisions.select_related("by").get(verdict="reject")
    return {"title": _("%(who)s rejected this request") % {"who": decision.by}, "text": decision.note}


def log_rows(request: Request) -> list[Row]:
    """Who said what: [{who, initials, at, verdict_label, text}]."""
    verdicts = {"approve": _("approved"), "reject": _("rejected")}
    return [
        {
            "who": str(decision.by),
            "initials": str(decision.by)[:1].upper(),
            "at": decision.at,
            "verdict_label": _("approved an earlier plan") if decision.voided_at else verdicts[decision.verdict],
            "text": decision.note,
        }
        for decision in queries.decisions_of(request)
    ]
