"""Deciding a step of a request, on exactly the plan the person saw."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import planning as cluster_planning
from clusters.drivers.base import DriverError
from clusters.models import Bundle, Cluster
from web.errors import Conflict, Invalid, NotFound
from workflow import machine, permissions, queries, schema
from workflow.kinds import kind_of
from workflow.models import Decision, Plan, Request, Step
from workflow.services import planning
from workflow.services.approval import approve


class NotPossibleNow(Conflict):
    """What the request rests on has changed: its cluster, or who asked."""

    code = "not-possible-now"


class PlanChanged(Conflict):
    """What would happen is no longer what the person saw; `plan` is the new one, already stored."""

    code = "plan-changed"

    def __init__(self, plan: Plan) -> None:
        super().__init__(_("Something changed since you looked. Please decide on the new plan."))
        self.plan = plan


def decide(*, number: int, verdict: str, note: str, plan_digest: str, by: User, at: datetime) -> Request:
    """Approves or rejects the current step. Raises NotFound, NotYours, OwnRequest, AlreadyClosed, Invalid, PlanChanged.

    An approval looks at the cluster first (outside the transaction, 3 s), then renders again under the locks and
    compares digests. A rejection needs a note and no plan.
    """
    request = queries.requests_visible_to(by).filter(pk=number).first()
    if request is None:
        raise NotFound(_("There is no such request."))
    if verdict not in ("approve", "reject"):
        raise Invalid(_("Please choose."), {"/verdict": _("This is not one of the choices.")})
    _check_texts(note, plan_digest)
    permissions.check_decide(request, by)
    if verdict == "reject":
        return _reject(number, note, plan_digest, by, at)
    return _approve(request, note, plan_digest, by, at)


def _check_texts(note: str, plan_digest: str) -> None:
    """Raises Invalid for what no row could hold."""
    if len(note) > 2000:
        raise Invalid(_("The note is too long."), {"/note": _("At most %(limit)s characters.") % {"limit": 2000}})
    for pointer, text in (("/note", note), ("/plan_digest", plan_digest)):
        if not schema.is_printable(text):
            raise Invalid(_("The decision is not valid."), {pointer: _("Contains characters that cannot be shown.")})


def _approve(request: Request, note: str, plan_digest: str, by: User, at: datetime) -> Request:
    owner = kind_of(request.kind).target(request.values, str(request.uid)).owner
    try:
        seen = planning.look(request, owner)
    except DriverError as error:
        raise Conflict(_("The cluster would refuse this: %(reason)s") % {"reason": str(error.sentence)}) from error
    with transaction.atomic():
        locked = _locked(request.pk)
        step = permissions.check_decide(locked, by)
        changed = _compare(locked, owner, seen, plan_digest, at)
        if changed is not None:
            _ask_again(locked, changed, by, at)
        else:
            _decided(locked, step, "approve", note, plan_digest, by, at)
            _advance(locked, step, by, at)
    if changed is not None:
        raise PlanChanged(changed)
    return locked


def _compare(request: Request, owner: str, seen: cluster_planning.Plan, plan_digest: str, at: datetime) -> Plan | None:
    """None if this person, and all who approved before, saw what would happen now; else the new plan, stored.

    No network here. Raises NotPossibleNow.
    """
    list(Bundle.objects.select_for_update().filter(owner=owner, cluster=request.cluster_id))
    assert request.cluster_id is not None
    request.cluster = Cluster.objects.select_for_update().get(pk=request.cluster_id)
    _check_still_possible(request, request.cluster)
    base, _uid, _before = cluster_planning.base_of(request.cluster, owner)
    digest = cluster_planning.digest_of(base, planning.render(request), seen.changes)
    if digest == plan_digest and not _approvals(request).exclude(plan_digest=digest).exists():
        return None
    newest = queries.newest_plan(request)
    if newest.digest == digest:
        return newest
    now = cluster_planning.Plan(base, seen.changes, digest, seen.problem)
    return planning.keep(request, newest.number + 1, now, at)


def _check_still_possible(request: Request, cluster: Cluster) -> None:
    """Raises NotPossibleNow if the cluster no longer takes it or the asker may no longer ask for it."""
    if not cluster.is_active or request.environment not in cluster.environments:
        raise NotPossibleNow(_("The cluster %(name)s no longer takes this.") % {"name": cluster.name})
    if not request.asker.is_active or not kind_of(request.kind).may_still_ask(request):
        raise NotPossibleNow(_("%(who)s may no longer ask for this.") % {"who": request.asker})


def _approvals(request: Request) -> QuerySet[Decision]:
    """The approvals that count."""
    return request.decisions.filter(verdict="approve", voided_at__isnull=True)


def _ask_again(request: Request, plan: Plan, by: User, at: datetime) -> None:
    """Everybody decides anew on the plan that has come: earlier approvals were given to another one."""
    voided = _approvals(request).exclude(plan_digest=plan.digest).update(voided_at=at)
    if voided:
        request.steps.update(state="waiting", closed_at=None)
        request.steps.filter(position=0).update(state="current")
    elif plan.observed_at != at:
        # Nothing is new: the person was behind, and looks at the stored plan now.
        return
    audit.record(
        actor=by,
        action="request.plan-changed",
        subject=f"request:{request.number}",
        tenant=request.tenant.code,
        after={"plan": plan.digest, "approvals_voided": voided},
        at=at,
    )


@transaction.atomic
def _reject(number: int, note: str, plan_digest: str, by: User, at: datetime) -> Request:
    if not note.strip():
        raise Invalid(_("Please say why."), {"/note": _("Who asked needs to know the reason.")})
    locked = _locked(number)
    step = permissions.check_decide(locked, by)
    _decided(locked, step, "reject", note, plan_digest, by, at)
    Step.objects.filter(pk=step.pk).update(state="rejected", closed_at=at)
    locked.steps.filter(state="waiting").update(state="skipped", closed_at=at)
    locked.state, locked.closed_at = machine.after(locked.state, "reject"), at
    locked.save(update_fields=["state", "closed_at"])
    audit.record(
        actor=by,
        action="request.reject",
        subject=f"request:{number}",
        tenant=locked.tenant.code,
        before={"state": machine.SUBMITTED},
        after={"state": locked.state},
        at=at,
    )
    return locked


def _locked(pk: int) -> Request:
    return (
        Request.objects.select_for_update(of=("self",))
        .select_related("tenant", "asker", "cluster", "policy")
        .get(pk=pk)
    )


def _decided(request: Request, step: Step, verdict: str, note: str, digest: str, by: User, at: datetime) -> None:
    Decision.objects.create(
        request=request,
        step=step,
        by=by,
        principal_id=by.principal_id,
        verdict=verdict,
        note=note,
        plan_digest=digest[:64],
        at=at,
    )
    audit.record(
        actor=by,
        action=f"request.{verdict}-step",
        subject=f"request:{request.number}",
        tenant=request.tenant.code,
        before={"state": request.state},
        after={"verdict": verdict, "step": step.group.slug, "note": note, "plan": digest[:64]},
        at=at,
    )


def _advance(request: Request, step: Step, by: User, at: datetime) -> None:
    """Closes the step once enough people approved; then the next one, or the request itself."""
    if _approvals(request).filter(step=step).count() < step.minimum:
        return
    Step.objects.filter(pk=step.pk).update(state="approved", closed_at=at)
    following = request.steps.filter(state="waiting").order_by("position").first()
    if following is None:
        approve(request, by=by, at=at)
        return
    Step.objects.filter(pk=following.pk).update(state="current")
