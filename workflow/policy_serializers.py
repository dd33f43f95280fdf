"""What the REST API says of policies, facts and trials."""

from typing import Any

from rest_framework import serializers

from workflow.facts import declared
from workflow.models import Policy
from workflow.services.trial import Route, Row, Trial

_TYPES = {str: "string", int: "integer", bool: "boolean"}


class PolicyStepSerializer(serializers.Serializer[Any]):
    """One approval that a policy asks for."""

    group = serializers.SlugField()
    minimum = serializers.IntegerField(help_text="how many people of the group have to approve")
    deadline_hours = serializers.IntegerField()


class PolicySerializer(serializers.Serializer[Policy]):
    """Who decides which requests; the lowest priority number that fits wins, no steps approve by themselves."""

    slug = serializers.SlugField()
    name = serializers.CharField(help_text="in the caller's language")
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    kind = serializers.CharField(allow_blank=True, help_text="empty: any kind")
    condition = serializers.CharField(allow_blank=True, help_text="CEL over the facts; empty: always")
    priority = serializers.IntegerField()
    steps = PolicyStepSerializer(many=True)
    is_active = serializers.BooleanField()
    is_fixed = serializers.BooleanField(help_text="a safeguard of the portal itself, which cannot be changed")


class PoliciesSerializer(serializers.Serializer[Any]):
    """Policies in the order in which they are asked."""

    items = PolicySerializer(many=True)


class FactSerializer(serializers.Serializer[Any]):
    """Something a condition may name."""

    name = serializers.CharField()
    type = serializers.ChoiceField(choices=list(_TYPES.values()))
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField(allow_blank=True)


class FactsSerializer(serializers.Serializer[Any]):
    """All facts that conditions may name."""

    items = FactSerializer(many=True)


class RouteSerializer(serializers.Serializer[Route]):
    """Where a request goes; `policy` null: nobody could decide it, no groups otherwise: approved automatically."""

    policy = serializers.CharField(source="policy.slug", allow_null=True, default=None)
    groups = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField()

    def get_groups(self, route: Route) -> list[str]:
        """Slugs in the order in which they decide."""
        return [group for group, _minimum in route.steps]

    def get_problem(self, route: Route) -> str:
        """Why a person decides although another policy might have fitted, in the caller's language; else ""."""
        return str(route.problem) if route.problem else ""


class TriedSerializer(serializers.Serializer[Row]):
    """A past request: where it went, where it would go today, and where after the change."""

    number = serializers.IntegerField(source="past.number")
    title = serializers.CharField(source="past.title")
    kind = serializers.CharField(source="past.kind")
    submitted_at = serializers.DateTimeField(source="past.submitted_at")
    went_to = RouteSerializer()
    goes_now = RouteSerializer()
    would_go_to = RouteSerializer()
    is_changed = serializers.BooleanField()


class TrialSerializer(serializers.Serializer[Trial]):
    """What a change of a policy would have done to past requests, newest first."""

    tried = serializers.SerializerMethodField()
    changed = serializers.SerializerMethodField()
    automatic_before = serializers.IntegerField()
    automatic_after = serializers.IntegerField()
    newly_automatic = serializers.IntegerField()
    problems = serializers.IntegerField()
    items = TriedSerializer(many=True, source="rows")

    def get_tried(self, trial: Trial) -> int:
        """How many requests there were."""
        return len(trial.rows)

    def get_changed(self, trial: Trial) -> int:
        """How many of them others would decide."""
        return len(trial.changed)


def fact_items() -> list[dict[str, Any]]:
    """The declared facts as `FactSerializer` wants them."""
    return [
        {"name": name, "type": _TYPES[fact.type], "label": str(fact.label), "unit": str(fact.unit)}
        for name, fact in declared().items()
    ]
