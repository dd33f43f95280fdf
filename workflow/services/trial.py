"""Trying a change of a policy against past requests: where they would have gone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Prefetch

from accounts.models import User
from web.sentences import Sentence
from workflow import queries
from workflow.kinds import kind_of
from workflow.models import Policy, Request, Step
from workflow.services import choosing
from workflow.services.policies import check_change, defined_by
from workflow.services.submit import checked_values

DAYS = 90
MOST = 500


class Past(NamedTuple):
    """A request as it was decided about: `steps` are (group slug, minimum) of its last round, none for automatic."""

    number: int
    title: str
    kind: str
    facts: Mapping[str, str | int | bool]
    submitted_at: datetime
    policy: Policy | None
    steps: tuple[tuple[str, int], ...]


class Route(NamedTuple):
    """Where a request goes: `policy` None means that nobody could decide, `problem` why a person decides after all."""

    policy: Policy | None
    steps: tuple[tuple[str, int], ...]
    problem: Sentence | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether no person decides."""
        return self.policy is not None and not self.steps


class Row(NamedTuple):
    """One past request: where it went, where it would go by the policies of today, and where after the change."""

    past: Past
    went_to: Route
    goes_now: Route
    would_go_to: Route

    @property
    def is_changed(self) -> bool:
        """Whether the change alters who decides."""
        now, then = self.goes_now, self.would_go_to
        return now.steps != then.steps or (now.policy is None) != (then.policy is None)


@dataclass(frozen=True)
class Trial:
    """What a change of a policy would have done to past requests, newest first."""

    rows: Sequence[Row]

    @property
    def changed(self) -> list[Row]:
        """Those that other people would decide."""
        return [row for row in self.rows if row.is_changed]

    @property
    def automatic_before(self) -> int:
        """How many nobody decides by the policies of today."""
        return sum(row.goes_now.is_automatic for row in self.rows)

    @property
    def automatic_after(self) -> int:
        """How many nobody would decide after the change."""
        return sum(row.would_go_to.is_automatic for row in self.rows)

    @property
    def newly_automatic(self) -> int:
        """How many people decide today, and nobody would after the change."""
        return sum(row.would_go_to.is_automatic and not row.goes_now.is_automatic for row in self.rows)

    @property
    def problems(self) -> int:
        """How many would fall to the catch-all because a condition could not be evaluated."""
        return sum(row.would_go_to.problem is not None for row in self.rows)


def try_policy(*, proposed: object, by: User, at: datetime, days: int = DAYS, most: int = MOST) -> Trial:
    """Tries a change that is not asked for yet: values of the kind "change-policy", checked as when they are asked for.
    Raises Forbidden, Invalid."""
    check_change(by)
    checked = checked_values(kind_of("change-policy"), proposed, by)
    return tried(values=checked, by=by, at=at, days=days, most=most)


def tried(*, values: Mapping[str, Any], by: User, at: datetime, days: int = DAYS, most: int = MOST) -> Trial:
    """Tries checked values against the last requests that `by` may see, in a few queries however many they are."""
    present = list(Policy.objects.filter(is_active=True))
    return compared(_past(by, at, days, most), present, applied(present, values))


def applied(policies: Iterable[Policy], values: Mapping[str, Any]) -> list[Policy]:
    """The policies as the change would leave them; rows of their own, which are never saved."""
    others = [policy for policy in policies if policy.slug != values["slug"]]
    definition = defined_by(values)
    return others if definition is None else [*others, Policy(slug=values["slug"], **definition)]


def compared(past: Iterable[Past], present: Sequence[Policy], proposed: Sequence[Policy]) -> Trial:
    """Each request under both sets of policies, on the facts that were known when it was asked for. No database."""
    return Trial([Row(one, Route(one.policy, one.steps), _route(present, one), _route(proposed, one)) for one in past])


def _route(policies: Sequence[Policy], past: Past) -> Route:
    chosen = choosing.fitting(policies, past.kind, past.facts)
    if chosen.policy is None:
        return Route(None, (), chosen.problem)
    steps = tuple((step["group"], step["minimum"]) for step in chosen.policy.steps)
    return Route(chosen.policy, steps, chosen.problem)


def _past(by: User, at: datetime, days: int, most: int) -> list[Past]:
    """What was decided about: single requests and children, since only they have a policy."""
    found = queries.requests_visible_to(by).filter(policy__isnull=False, submitted_at__gt=at - timedelta(days=days))
    steps = Prefetch("steps", Step.objects.select_related("group"))
    requests = found.prefetch_related(None).prefetch_related(steps).order_by("-id")[:most]
    return [
        Past(
            number=request.number,
            title=request.title,
            kind=request.kind,
            facts=request.facts,
            submitted_at=request.submitted_at,
            policy=request.policy,
            steps=_steps_of(request),
        )
        for request in requests
    ]


def _steps_of(request: Request) -> tuple[tuple[str, int], ...]:
    own = [step for step in request.steps.all() if step.round == request.round]
    return tuple((step.group.slug, step.minimum) for step in sorted(own, key=lambda step: step.position))
