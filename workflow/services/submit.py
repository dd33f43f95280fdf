"""Asking for something."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.idempotency import KeyReused, check_key
from accounts.models import User
from audit import services as audit
from clusters.drivers.base import DriverError
from clusters.rules import digest_of
from web.errors import Conflict, Forbidden, Invalid, UserError
from web.once import answers_kept
from workflow import machine, schema
from workflow.kinds import Kind, Target, kind_of
from workflow.models import OpenTarget, Plan, Request
from workflow.services import choosing, notices, planning, rounds
from workflow.services.approval import approve
from workflow.services.possible import check_still_possible
from workflow.unfinished import emptied

# The constraints of which a second one of the same name breaks whichever the database looks at first.
ONE_OF_A_NAME = (
    "workflow_opentarget_pkey",
    "tenants_project_name_unique",
    "tenants_project_namespace_unique",
    "tenants_tenant_code_key",
)


class TargetBusy(Conflict):
    """Another open request is about the same thing."""

    code = "target-busy"


def submit(*, kind: str, values: object, by: User, at: datetime, idempotency_key: str | None = None) -> Request:
    """Checks the wish, plans it, and puts it before those who decide; approved at once where the policy says so.

    A wish for several environments becomes a parent, which is the answer, and a child for each. A repeated
    `idempotency_key` of the same person answers the first request, if the wish is the same. Raises NotFound,
    Forbidden, Invalid (fields by JSON pointer), TargetBusy, KeyReused, NoPolicy, and what the kind raises.
    """
    if idempotency_key is not None:
        check_key(idempotency_key)
    wish = digest_of([kind, values])
    known = _repeated(by, idempotency_key, wish)
    if known is not None:
        return known
    with answers_kept():
        return _submitted(kind_of(kind), values, wish, by, at, idempotency_key)


def _submitted(asked: Kind, values: object, wish: str, by: User, at: datetime, idempotency_key: str | None) -> Request:
    checked = checked_values(asked, values, by)
    parts = asked.parts(checked)
    drafts = [drafted_part(asked, part, place, by, at) for place, part in enumerate(parts)]
    plans = [looked(asked, draft, at) for draft, _target in drafts]
    top = drafts[0][0] if len(drafts) == 1 else _parent_of([draft for draft, _target in drafts], checked)
    top.idempotency_key, top.wish_digest = idempotency_key, wish
    try:
        with transaction.atomic():
            if len(drafts) > 1:
                _save_parent(top, by, at)
            for (draft, target), plan in zip(drafts, plans, strict=True):
                draft.parent = top if len(drafts) > 1 else None
                _save(draft, target, plan)
            # Pools are locked in one order by everybody, whatever the order of environments.
            for draft, _target in sorted(drafts, key=lambda pair: pair[0].cluster_id or 0):
                hold_and_choose(draft, at)
            for draft, _target in drafts:
                _recorded(draft, by, at)
                begin(draft, at)
    except IntegrityError as error:
        return _lost_race(top, error)
    return top


def rehearse(*, kind: str, values: object, by: User, at: datetime) -> list[tuple[Request, Plan]]:
    """What `submit` would make of the wish, for each of its environments, with what it would change; nothing is stored,
    and nothing is held, so that it may be refused all the same a moment later. Raises what `submit` raises but for
    TargetBusy and KeyReused."""
    asked = kind_of(kind)
    parts = asked.parts(checked_values(asked, values, by))
    drafts = [drafted_part(asked, part, place, by, at)[0] for place, part in enumerate(parts)]
    for draft in drafts:
        choosing.choose(draft)
    return [(draft, looked(asked, draft, at)) for draft in drafts]


def checked_values(asked: Kind, values: object, by: User) -> dict[str, Any]:
    """What is asked for, checked by schema and kind; who may ask for nothing of the kind is told that instead.

    All problems come at once: of what the schema refuses the kind is shown nothing, and has its say about the rest.
    """
    if not asked.may_ask(by):
        raise Forbidden(_("You may not ask for this."))
    try:
        checked = schema.check(asked.schema, values)
    except Invalid as error:
        more = {} if "" in error.fields else _problems_beside(asked, values, error.fields, by)
        raise Invalid(error.sentence, more | error.fields) from error
    return asked.check(checked, by)


def _problems_beside(asked: Kind, values: object, errors: Mapping[str, str], by: User) -> dict[str, str]:
    """What the kind says of fields that the schema has nothing against."""
    try:
        asked.check(emptied(asked.schema, values, errors), by)
    except UserError as error:
        # What is said of the whole, such as that nothing would change, is true of whole values alone.
        found = error.fields if isinstance(error, Invalid) else {}
        wrong = {pointer.split("/")[1] for pointer in errors if pointer}
        # Of a list of objects each has its own; of everything else the schema has said enough.
        return {at: text for at, text in found.items() if at and (at.split("/")[1] not in wrong or at.count("/") > 2)}
    return {}


def drafted(asked: Kind, values: dict[str, Any], by: User, at: datetime, uid: str = "") -> tuple[Request, Target]:
    """A request that is not stored yet, and under no policy, and what it is about; `uid` is that of the stored one that
    it would take the place of."""
    uid = uid or str(uuid.uuid4())
    target = asked.target(values, uid)
    request = Request(uid=uid, kind=asked.slug, state=machine.after("", "submit"), asker=by, submitted_at=at)
    fill(request, values, target)
    return request, target


def drafted_part(
    asked: Kind, values: dict[str, Any], place: int, by: User, at: datetime, uid: str = ""
) -> tuple[Request, Target]:
    """As `drafted`; what is wrong with the part is said of its place in the whole."""
    try:
        return drafted(asked, values, by, at, uid)
    except Invalid as error:
        own = f"/{asked.parts_field}/0"
        fields = {
            f"/{asked.parts_field}/{place}{pointer.removeprefix(own)}" if pointer.startswith(own) else pointer: text
            for pointer, text in error.fields.items()
        }
        raise Invalid(error.sentence, fields) from error


def fill(request: Request, values: dict[str, Any], target: Target) -> None:
    """The request's columns from checked values and their target."""
    request.values = values
    request.tenant, request.environment, request.cluster = target.tenant, target.environment, target.cluster
    request.title, request.target = target.title, target.keys[0]


def looked(asked: Kind, request: Request, at: datetime) -> Plan:
    """What the request would change; raises Invalid with the cluster's sentence where it would be refused."""
    try:
        plan = planning.look(request, at)
    except DriverError as error:
        raise Invalid(_("The cluster would refuse this: %(reason)s") % {"reason": str(error.sentence)}) from error
    asked.check_seen(request, plan)
    return plan


def take_targets(request: Request, target: Target) -> None:
    """From now on no other request may be about the same; a second one breaks the database's constraint."""
    OpenTarget.objects.bulk_create(OpenTarget(key=key, request=request) for key in sorted(target.keys))


def _repeated(by: User, idempotency_key: str | None, wish: str) -> Request | None:
    """The request that was made with this key; raises KeyReused if it was about something else."""
    if idempotency_key is None:
        return None
    known = Request.objects.filter(asker=by, idempotency_key=idempotency_key).first()
    if known is not None and known.wish_digest != wish:
        raise KeyReused(known.number)
    return known


def _parent_of(children: list[Request], values: dict[str, Any]) -> Request:
    """The request that holds those of several environments together; it is decided by none but them."""
    first = children[0]
    return Request(
        kind=first.kind,
        state=first.state,
        tenant=first.tenant,
        title=", ".join(child.title for child in children)[:200],
        values=values,
        target=f"family:{first.uid}",
        asker=first.asker,
        submitted_at=first.submitted_at,
    )


def _save_parent(parent: Request, by: User, at: datetime) -> None:
    parent.save(force_insert=True)
    _recorded(parent, by, at)


def _save(request: Request, target: Target, plan: Plan) -> None:
    request.save(force_insert=True)
    take_targets(request, target)
    planning.keep(plan, 1)


def hold_and_choose(request: Request, at: datetime) -> None:
    """Holds what a stored request needs, and only then chooses the policy: with its targets taken and its pools locked
    the facts are true until the end of the transaction, and what was held before it in the same moment counts."""
    kind_of(request.kind).on_submit(request, at)
    choosing.choose(request)
    request.save(update_fields=["facts", "policy", "policy_problem"])


def _recorded(request: Request, by: User, at: datetime) -> None:
    audit.record(
        actor=by,
        action="request.submit",
        subject=f"request:{request.number}",
        tenant=request.tenant_code,
        after={
            "kind": request.kind,
            "title": request.title,
            "values": request.values,
            "policy": request.policy.slug if request.policy else None,
            "parent": request.parent_id,
        },
        at=at,
    )


def begin(request: Request, at: datetime) -> None:
    """Puts a stored request before those who decide, or approves it where its policy does."""
    assert request.policy is not None
    notices.announce(request, "request.submitted", at)
    rounds.begin(request, request.policy, at)
    if not request.policy.steps:
        check_still_possible(request)
        approve(request, by=None, at=at)


def _lost_race(request: Request, error: IntegrityError) -> Request:
    """Two submissions met in the database: the same one twice, or two about one thing."""
    known = _repeated(request.asker, request.idempotency_key, request.wish_digest)
    if known is not None:
        return known
    raise busy(error) from error


def busy(error: IntegrityError) -> Exception:
    """TargetBusy if the error says that something is there already, else the error itself."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint in ONE_OF_A_NAME:
        return TargetBusy(_("There is already an open request about this, or the name is taken."))
    return error
