"""Requests, the inbox and delegations as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from web.sentences import shown
from web.strict import StrictSerializer
from workflow import inbox
from workflow.models import Comment, Decision, Delegation, Plan, Request
from workflow.services.decide import VERDICTS


class NewRequestSerializer(StrictSerializer):
    """What to ask for; `values` follow the schema of the kind."""

    kind = serializers.SlugField(max_length=40)
    values = serializers.JSONField()


class ForeseeSerializer(NewRequestSerializer):
    """What might be asked for; `values` may be unfinished."""


class EditSerializer(StrictSerializer):
    """What is asked for instead, whole; `values` follow the schema of the request's kind."""

    values = serializers.JSONField()


class DecisionSerializer(StrictSerializer):
    """A decision on the current step, on the plan with this digest."""

    verdict = serializers.ChoiceField(choices=list(VERDICTS))
    note = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    plan_digest = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class StepSerializer(serializers.Serializer[Any]):
    """One approval the request needs; those of earlier rounds are over."""

    round = serializers.IntegerField()
    group = serializers.SlugField(source="group.slug")
    minimum = serializers.IntegerField()
    state = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class ProgressSerializer(serializers.Serializer[Any]):
    """How far the cluster agrees: queued, applying, retrying, blocked, committed or ready."""

    state = serializers.CharField()
    message = serializers.CharField(allow_blank=True)
    wanted_revision = serializers.IntegerField()
    observed_revision = serializers.IntegerField()
    commit = serializers.CharField(allow_blank=True)
    bundles = serializers.IntegerField(help_text="how many bundles the request changed")
    agreeing = serializers.IntegerField(help_text="how many of them the cluster agrees with")


class RequestSerializer(serializers.Serializer[Request]):
    """A request and where it stands."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    state = serializers.CharField()
    title = serializers.CharField()
    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]
    tenant = serializers.CharField(source="tenant.code", allow_null=True, default=None)
    environment = serializers.CharField()
    cluster = serializers.CharField(source="cluster.name", allow_null=True, default=None)
    asker = serializers.CharField(source="asker.username")
    policy = serializers.CharField(source="policy.slug", allow_null=True, default=None)
    round = serializers.IntegerField()
    submitted_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    steps = StepSerializer(many=True, source="steps.all")
    progress = ProgressSerializer(allow_null=True)


class ChangedBundleSerializer(serializers.Serializer[Any]):
    """A bundle that the request changed, and the revision that does it."""

    uid = serializers.UUIDField(source="bundle.uid")
    revision = serializers.IntegerField()


class RequestDetailSerializer(RequestSerializer):
    """A request with what was asked for, and why it is decided as it is."""

    values = serializers.JSONField()
    children = serializers.SerializerMethodField(help_text="numbers of its requests, one for each environment")
    bundles = ChangedBundleSerializer(many=True, source="outcomes.all")
    facts = serializers.JSONField(help_text="what the policies saw, by name")
    policy_condition = serializers.CharField(source="policy.condition", allow_null=True, default=None)
    policy_problem = serializers.SerializerMethodField()

    def get_children(self, found: Request) -> list[int]:
        """[] for all but a parent."""
        return [child.pk for child in found.children.all()] if found.policy_id is None else []

    def get_policy_problem(self, found: Request) -> str:
        """Why a person decides although another policy might have fitted, in the caller's language; "" if nothing
        went wrong."""
        return shown(found.policy_problem)


class RequestPageSerializer(serializers.Serializer[Any]):
    """A page of requests, newest first; `next` is the `after` of the following page, "" on the last."""

    items = RequestSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class RehearsedSerializer(serializers.Serializer[Any]):
    """What one part of a wish would be: what it would change, and who would have to decide it."""

    title = serializers.CharField()
    tenant = serializers.CharField(source="tenant.code", allow_null=True, default=None)
    environment = serializers.CharField(allow_blank=True)
    cluster = serializers.CharField(source="cluster.name", allow_null=True, default=None)
    values = serializers.JSONField()
    policy = serializers.CharField(source="policy.slug", allow_null=True, default=None)
    facts = serializers.JSONField(help_text="what the policies saw, by name")
    changes = serializers.JSONField(help_text="as in a plan")
    problem = serializers.CharField(allow_blank=True, help_text="why the live cluster was not asked, else empty")


class RehearsalSerializer(serializers.Serializer[Any]):
    """Each part of a wish that would be decided by itself."""

    items = RehearsedSerializer(many=True)


class PlanSerializer(serializers.Serializer[Plan]):
    """What the request would change; a decision names the digest."""

    number = serializers.IntegerField()
    base_revisions = serializers.DictField(child=serializers.IntegerField())
    digest = serializers.CharField()
    problem = serializers.SerializerMethodField()
    observed_at = serializers.DateTimeField()
    changes = serializers.JSONField()
    usage = serializers.DictField(child=serializers.CharField())

    def get_problem(self, plan: Plan) -> str:
        """Why the live cluster was not asked, in the caller's language; "" if it was."""
        return shown(plan.problem)


class CommentTextSerializer(StrictSerializer):
    """Something to say without deciding."""

    text = serializers.CharField(max_length=2000)


class CommentSerializer(serializers.Serializer[Comment]):
    """What somebody said; `by` is null for the portal itself, such as its reminders."""

    by = serializers.CharField(source="by.username", allow_null=True, default=None)
    text = serializers.SerializerMethodField()
    at = serializers.DateTimeField()

    def get_text(self, comment: Comment) -> str:
        """As it was written, or the portal's sentence in the caller's language."""
        return comment.text or shown(comment.sentence)


class GivenDecisionSerializer(serializers.Serializer[Decision]):
    """What was decided, by whom and in whose place; one that is voided counts no longer."""

    by = serializers.CharField(source="by.username")
    in_place_of = serializers.CharField(source="principal.username")
    group = serializers.CharField(source="step.group.slug")
    verdict = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    plan_digest = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    voided_at = serializers.DateTimeField(allow_null=True)


class EarlierRoundSerializer(serializers.Serializer[Any]):
    """What was asked for in a round that is over."""

    round = serializers.IntegerField()
    values = serializers.JSONField()
    was_sent_back = serializers.BooleanField()
    replaced_at = serializers.DateTimeField()


class RecordSerializer(serializers.Serializer[Any]):
    """Who decided and who said what, and what was asked for before, each oldest first."""

    decisions = GivenDecisionSerializer(many=True)
    comments = CommentSerializer(many=True)
    earlier_rounds = EarlierRoundSerializer(many=True)


class KindSerializer(serializers.Serializer[Any]):
    """A kind of request; `schema` is JSON Schema 2020-12 of its values."""

    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    may_ask = serializers.BooleanField(help_text="whether you could ask for anything of this kind at all")
    schema = serializers.JSONField()


class KindsSerializer(serializers.Serializer[Any]):
    """All kinds of request."""

    items = KindSerializer(many=True)


class ForeseenSerializer(serializers.Serializer[Any]):
    """Who decides one part of a wish; `policy` null: it cannot be said yet. No groups: it is approved by itself."""

    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    policy = serializers.CharField(source="policy.slug", allow_null=True, default=None)
    groups = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    is_complete = serializers.BooleanField()


class ForeseenListSerializer(serializers.Serializer[Any]):
    """Who decides each part."""

    items = ForeseenSerializer(many=True)


class WaitingSerializer(serializers.Serializer[Any]):
    """A request that waits for you: until when, how risky it is, what it takes."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    tenant = serializers.CharField(source="tenant.code", allow_null=True, default=None)
    environment = serializers.CharField()
    asker = serializers.CharField(source="asker.username")
    submitted_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    group = serializers.SerializerMethodField(help_text="the group that decides now")
    risk = serializers.SerializerMethodField(help_text="low, medium or high; high is decided by itself")
    delta = serializers.SerializerMethodField(help_text="what it adds: cpu in millicores, memory and storage in bytes")
    plan_digest = serializers.CharField()

    def get_group(self, found: Request) -> str:
        """The slug."""
        return next(step.group.slug for step in found.steps.all() if step.state == "current")

    def get_risk(self, found: Request) -> str:
        """See workflow.inbox.weighed."""
        return inbox.LEVELS[found.risk]  # type: ignore[attr-defined]

    def get_delta(self, found: Request) -> dict[str, int]:
        """As the policies saw it, {} where it takes nothing."""
        return {name[6:]: amount for name, amount in found.facts.items() if name.startswith("delta.")}


class InboxPageSerializer(serializers.Serializer[Any]):
    """A page of the inbox; `next` is the number of the following page, null on the last."""

    items = WaitingSerializer(many=True)
    next = serializers.IntegerField(allow_null=True)


class NewDelegationSerializer(StrictSerializer):
    """Who stands in for you, and when."""

    to = serializers.CharField(max_length=64)
    starts_at = serializers.DateTimeField(required=False, help_text="from now on where it is missing")
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class DelegationSerializer(serializers.Serializer[Delegation]):
    """`to` decides in the place of `by`."""

    id = serializers.IntegerField(source="pk")
    by = serializers.CharField(source="by.username")
    to = serializers.CharField(source="to.username")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class DelegationPageSerializer(serializers.Serializer[Any]):
    """A page of delegations, newest first; `next` is the `after` of the following page, "" on the last."""

    items = DelegationSerializer(many=True)
    next = serializers.CharField(allow_blank=True)
