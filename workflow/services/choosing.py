"""Which policy says who decides a request: the first whose condition fits its facts."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from web.sentences import Sentence
from workflow import cel
from workflow.kinds import kind_of
from workflow.models import Policy, Request
from workflow.services.rounds import NoPolicy

Facts = Mapping[str, str | int | bool]


class Choice(NamedTuple):
    """The policy that fits, and why a person decides although another one might have (None: nothing went wrong)."""

    policy: Policy | None
    problem: Sentence | None


def choose(request: Request) -> None:
    """Sets facts and policy of a request that is being submitted, as policies are now. Raises NoPolicy."""
    request.facts = facts_of(request)
    chosen = fitting(Policy.objects.filter(is_active=True), request.kind, request.facts)
    if chosen.policy is None:
        raise NoPolicy(_("No policy says who decides this. Please tell the platform's administrators."))
    request.policy = chosen.policy
    request.policy_problem = chosen.problem.stored() if chosen.problem else None


def facts_of(request: Request) -> dict[str, str | int | bool]:
    """What policies may ask about (workflow.facts): the common facts, and those of the kind."""
    common: dict[str, str | int | bool] = {
        "kind": request.kind,
        "tenant": request.tenant_code,
        "environment": request.environment,
        "cluster": request.cluster.name if request.cluster else "",
        "asker.username": request.asker.username,
        "asker.is_administrator": request.asker.is_administrator,
        "asker.is_service_account": request.asker.owner_id is not None,
    }
    return common | kind_of(request.kind).policy_facts(request)


def fitting(policies: Iterable[Policy], kind: str, facts: Facts) -> Choice:
    """The first by priority whose kind and condition fit. After a condition that cannot be evaluated, because it asks
    for a fact that this kind has not or for another reason, a person decides: policies further down that approve by
    themselves are passed over, and the portal's own catch-all is the last of those that ask somebody."""
    problem: Sentence | None = None
    for policy in sorted(policies, key=lambda policy: policy.priority):
        if policy.kind not in ("", kind) or (problem is not None and not policy.steps):
            continue
        try:
            if cel.holds(policy.condition, facts):
                return Choice(policy, problem)
        except cel.Unevaluable as error:
            text = gettext_noop("The policy %(policy)s could not be evaluated, so a person decides: %(reason)s")
            problem = problem or Sentence(text, {"policy": policy.slug, "reason": str(error)[:300]})
    return Choice(None, problem)
