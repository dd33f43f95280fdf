"""Changing what was asked for, before it is decided or after it was sent back: the steps start anew."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from web.errors import Invalid, NotFound
from web.etags import IfMatch
from workflow import machine, permissions, queries, tags
from workflow.kinds import Kind, Target, kind_of
from workflow.models import EarlierValues, Plan, Request
from workflow.services import closing, families, planning, rounds
from workflow.services.submit import begin, busy, checked_values, fill, hold_and_choose, looked, take_targets


def edit(*, number: int, values: object, by: User, at: datetime, if_match: IfMatch | None = None) -> Request:
    """Replaces the values of an open request of one's own, if it is still in one of the states of `if_match`
    (tags.of_request). Raises NotFound, NotYours, AlreadyClosed, Stale and what `submit` raises; the rights are those of
    who asked, also where the owner of a service account edits."""
    request = queries.requests_visible_to(by).filter(pk=number).first()
    if request is None:
        raise NotFound(_("There is no such request."))
    permissions.check_edit(request, by)
    if if_match:
        # Before the cluster is asked for nothing; once more under the lock.
        if_match.check(tags.of_request(request))
    asked = kind_of(request.kind)
    checked = checked_values(asked, values, request.asker)
    if len(asked.parts(checked)) != 1:
        raise Invalid(_("One environment is one request; please ask for the others separately."))
    target = asked.edited_target(checked, request)
    # The draft is looked at as what it will be; the row itself is read again under its lock.
    draft = _drafted(request, checked, target)
    plan = looked(asked, draft, at)
    try:
        return _replace(request, draft, target, plan, asked, by, at, if_match)
    except IntegrityError as error:
        raise busy(error) from error


def _drafted(request: Request, values: dict[str, object], target: Target) -> Request:
    draft = Request(
        pk=request.pk,
        uid=request.uid,
        parent_id=request.parent_id,
        kind=request.kind,
        state=machine.SUBMITTED,
        round=request.round + 1,
        asker=request.asker,
        idempotency_key=request.idempotency_key,
        wish_digest=request.wish_digest,
        submitted_at=request.submitted_at,
    )
    fill(draft, values, target)
    # Until another one is chosen under the lock.
    draft.policy_id = request.policy_id
    return draft


@transaction.atomic
def _replace(
    request: Request,
    draft: Request,
    target: Target,
    plan: Plan,
    asked: Kind,
    by: User,
    at: datetime,
    if_match: IfMatch | None,
) -> Request:
    rows = Request.objects.select_for_update(of=("self",)).select_related("tenant", "asker", "policy")
    locked = rows.get(pk=request.pk)
    permissions.check_edit(locked, by)
    if if_match:
        if_match.check(tags.of_request(locked))
    if locked.round != request.round:
        raise permissions.AlreadyClosed(_("Somebody changed this request meanwhile. Please look at it again."))
    before = {"state": locked.state, "values": locked.values, "policy": locked.policy_id}
    EarlierValues.objects.create(
        request=locked,
        round=locked.round,
        values=locked.values,
        was_sent_back=locked.state == machine.CHANGES_REQUESTED,
        replaced_at=at,
    )
    draft.state = machine.after(locked.state, "edit")
    rounds.end(locked, at)
    locked.decisions.filter(voided_at__isnull=True).update(voided_at=at)
    closing.free_targets(locked)
    asked.on_close(locked, at)
    draft.save(force_update=True)
    families.follow(draft, at)
    take_targets(draft, target)
    newest = queries.newest_plan(locked)
    planning.keep(plan, (newest.number if newest else 0) + 1)
    hold_and_choose(draft, at)
    assert draft.policy is not None
    audit.record(
        actor=by,
        action="request.edit",
        subject=f"request:{draft.number}",
        tenant=draft.tenant_code,
        before=before,
        after={"state": draft.state, "values": draft.values, "policy": draft.policy.slug, "round": draft.round},
        at=at,
    )
    begin(draft, at)
    return draft
