"""One line of a list of requests: what it is about and where it stands."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clusters import words
from clusters.models import Bundle
from workflow import machine, permissions
from workflow.kinds import kind_of
from workflow.models import Outcome, Request

Row = dict[str, Any]

# Of several bundles the one that needs a person most speaks for all.
_TELLING = ("blocked", "retrying", "queued", "applying", "committed", "ready")


def is_parent(request: Request) -> bool:
    """Whether it holds the requests of several environments together and is decided by none but them."""
    return request.policy_id is None


def bundles_of(request: Request) -> list[Bundle]:
    """The bundles it changed, or its children did; outcomes (and a parent's children) should be prefetched."""
    return [outcome.bundle for outcome in _outcomes(request)]


def _outcomes(request: Request) -> list[Outcome]:
    parts = request.children.all() if is_parent(request) else [request]
    return [outcome for part in parts for outcome in part.outcomes.all()]


def telling(request: Request) -> Bundle | None:
    """The bundle whose state says where the whole request stands; None before anything is carried out."""
    return min(bundles_of(request), key=lambda bundle: _TELLING.index(words.state_of(bundle)), default=None)


def own_form_url(slug: str) -> str:
    """The page on which requests of this kind are written, "" where that is the form made from its schema."""
    page = kind_of(slug).form_page
    return reverse(page) if page else ""


def request_status(request: Request) -> Row:
    """{label, tone, icon}: the decision while it is open, afterwards what became of it in the cluster."""
    bundle = telling(request) if request.state == machine.APPROVED else None
    if bundle is not None and kind_of(request.kind).removes:
        return _removal_status(request, bundle)
    if bundle is not None and all(one.bundle.observed_generation >= one.revision for one in _outcomes(request)):
        # What others want of the same bundle since is not about this request.
        return words.agreed_status(bundle)
    if bundle is not None:
        return words.bundle_status(bundle)
    return decision_status(request.state)


def decision_status(state: str) -> Row:
    """{label, tone, icon} of a request's own state: what people decided, whatever became of it."""
    label, tone, icon = {
        machine.SUBMITTED: (_("In approval"), "info", "clock"),
        machine.CHANGES_REQUESTED: (_("Sent back"), "warning", "edit"),
        machine.APPROVED: (_("Approved"), "success", "check"),
        machine.REJECTED: (_("Rejected"), "danger", "close"),
        machine.WITHDRAWN: (_("Withdrawn"), "neutral", "close"),
        machine.EXPIRED: (_("Expired"), "neutral", "close"),
    }[state]
    return {"label": label, "tone": tone, "icon": icon}


def _removal_status(request: Request, bundle: Bundle) -> Row:
    if bundle.blocked:
        return words.bundle_status(bundle)
    if all(outcome.bundle.observed_generation >= outcome.revision for outcome in request.outcomes.all()):
        return {"label": _("Removed"), "tone": "success", "icon": "check"}
    return {"label": _("Being removed"), "tone": "info", "icon": "refresh"}


def request_row(request: Request) -> Row:
    """One line of a list; a parent's children should be prefetched (queries.top_level)."""
    kind_label = str(kind_of(request.kind).title)
    return {
        "number": request.number,
        "url": reverse("request-detail", args=[request.number]),
        "name": request.title,
        "title": f"{kind_label} {request.title}",
        "kind_label": kind_label,
        "tenant": str(request.tenant or ""),
        "environment": words.environment_label(request.environment),
        "cluster": str(request.cluster or ""),
        "asker": str(request.asker),
        "asked_at": request.submitted_at,
        "status": request_status(request),
        "waiting_for": waiting_for(request),
        "track": [] if is_parent(request) else track(request),
        "children": child_rows(request.children.all()) if is_parent(request) else [],
    }


def child_rows(children: Any) -> list[Row]:
    """The requests of a parent in short, one for each environment."""
    return [
        {
            "number": child.number,
            "url": reverse("request-detail", args=[child.number]),
            "label": words.environment_label(child.environment) or child.title,
            "title": child.title,
            "status": request_status(child),
            "waiting_for": waiting_for(child),
            "track": track(child),
        }
        for child in children
    ]


def waiting_for(request: Request) -> str:
    """Whom it waits for, in a few words; "" for nobody."""
    if request.state == machine.CHANGES_REQUESTED:
        return _("Waits for who asked")
    parts = request.children.all() if is_parent(request) else [request]
    steps = [permissions.current_step(part) for part in parts]
    groups = list(dict.fromkeys(step.group.name for step in steps if step is not None))
    if not groups:
        return ""
    return _("Waits for %(group)s") % {"group": pgettext("between parts of a sentence", ", ").join(groups)}


def track(request: Request) -> list[str]:
    """Progress in a few dashes: asked, each step, applied."""
    states = {"approved": "done", "current": "now", "rejected": "failed", "sent_back": "failed"}
    steps = [states.get(step.state, "todo") for step in permissions.steps_of(request)]
    return ["done", *steps, _applied(request)]


def _applied(request: Request) -> str:
    if request.state in (machine.WITHDRAWN, machine.EXPIRED):
        return "failed"
    if request.state != machine.APPROVED:
        return "todo"
    bundle = telling(request)
    if bundle is None:
        return "done"
    agrees = all(o.bundle.observed_generation >= o.revision for o in request.outcomes.all())
    return "done" if agrees else ("failed" if bundle.blocked else "now")
