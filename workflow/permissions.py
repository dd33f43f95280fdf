"""Who may do what with a request: each rule as a check that says why not, and a question for the button."""

from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.models import User
from web.errors import Conflict, Forbidden
from workflow import authority, machine
from workflow.models import Request, Step


class NotYours(Forbidden):
    """The person has no part in this decision."""


class OwnRequest(Forbidden):
    """Nobody decides what they asked for themselves, nor what their service account asked for."""


class AlreadyClosed(Conflict):
    """The request is decided, withdrawn or expired, or not at a point at which this can be done."""


class Place(NamedTuple):
    """A step somebody may decide now, and whose place in the group that fills: the person's own, or another's."""

    step: Step
    principal: User


def steps_of(request: Request) -> list[Step]:
    """The steps of the present round, in order."""
    return sorted((s for s in request.steps.all() if s.round == request.round), key=lambda step: step.position)


def current_step(request: Request) -> Step | None:
    """The step that waits for a decision, if any."""
    return next((step for step in request.steps.all() if step.state == "current"), None)


def check_open(request: Request) -> None:
    """Raises AlreadyClosed unless the request still waits for somebody."""
    if request.state not in machine.OPEN_STATES:
        raise AlreadyClosed(_("Request #%(number)s is already closed.") % {"number": request.number})


def check_decide(request: Request, user: User, at: datetime) -> Place:
    """What this person may decide now, and in whose place; raises AlreadyClosed, OwnRequest or NotYours."""
    check_open(request)
    step = current_step(request)
    if step is None and request.state == machine.CHANGES_REQUESTED:
        raise AlreadyClosed(_("Request #%(number)s was sent back; who asked has it now.") % {"number": request.number})
    if step is None and request.policy_id is not None:
        # It was closed between the reading of the request and of its steps.
        raise AlreadyClosed(_("Request #%(number)s has just been decided.") % {"number": request.number})
    principals = authority.principals_for(user, step.group.slug, at) if step else []
    if step is None or not principals:
        raise NotYours(_("This step is decided by another group."))
    if user.principal_id == request.asker.principal_id:
        raise OwnRequest(_("You cannot decide your own request."))
    principals = [one for one in principals if one.pk != request.asker.principal_id]
    if not principals:
        raise OwnRequest(_("Who you stand in for asked for this, so you cannot decide it in their place."))
    taken = {(one.principal_id, one.speaker_id) for one in request.decisions.all() if one.voided_at is None}
    if any(speaker == user.principal_id for _principal, speaker in taken):
        raise NotYours(_("You have already decided a step of this request."))
    free = [one for one in principals if not any(one.pk in pair for pair in taken)]
    if not free or any(user.principal_id in pair for pair in taken):
        raise NotYours(_("You have already decided a step of this request, or somebody did in your place."))
    return Place(step, free[0])


def can_decide(request: Request, user: User, at: datetime) -> bool:
    """Whether `check_decide` would pass."""
    try:
        check_decide(request, user, at)
    except (AlreadyClosed, NotYours, OwnRequest):
        return False
    return True


def check_withdraw(request: Request, user: User) -> None:
    """Raises unless the person asked for it (or their service account did) and it is still open."""
    if not _asked_it(request, user):
        raise NotYours(_("Only who asked can withdraw a request."))
    check_open(request)


def can_withdraw(request: Request, user: User) -> bool:
    """Whether `check_withdraw` would pass."""
    try:
        check_withdraw(request, user)
    except (AlreadyClosed, NotYours):
        return False
    return True


def check_edit(request: Request, user: User) -> None:
    """Raises unless the person asked for it (or their service account did), it is still open and no parent."""
    if not _asked_it(request, user):
        raise NotYours(_("Only who asked can change a request."))
    check_open(request)
    if request.policy_id is None:
        raise AlreadyClosed(_("Please change the request of one of its environments."))


def can_edit(request: Request, user: User) -> bool:
    """Whether `check_edit` would pass."""
    try:
        check_edit(request, user)
    except (AlreadyClosed, NotYours):
        return False
    return True


def check_comment(request: Request, user: User) -> None:
    """Raises unless the person has a part in it: as asker, member of its tenant, approver or administrator."""
    if user.is_auditor and not (user.approver_slugs or _asked_it(request, user)):
        raise Forbidden(_("Auditors read, and leave no trace in what they read."))


def can_comment(request: Request, user: User) -> bool:
    """Whether `check_comment` would pass."""
    try:
        check_comment(request, user)
    except Forbidden:
        return False
    return True


def _asked_it(request: Request, user: User) -> bool:
    return user.pk in (request.asker_id, request.asker.owner_id)
