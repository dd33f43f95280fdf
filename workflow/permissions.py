"""Who may do what with a request: each rule as a check that says why not, and a question for the button."""

from django.utils.translation import gettext as _

from accounts.models import User
from web.errors import Conflict, Forbidden
from workflow import machine
from workflow.models import Request, Step


class NotYours(Forbidden):
    """The person has no part in this decision."""


class OwnRequest(Forbidden):
    """Nobody decides what they asked for themselves, nor what their service account asked for."""


class AlreadyClosed(Conflict):
    """The request is decided or withdrawn."""


def current_step(request: Request) -> Step | None:
    """The step that waits for a decision, if any."""
    return next((step for step in request.steps.all() if step.state == "current"), None)


def check_open(request: Request) -> None:
    """Raises AlreadyClosed unless the request still waits for a decision."""
    if request.state not in machine.OPEN_STATES:
        raise AlreadyClosed(_("Request #%(number)s is already closed.") % {"number": request.number})


def check_decide(request: Request, user: User) -> Step:
    """The step this person may decide now; raises AlreadyClosed, OwnRequest or NotYours."""
    check_open(request)
    step = current_step(request)
    if step is None or step.group.slug not in user.approver_slugs:
        raise NotYours(_("This step is decided by another group."))
    if user.principal_id == request.asker.principal_id:
        raise OwnRequest(_("You cannot decide your own request."))
    if request.decisions.filter(principal=user.principal_id, voided_at__isnull=True).exists():
        raise NotYours(_("You have already decided a step of this request."))
    return step


def can_decide(request: Request, user: User) -> bool:
    """Whether `check_decide` would pass."""
    try:
        check_decide(request, user)
    except (AlreadyClosed, NotYours, OwnRequest):
        return False
    return True


def check_withdraw(request: Request, user: User) -> None:
    """Raises unless the person asked for it (or their service account did) and it is still open."""
    if user.pk not in (request.asker_id, request.asker.owner_id):
        raise NotYours(_("Only who asked can withdraw a request."))
    check_open(request)


def can_withdraw(request: Request, user: User) -> bool:
    """Whether `check_withdraw` would pass."""
    try:
        check_withdraw(request, user)
    except (AlreadyClosed, NotYours):
        return False
    return True
