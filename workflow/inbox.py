"""What waits for a person's decision as one query: how long it may still wait, how risky it is, narrowed and sorted."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast

from django.db import models
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    FilteredRelation,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan
from django.utils.translation import gettext as _

from web.errors import Conflict
from workflow.kinds import all_kinds, kind_of
from workflow.models import Plan, Request, Step
from workflow.narrowing import RISKS, Wanted, narrowed

# `risk` of a row is the place in here.
LOW, MEDIUM, HIGH = LEVELS = RISKS
SOON = timedelta(hours=24)
PAGE = 50
# Resources of which a tenant's budget may run short.
_BUDGET = ("cpu", "memory", "storage")
# From these on a request takes so much that somebody should look twice: millicores, bytes.
_LARGE = {"cpu": 8000, "memory": 16 * 1024**3}


class Weights(TypedDict):
    """What `weighed` adds to a request."""

    present: Any
    due_at: datetime
    plan_digest: str
    plan_problem: dict[str, Any] | None
    plan_changes: list[dict[str, Any]] | None
    risk: int
    total: int


if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    Weighed = WithAnnotations[Request, Weights]
else:
    Weighed = Request


class OneByOne(Conflict):
    """The request is too risky to be decided together with others."""

    code = "one-by-one"


def weighed(inbox: models.QuerySet[Request]) -> models.QuerySet[Weighed]:
    """The rows of queries.inbox_of with `due_at` (of the current step), `plan_digest`, `plan_problem`, `plan_changes`
    (of the newest plan), `risk` (place in LEVELS) and `total` (of rows, whatever the page), with steps prefetched.

    High: production loses something, a policy changes, or the cluster could not be asked. Medium: production, something
    goes elsewhere, a policy that could not be evaluated, much is taken, or a budget has less left than this takes.
    """
    newest = Plan.objects.filter(request=OuterRef("pk")).order_by("-number")
    found = (
        inbox.order_by()
        .prefetch_related(None)
        .prefetch_related(Prefetch("steps", Step.objects.select_related("group")))
    )
    found = found.annotate(
        present=FilteredRelation("steps", condition=Q(steps__state="current")),
        due_at=F("present__due_at"),
        plan_digest=Subquery(newest.values("digest")[:1]),
        plan_problem=Subquery(newest.values("problem")[:1]),
        plan_changes=Subquery(newest.values("changes")[:1]),
    )
    # Counted with the rows, in one query.
    counted = found.annotate(risk=_weight(), total=Window(Count("pk")))
    return cast("models.QuerySet[Weighed]", counted)


def _weight() -> Case:
    high = Q(plan_problem__isnull=False) | Q(plan_changes__contains=[{"alteration": True, "ref": {"kind": "Policy"}}])
    removing = Q(kind__in=[slug for slug, kind in all_kinds().items() if kind.removes])
    high |= Q(environment="prod") & (removing | Q(plan_changes__contains=[{"action": "remove"}]))
    medium = Q(environment="prod") | removing | Q(policy_problem__isnull=False)
    for resource, least in _LARGE.items():
        medium |= Q(GreaterThanOrEqual(Cast(KT(f"facts__delta.{resource}"), BigIntegerField()), Value(least)))
    for resource in _BUDGET:
        left = Cast(KT(f"facts__left.{resource}"), BigIntegerField())
        rise = Cast(KT(f"facts__delta.{resource}"), BigIntegerField())
        medium |= Q(LessThan(left, rise)) & Q(GreaterThan(rise, Value(0)))
    weights = [When(high, then=Value(LEVELS.index(HIGH))), When(medium, then=Value(LEVELS.index(MEDIUM)))]
    return Case(*weights, default=Value(LEVELS.index(LOW)))


def shown_rows(
    inbox: models.QuerySet[Request], wanted: Wanted, at: datetime, page: int = 1, size: int = PAGE
) -> tuple[list[Weighed], int]:
    """(the rows of a page, how many fit in all) of queries.inbox_of; pages count from 1, and one beyond the last has
    neither."""
    found = narrowed(weighed(inbox), wanted)
    if wanted.group:
        found = found.filter(present__group__slug=wanted.group)
    if wanted.risk:
        found = found.filter(risk=LEVELS.index(wanted.risk))
    if wanted.age == "overdue":
        found = found.filter(due_at__lte=at)
    elif wanted.age == "soon":
        found = found.filter(due_at__lte=at + SOON)
    order = {"age": ["pk"], "risk": ["-risk", "due_at", "pk"]}.get(wanted.order, ["due_at", "pk"])
    start = (page - 1) * size
    rows = list(found.order_by(*order)[start : start + size])
    return rows, rows[0].total if rows else 0


class Totals(NamedTuple):
    """How much of an inbox there is, is due within SOON, and is of high risk."""

    total: int
    urgent: int
    high: int


def first_rows(inbox: models.QuerySet[Request], at: datetime, size: int) -> tuple[list[Weighed], Totals]:
    """(what is due first, how much there is in all) of queries.inbox_of, in one query beside the steps."""
    found = weighed(inbox).annotate(
        urgent=Window(Count("pk", filter=Q(present__due_at__lte=at + SOON))),
        high=Window(Count("pk", filter=Q(risk=LEVELS.index(HIGH)))),
    )
    rows = list(found.order_by("due_at", "pk")[:size])
    totals = Totals(rows[0].total, rows[0].urgent, rows[0].high) if rows else Totals(0, 0, 0)
    return cast("list[Weighed]", rows), totals


def first_due(inbox: models.QuerySet[Request]) -> int | None:
    """The number of the request of queries.inbox_of that is due first."""
    current = FilteredRelation("steps", condition=Q(steps__state="current"))
    ordered = inbox.order_by().annotate(present=current).order_by("present__due_at", "pk")
    return ordered.values_list("pk", flat=True).first()


def facets(inbox: models.QuerySet[Request], at: datetime) -> list[dict[str, Any]]:
    """What the whole inbox consists of, to choose filters from: [{kind, tenant__code, tenant__name_zh, tenant__name_en,
    present__group__slug, present__group__name_zh, present__group__name_en, count, urgent}]."""
    rows = (
        inbox.order_by()
        .annotate(present=FilteredRelation("steps", condition=Q(steps__state="current")))
        .values(
            "kind",
            "tenant__code",
            "tenant__name_zh",
            "tenant__name_en",
            "present__group__slug",
            "present__group__name_zh",
            "present__group__name_en",
        )
        .annotate(count=Count("pk"), urgent=Count("pk", filter=Q(present__due_at__lte=at + SOON)))
        .order_by("tenant__code", "present__group__slug", "kind")
    )
    return [dict(row) for row in rows]


def is_budget_short(facts: Mapping[str, Any]) -> bool:
    """Whether less would be left of the tenant's budget than the request takes of it."""
    for resource in _BUDGET:
        left, rise = facts.get(f"left.{resource}"), facts.get(f"delta.{resource}", 0)
        if left is not None and rise > 0 and left < rise:
            return True
    return False


def is_large(facts: Mapping[str, Any]) -> bool:
    """Whether the request takes very much at once."""
    return any(facts.get(f"delta.{resource}", 0) >= least for resource, least in _LARGE.items())


def locked_reason(request: Weighed) -> str:
    """Why a row of `weighed` has to be looked at by itself, "" where it may be decided together with others."""
    changes = request.plan_changes or []
    if request.plan_problem is not None:
        return _("The cluster could not be asked")
    if any(change.get("alteration") and change["ref"]["kind"] == "Policy" for change in changes):
        return _("Changes who decides")
    removes = kind_of(request.kind).removes or any(change["action"] == "remove" for change in changes)
    if request.environment == "prod" and removes:
        return _("Removes something in production")
    return ""


def locked(inbox: models.QuerySet[Request], numbers: Iterable[int]) -> dict[int, OneByOne]:
    """Which of these requests of queries.inbox_of have to be decided by themselves, with what to say about it."""
    found = weighed(inbox).filter(pk__in=list(numbers), risk=LEVELS.index(HIGH))
    return {
        one.number: OneByOne(_("Please decide this one by itself: %(reason)s.") % {"reason": locked_reason(one)})
        for one in found
    }
