"""What a request's page says about deciding: the panel, who refused, who said what, and which policy it is under."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from web.sentences import shown
from workflow import authority, machine, permissions, policy_rows
from workflow.models import Comment, Decision, Plan, Request
from workflow.rows.inbox import deadline
from workflow.rows.lists import Row
from workflow.rows.timelines import speaker


def decision_panel(request: Request, user: User, plan: Plan | None, at: datetime) -> Row | None:
    """The decision panel's values for an open request; who is in the group but may not decide reads why."""
    step = permissions.current_step(request)
    if step is None:
        return None
    reason, place = "", None
    try:
        place = permissions.check_decide(request, user, at)
    except permissions.Forbidden as refused:
        if not authority.principals_for(user, step.group.slug, at):
            return None
        reason = refused.sentence
    standing_in = place is not None and place.principal.pk != user.principal_id
    return {
        "can": not reason,
        "reason": reason,
        "step_title": step.group.name,
        "due_at": step.due_at,
        "deadline": deadline(step.due_at, at),
        "in_place_of": str(place.principal) if place and standing_in else "",
        "plan_digest": plan.digest if plan else "",
        "action": reverse("request-decide", args=[request.number]),
    }


def refusal(request: Request, decisions: Sequence[Decision]) -> Row | None:
    """Who rejected the request or sent it back and why, to be read first; None if nobody did."""
    verdict = {machine.REJECTED: "reject", machine.CHANGES_REQUESTED: "send_back"}.get(request.state)
    said = [one for one in decisions if one.verdict == verdict and one.voided_at is None]
    if not said:
        return None
    title = _("%(who)s rejected this request") if verdict == "reject" else _("%(who)s asks for changes")
    return {
        "title": title % {"who": speaker(said[-1])},
        "text": said[-1].note,
        "tone": "danger" if verdict == "reject" else "warning",
    }


def log_rows(decisions: Iterable[Decision], comments: Iterable[Comment]) -> list[Row]:
    """Who said what, oldest first: [{id, who, initials, at, verdict_label, text, is_portal}]."""
    rows = [_decision_row(one) for one in decisions] + [_comment_row(one) for one in comments]
    return sorted(rows, key=lambda row: row["at"])


def _decision_row(decision: Decision) -> Row:
    verdicts = {"approve": _("approved"), "reject": _("rejected"), "send_back": _("sent it back")}
    label = verdicts[decision.verdict]
    if decision.voided_at is not None:
        earlier = {"approve": _("approved what it was before"), "send_back": _("sent back what it was before")}
        label = earlier.get(decision.verdict, label)
    return {
        "id": f"decision-{decision.pk}",
        "who": speaker(decision),
        "initials": str(decision.by)[:1].upper(),
        "at": decision.at,
        "verdict_label": label,
        "text": decision.note,
        "is_portal": False,
    }


def _comment_row(comment: Comment) -> Row:
    who = str(comment.by) if comment.by else _("Portal")
    return {
        "id": f"comment-{comment.pk}",
        "who": who,
        "initials": who[:1].upper(),
        "at": comment.at,
        "verdict_label": _("commented") if comment.by else "",
        "text": comment.text if comment.by else _portal_said(comment),
        "is_portal": comment.by is None,
    }


def _portal_said(comment: Comment) -> str:
    return shown(comment.sentence)


def policy_row(request: Request) -> Row | None:
    """Under which policy it is decided and why; None for a parent."""
    policy = request.policy
    if policy is None:
        return None
    return {
        "name": policy.name,
        "condition": policy.condition,
        "why": policy_rows.why_rows(policy.condition, request.facts),
        "is_automatic": not request.steps.all(),
        "problem": shown(request.policy_problem),
        "url": reverse("policies"),
    }
