"""Reading requests: only ever what a person may see."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, Func, Prefetch, Q
from django.db.models.functions import Now

from accounts.models import ApproverGroup, User
from clusters.models import BundleRevision
from workflow import authority
from workflow.models import Comment, Decision, Delegation, EarlierValues, Outcome, Plan, Policy, Request, Step

# What a page about one request shows of its bundles.
OBJECTS = "outcomes__bundle__objects_kept"


# What one line of a list says of a request, its steps and its bundles. All else stays in the database: values, facts
# and plans are large, and how clusters are reached is not for pages.
_LINE = (
    *("kind", "state", "round", "title", "environment", "submitted_at", "closed_at", "parent", "policy"),
    *("tenant__code", "tenant__name_zh", "tenant__name_en", "cluster__name", "policy__slug"),
    *("asker__username", "asker__display_name", "asker__owner"),
)
_LINE_STEP = (
    *("request", "round", "position", "minimum", "state", "due_at", "closed_at"),
    *("group__slug", "group__name_zh", "group__name_en"),
)
_LINE_BUNDLE = (
    *("generation", "observed_generation", "blocked", "attempts", "lease_owner", "message", "committed"),
    *("cluster__driver", "cluster__observer_address"),
)


def requests_visible_to(user: User) -> models.QuerySet[Request]:
    """Requests of the person's tenants and their own; approvers, auditors and administrators see all."""
    rows = Request.objects.select_related("tenant", "asker", "cluster", "policy").prefetch_related(
        Prefetch("steps", Step.objects.select_related("group")),
        Prefetch("outcomes", Outcome.objects.select_related("bundle__cluster")),
    )
    if user.sees_all_tenants:
        return rows
    # The model above this room is reached by name, not by import.
    tenants = Request._meta.get_field("tenant").related_model._default_manager
    mine = tenants.filter(memberships__subject__in=user.subjects).values("pk")
    # Who stands in for an approver reads what approvers read, for as long as that lasts.
    deciding = [role for role in settings.ROLE_GROUPS if role != "auditor"]
    standing_in = Exists(authority.delegations_to(user, Now()).filter(by__roles__overlap=deciding))
    return rows.filter(Q(tenant__in=mine) | Q(asker=user) | Q(asker__owner=user) | standing_in)


def as_lines(requests: models.QuerySet[Request]) -> models.QuerySet[Request]:
    """Of the requests only what one line of a list needs, with steps and outcomes."""
    outcomes = Outcome.objects.select_related("bundle__cluster").only(
        "request", "revision", *(f"bundle__{name}" for name in _LINE_BUNDLE)
    )
    return (
        requests.select_related(None)
        .select_related("tenant", "asker", "cluster", "policy")
        .only(*_LINE)
        .prefetch_related(None)
        .prefetch_related(
            Prefetch("steps", Step.objects.select_related("group").only(*_LINE_STEP)), Prefetch("outcomes", outcomes)
        )
    )


def top_level(requests: models.QuerySet[Request]) -> models.QuerySet[Request]:
    """What was asked in one go, as lines: parents and single requests, with the children of parents."""
    children = as_lines(Request.objects.order_by("id"))
    return as_lines(requests.filter(parent__isnull=True)).prefetch_related(Prefetch("children", children))


def children_of(request: Request, user: User) -> models.QuerySet[Request]:
    """The requests of a parent, in the order in which they were asked."""
    return requests_visible_to(user).filter(parent=request).order_by("id")


def inbox_of(user: User, at: datetime) -> models.QuerySet[Request]:
    """Open requests whose current step waits for this person, by their own groups or in somebody's place; without
    their own, oldest first."""
    return requests_visible_to(user).filter(authority.waiting_for(user, at)).order_by("id")


def decisions_of(request: Request) -> models.QuerySet[Decision]:
    """What was said on a request the caller may see, oldest first."""
    return request.decisions.select_related("by", "principal", "step__group")


def revisions_of(request: Request) -> models.QuerySet[BundleRevision, tuple[int, datetime | None, int]]:
    """(bundle id, when the cluster first had it, how many objects) of each revision that the request made wanted."""
    mine = BundleRevision.objects.filter(
        bundle__outcomes__request=request, number=F("bundle__outcomes__revision")
    ).order_by("bundle")
    size = Func(F("objects_wanted"), function="jsonb_array_length", output_field=models.IntegerField())
    return mine.values_list("bundle_id", "agreed_at", size)


def comments_of(request: Request) -> models.QuerySet[Comment]:
    """What was said beside the decisions on a request the caller may see, oldest first."""
    return request.comments.select_related("by")


def earlier_values_of(request: Request) -> models.QuerySet[EarlierValues]:
    """What was asked for in the rounds of a request the caller may see that are over, oldest first."""
    return EarlierValues.objects.filter(request=request).order_by("round")


def newest_plan(request: Request) -> Plan | None:
    """The last look at what the request would change; every request but a parent has one from its submission on."""
    return request.plans.order_by("-number").first()


def policies_visible_to(user: User) -> models.QuerySet[Policy]:
    """Whoever is signed in may know who decides what; retired ones are for administrators and auditors."""
    if user.is_administrator or user.is_auditor:
        return Policy.objects.all()
    return Policy.objects.filter(is_active=True)


def group_names() -> dict[str, str]:
    """Names of the approver groups by slug, in the reader's language."""
    return {group.slug: group.name for group in ApproverGroup.objects.all()}


def delegations_visible_to(user: User) -> models.QuerySet[Delegation]:
    """One's own, given and held; administrators and auditors see all."""
    rows = Delegation.objects.select_related("by", "to")
    if user.is_administrator or user.is_auditor:
        return rows
    return rows.filter(Q(by=user) | Q(to=user))


def delegations_held_by(user: User, at: datetime) -> models.QuerySet[Delegation]:
    """The delegations by which the person decides for others at `at`."""
    return authority.delegations_to(user, at).select_related("by")
