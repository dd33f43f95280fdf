"""Rounds of steps: copied from the policy at each submission, one current at a time, each with its clock."""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import ApproverGroup
from web.errors import UserError
from workflow import machine
from workflow.models import Deadline, Policy, Request, Step
from workflow.services import notices

# How long a request that was sent back waits for who asked.
ASKER_HOURS = 14 * 24


class NoPolicy(UserError):
    """No policy says who decides; the platform's administrators have to add one."""

    status = 503
    code = "no-policy"


def begin(request: Request, policy: Policy, at: datetime) -> None:
    """The steps of the request's round, copied from the policy so that its later changes do not move them, the first
    of them current. None for a policy that approves by itself."""
    if not policy.steps:
        return
    groups = {group.slug: group for group in ApproverGroup.objects.all()}
    first = timedelta(hours=policy.steps[0]["deadline_hours"])
    steps = Step.objects.bulk_create(
        Step(
            request=request,
            round=request.round,
            position=position,
            group=_group_of(groups, step["group"]),
            minimum=step["minimum"],
            deadline_hours=step["deadline_hours"],
            state="waiting" if position else "current",
            due_at=None if position else at + first,
        )
        for position, step in enumerate(policy.steps)
    )
    notices.ask(request, steps[0], at)
    hours = policy.steps[0]["deadline_hours"]
    if request.round > 1 and set_clock(request, at, hours):
        return
    # The first time that it waits for anybody.
    Deadline.objects.create(request=request, lane="deadlines", generation=1, **_clock(at, hours))


def start_next(request: Request, at: datetime) -> bool:
    """Makes the first waiting step current and starts its clock; False if none waits any more."""
    waiting = request.steps.filter(round=request.round, state="waiting").select_related("group")
    step = waiting.order_by("position").first()
    if step is None:
        return False
    due_at = at + timedelta(hours=step.deadline_hours)
    Step.objects.filter(pk=step.pk).update(state="current", due_at=due_at, reminded_at=None)
    set_clock(request, at, step.deadline_hours)
    notices.no_longer_asked(request, at)
    notices.ask(request, step, at)
    return True


def start_over(request: Request, at: datetime) -> None:
    """All steps of the round anew: what was decided on was something else."""
    request.steps.filter(round=request.round).update(state="waiting", closed_at=None, due_at=None)
    start_next(request, at)


def end(request: Request, at: datetime) -> None:
    """What still waits of the present round is skipped."""
    request.steps.filter(state__in=["waiting", "current"]).update(state="skipped", closed_at=at)
    notices.no_longer_asked(request, at)


def set_clock(request: Request, at: datetime, hours: int) -> bool:
    """The request's clock starts anew: it expires in so many hours, with a reminder halfway. False if it has none."""
    clock = _clock(at, hours)
    # A worker that looks at the earlier clock just now must not put that back (work.claims.finish).
    return bool(Deadline.objects.filter(request=request).update(**clock, generation=F("generation") + 1))


def _clock(at: datetime, hours: int) -> dict[str, datetime]:
    remind_at, expires_at = at + timedelta(hours=hours) / 2, at + timedelta(hours=hours)
    return {"expires_at": expires_at, "remind_at": remind_at, "due_at": remind_at}


def stop_clock(request: Request) -> None:
    """A closed request waits for nobody."""
    if request.state not in machine.OPEN_STATES:
        Deadline.objects.filter(request=request).update(due_at=None, remind_at=None)


def _group_of(groups: dict[str, ApproverGroup], slug: str) -> ApproverGroup:
    """The policy's group; raises NoPolicy where it was never set up, since nobody could decide."""
    if slug not in groups:
        raise NoPolicy(_("The group that decides this is not set up. Please tell the platform's administrators."))
    return groups[slug]
