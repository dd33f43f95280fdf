"""Deciding a step of a request, on exactly the plan the person saw."""

from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.drivers.base import DriverError
from clusters.models import Bundle
from web.errors import Conflict, Invalid, NotFound
from workflow import machine, permissions, queries, schema
from workflow.kinds import kind_of
from workflow.models import Decision, Plan, Request, Step
from workflow.permissions import Place
from workflow.services import closing, families, notices, planning, rounds
from workflow.services.approval import approve
from workflow.services.possible import check_fresh, check_still_possible

WITH_GROUPS = Prefetch("steps", Step.objects.select_related("group"))
VERDICTS = ("approve", "reject", "send_back")


class PlanChanged(Conflict):
    """What would happen is no longer what the person saw; `plan` is the new one, already stored."""

    code = "plan-changed"

    def __init__(self, plan: Plan) -> None:
        super().__init__(_("Something changed since you looked. Please decide on the new plan."))
        self.plan = plan


def decide(*, number: int, verdict: str, note: str, plan_digest: str, by: User, at: datetime) -> Request:
    """Approves, rejects or sends back the current step. Raises NotFound, NotYours, OwnRequest, AlreadyClosed, Invalid,
    PlanChanged and what the kind raises on a new look.

    An approval looks at the cluster first (outside the transaction, 3 s a call), then renders again under the locks
    and compares digests. The other verdicts need a note and no plan.
    """
    visible = queries.requests_visible_to(by).prefetch_related(None).prefetch_related(WITH_GROUPS)
    request = visible.filter(pk=number).first()
    if request is None:
        raise NotFound(_("There is no such request."))
    if verdict not in VERDICTS:
        raise Invalid(_("Please choose."), {"/verdict": _("This is not one of the choices.")})
    _check_texts(note, plan_digest)
    place = permissions.check_decide(request, by, at)
    if verdict == "approve":
        return _approve(request, place, note, plan_digest, by, at)
    if not note.strip():
        raise Invalid(_("Please say why."), {"/note": _("Who asked needs to know the reason.")})
    return _refuse(number, verdict, note, plan_digest, by, at)


def _check_texts(note: str, plan_digest: str) -> None:
    """Raises Invalid for what no row could hold."""
    if len(note) > 2000:
        raise Invalid(_("The note is too long."), {"/note": _("At most %(limit)s characters.") % {"limit": 2000}})
    for pointer, text in (("/note", note), ("/plan_digest", plan_digest)):
        if not schema.is_printable(text):
            raise Invalid(_("The decision is not valid."), {pointer: _("Contains characters that cannot be shown.")})


def _approve(request: Request, place: Place, note: str, plan_digest: str, by: User, at: datetime) -> Request:
    check_fresh(request, place.principal, by, at)
    try:
        seen = planning.look(request, at)
    except DriverError as error:
        raise Conflict(_("The cluster would refuse this: %(reason)s") % {"reason": str(error.sentence)}) from error
    kind_of(request.kind).check_seen(request, seen)
    with transaction.atomic():
        locked = _locked(request.pk)
        place = permissions.check_decide(locked, by, at)
        check_still_possible(locked)
        changed = _compare(locked, seen, plan_digest)
        if changed is not None:
            _ask_again(locked, changed, by, at)
        else:
            _decided(locked, place, "approve", note, plan_digest, by, at)
            _advance(locked, place, by, at)
    if changed is not None:
        raise PlanChanged(changed)
    return locked


def _compare(request: Request, seen: Plan, plan_digest: str) -> Plan | None:
    """None if this person, and all who approved before, saw what would happen now; else the newest plan, stored if it
    is new. No network here."""
    list(Bundle.objects.select_for_update(of=("self",)).filter(owner__in=seen.base_revisions).order_by("pk"))
    now = planning.again(request, seen)
    if now.digest == plan_digest and all(one.plan_digest == now.digest for one in _given(request)):
        return None
    newest = queries.newest_plan(request)
    if newest is not None and newest.digest == now.digest:
        return newest
    return planning.keep(now, newest.number + 1 if newest else 1)


def _approvals(request: Request) -> QuerySet[Decision]:
    """The approvals that count."""
    return request.decisions.filter(verdict="approve", voided_at__isnull=True)


def _given(request: Request) -> list[Decision]:
    """The approvals that counted when the request was locked; nobody adds to them until it is free."""
    return [one for one in request.decisions.all() if one.verdict == "approve" and one.voided_at is None]


def _ask_again(request: Request, plan: Plan, by: User, at: datetime) -> None:
    """Everybody decides anew on the plan that has come: earlier approvals were given to another one."""
    voided = _approvals(request).exclude(plan_digest=plan.digest).update(voided_at=at)
    if voided:
        rounds.start_over(request, at)
    elif plan.observed_at != at:
        # Nothing is new: the person was behind, and looks at the stored plan now.
        return
    audit.record(
        actor=by,
        action="request.plan-changed",
        subject=f"request:{request.number}",
        tenant=request.tenant_code,
        after={"plan": plan.digest, "approvals_voided": voided},
        at=at,
    )


@transaction.atomic
def _refuse(number: int, verdict: str, note: str, plan_digest: str, by: User, at: datetime) -> Request:
    """Rejects, or sends back to who asked, who has the request until it is edited; what it holds stays held."""
    locked = _locked(number)
    place = permissions.check_decide(locked, by, at)
    _decided(locked, place, verdict, note, plan_digest, by, at)
    state = {"reject": "rejected", "send_back": "sent_back"}[verdict]
    Step.objects.filter(pk=place.step.pk).update(state=state, closed_at=at)
    if verdict == "reject":
        closing.close(locked, "reject", by=by, at=at)
        notices.rejected(locked, by, note, at)
        return locked
    locked.state = machine.after(locked.state, verdict)
    locked.save(update_fields=["state"])
    rounds.end(locked, at)
    rounds.set_clock(locked, at, rounds.ASKER_HOURS)
    notices.sent_back(locked, by, note, at)
    notices.announce(locked, "request.changes_requested", at)
    families.follow(locked, at)
    return locked


def _locked(pk: int) -> Request:
    return (
        Request.objects.select_for_update(of=("self",))
        .select_related("tenant", "asker", "cluster", "policy")
        .prefetch_related("decisions")
        .get(pk=pk)
    )


def _decided(request: Request, place: Place, verdict: str, note: str, digest: str, by: User, at: datetime) -> None:
    Decision.objects.create(
        request=request,
        step=place.step,
        by=by,
        principal=place.principal,
        speaker_id=by.principal_id,
        verdict=verdict,
        note=note,
        plan_digest=digest[:64],
        at=at,
    )
    after = {"verdict": verdict, "step": place.step.group.slug, "note": note, "plan": digest[:64]}
    if place.principal.pk != by.principal_id:
        after["in_place_of"] = place.principal.username
    audit.record(
        actor=by,
        action=f"request.{verdict.replace('_', '-')}-step",
        subject=f"request:{request.number}",
        tenant=request.tenant_code,
        before={"state": request.state},
        after=after,
        at=at,
    )


def _advance(request: Request, place: Place, by: User, at: datetime) -> None:
    """Closes the step once enough people approved; then the next one, or the request itself."""
    # This one, which was just written, and those before it.
    if 1 + sum(one.step_id == place.step.pk for one in _given(request)) < place.step.minimum:
        notices.decided_by(request, [by.owner or by, place.principal], at)
        return
    Step.objects.filter(pk=place.step.pk).update(state="approved", closed_at=at)
    if not rounds.start_next(request, at):
        approve(request, by=by, at=at)
