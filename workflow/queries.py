"""Reading requests: only ever what a person may see."""

from django.db import models
from django.db.models import Prefetch, Q

from accounts.models import ApproverGroup, User
from workflow.models import Decision, Plan, Policy, Request, Step


def requests_visible_to(user: User) -> models.QuerySet[Request]:
    """Requests of the person's tenants and their own; approvers, auditors and administrators see all."""
    rows = Request.objects.select_related("tenant", "asker", "bundle", "cluster", "policy").prefetch_related(
        Prefetch("steps", Step.objects.select_related("group"))
    )
    if user.sees_all_tenants:
        return rows
    # The model above this room is reached by name, not by import.
    tenants = Request._meta.get_field("tenant").related_model._default_manager
    mine = tenants.filter(memberships__subject__in=user.subjects).values("pk")
    return rows.filter(Q(tenant__in=mine) | Q(asker=user) | Q(asker__owner=user))


def inbox_of(user: User) -> models.QuerySet[Request]:
    """Open requests whose current step waits for one of this person's groups, oldest first, without their own."""
    waiting = Step.objects.filter(state="current", group__slug__in=user.approver_slugs).values("request")
    person = user.principal_id
    decided = Decision.objects.filter(principal=person, voided_at__isnull=True).values("request")
    own = Q(asker=person) | Q(asker__owner=person)
    return requests_visible_to(user).filter(pk__in=waiting).exclude(own).exclude(pk__in=decided).order_by("id")


def decisions_of(request: Request) -> models.QuerySet[Decision]:
    """What was said on a request the caller may see, oldest first."""
    return request.decisions.select_related("by", "step__group")


def newest_plan(request: Request) -> Plan:
    """The last look at what the request would change; every request has one from its submission on."""
    return request.plans.order_by("-number")[0]


def policy_for(kind: str, environment: str) -> Policy | None:
    """The policy that says who decides: the lowest priority number among those that fit."""
    return Policy.objects.filter(kind__in=["", kind], environment__in=["", environment]).first()


def group_names(policy: Policy) -> list[str]:
    """Names of the groups that decide under the policy, in order, in the reader's language."""
    groups = {group.slug: group.name for group in ApproverGroup.objects.all()}
    return [groups.get(step["group"], step["group"]) for step in policy.steps]
