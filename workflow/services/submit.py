"""Asking for something."""

import re
import uuid
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import ApproverGroup, User
from audit import services as audit
from clusters.drivers.base import DriverError
from clusters.rules import digest_of
from web.errors import Conflict, Forbidden, Invalid, UserError
from workflow import machine, queries, schema
from workflow.kinds import Kind, Target, kind_of
from workflow.models import Policy, Request, Step
from workflow.services import planning
from workflow.services.approval import approve

# The constraints of which a second one of the same name breaks whichever the database looks at first.
ONE_OF_A_NAME = (
    "workflow_request_one_open_per_target",
    "tenants_project_name_unique",
    "tenants_project_namespace_unique",
)
# Printable ASCII, as long as the column.
KEY = re.compile(r"[ -~]{1,64}")


class TargetBusy(Conflict):
    """Another open request is about the same thing."""

    code = "target-busy"


class KeyReused(Conflict):
    """The same idempotency key was sent with another wish."""

    code = "idempotency-key-reused"


class NoPolicy(UserError):
    """No policy says who decides; the platform's administrators have to add one."""

    status = 503
    code = "no-policy"


def submit(*, kind: str, values: object, by: User, at: datetime, idempotency_key: str | None = None) -> Request:
    """Checks the wish, plans it, and puts it before those who decide; approved at once where the policy says so.

    A repeated `idempotency_key` of the same person answers the first request, if the wish is the same. Raises NotFound,
    Forbidden, Invalid (fields by JSON pointer), TargetBusy, KeyReused, NoPolicy.
    """
    _check_key(idempotency_key)
    wish = digest_of([kind, values])
    known = _repeated(by, idempotency_key, wish)
    if known is not None:
        return known
    asked = kind_of(kind)
    uid = uuid.uuid4()
    checked, target = _checked(asked, values, uid, by)
    policy = queries.policy_for(kind, target.environment)
    if policy is None:
        raise NoPolicy(_("No policy says who decides this. Please tell the platform's administrators."))
    request = _draft(asked, checked, target, uid, policy, by, at)
    request.idempotency_key, request.wish_digest = idempotency_key, wish
    try:
        seen = planning.look(request, target.owner)
    except DriverError as error:
        raise Invalid(_("The cluster would refuse this: %(reason)s") % {"reason": str(error.sentence)}) from error
    try:
        with transaction.atomic():
            _save(request, policy, by, at)
            planning.keep(request, 1, seen, at)
            if not policy.steps:
                approve(request, by=None, at=at)
    except IntegrityError as error:
        return _lost_race(request, error)
    return request


def _checked(asked: Kind, values: object, uid: uuid.UUID, by: User) -> tuple[dict[str, Any], Target]:
    """What is asked for and what it is about; who may ask for nothing of the kind is told that instead of details."""
    try:
        checked = asked.check(schema.check(asked.schema, values), by)
        return checked, asked.target(checked, str(uid))
    except Invalid:
        if not asked.may_ask(by):
            raise Forbidden(_("You may not ask for this: you belong to no tenant as owner or developer.")) from None
        raise


def _check_key(idempotency_key: str | None) -> None:
    if idempotency_key is None or KEY.fullmatch(idempotency_key):
        return
    raise Invalid(_("The Idempotency-Key is not valid."), {"": _("At most 64 printable ASCII characters.")})


def _repeated(by: User, idempotency_key: str | None, wish: str) -> Request | None:
    """The request that was made with this key; raises KeyReused if it was about something else."""
    if idempotency_key is None:
        return None
    known = Request.objects.filter(asker=by, idempotency_key=idempotency_key).first()
    if known is not None and known.wish_digest != wish:
        raise KeyReused(_("This Idempotency-Key was used for another request: #%(number)s.") % {"number": known.number})
    return known


def _draft(
    asked: Kind,
    values: dict[str, Any],
    target: Target,
    uid: uuid.UUID,
    policy: Policy,
    by: User,
    at: datetime,
) -> Request:
    return Request(
        uid=uid,
        kind=asked.slug,
        state=machine.after("", "submit"),
        tenant=target.tenant,
        environment=target.environment,
        title=target.title,
        values=values,
        target=target.key,
        cluster=target.cluster,
        asker=by,
        policy=policy,
        submitted_at=at,
    )


def _save(request: Request, policy: Policy, by: User, at: datetime) -> None:
    """The request with its steps copied from the policy, so that later changes of the policy do not move it."""
    request.save(force_insert=True)
    groups = {group.slug: group for group in ApproverGroup.objects.all()}
    for position, step in enumerate(policy.steps):
        Step.objects.create(
            request=request,
            position=position,
            group=_group_of(groups, step["group"]),
            minimum=step["minimum"],
            state="current" if position == 0 else "waiting",
        )
    audit.record(
        actor=by,
        action="request.submit",
        subject=f"request:{request.number}",
        tenant=request.tenant.code,
        after={"kind": request.kind, "title": request.title, "values": request.values, "policy": policy.slug},
        at=at,
    )


def _group_of(groups: dict[str, ApproverGroup], slug: str) -> ApproverGroup:
    """The policy's group; raises NoPolicy where it was never set up, since nobody could decide."""
    if slug not in groups:
        raise NoPolicy(_("The group that decides this is not set up. Please tell the platform's administrators."))
    return groups[slug]


def _lost_race(request: Request, error: IntegrityError) -> Request:
    """Two submissions met in the database: the same one twice, or two about one thing."""
    known = _repeated(request.asker, request.idempotency_key, request.wish_digest)
    if known is not None:
        return known
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint in ONE_OF_A_NAME:
        raise TargetBusy(_("There is already a request or a project of that name.")) from error
    raise error
