"""Requests as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from web.sentences import shown
from workflow.models import Plan, Request


class NewRequestSerializer(serializers.Serializer[Any]):
    """What to ask for; `values` follow the schema of the kind."""

    kind = serializers.SlugField(max_length=40)
    values = serializers.JSONField()


class DecisionSerializer(serializers.Serializer[Any]):
    """A decision on the current step, on the plan with this digest."""

    verdict = serializers.ChoiceField(choices=["approve", "reject"])
    note = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    plan_digest = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class StepSerializer(serializers.Serializer[Any]):
    """One approval the request needs."""

    group = serializers.SlugField(source="group.slug")
    minimum = serializers.IntegerField()
    state = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)


class ProgressSerializer(serializers.Serializer[Any]):
    """How far the cluster agrees: queued, applying, retrying, blocked, committed or ready."""

    state = serializers.CharField()
    message = serializers.CharField(allow_blank=True)
    wanted_revision = serializers.IntegerField()
    observed_revision = serializers.IntegerField()
    commit = serializers.CharField(allow_blank=True)


class RequestSerializer(serializers.Serializer[Request]):
    """A request and where it stands."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    state = serializers.CharField()
    title = serializers.CharField()
    tenant = serializers.CharField(source="tenant.code")
    environment = serializers.CharField()
    cluster = serializers.CharField(source="cluster.name", allow_null=True)
    asker = serializers.CharField(source="asker.username")
    policy = serializers.CharField(source="policy.slug")
    submitted_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    steps = StepSerializer(many=True, source="steps.all")
    progress = ProgressSerializer(allow_null=True)


class RequestDetailSerializer(RequestSerializer):
    """A request with what was asked for."""

    values = serializers.JSONField()


class RequestPageSerializer(serializers.Serializer[Any]):
    """A page of requests, newest first; `next` is the `after` of the following page, "" on the last."""

    items = RequestSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class PlanSerializer(serializers.Serializer[Plan]):
    """What the request would change; a decision names the digest."""

    number = serializers.IntegerField()
    base_revision = serializers.IntegerField()
    digest = serializers.CharField()
    problem = serializers.SerializerMethodField()
    observed_at = serializers.DateTimeField()
    changes = serializers.JSONField()

    def get_problem(self, plan: Plan) -> str:
        """Why the live cluster was not asked, in the caller's language; "" if it was."""
        return shown(plan.problem)
