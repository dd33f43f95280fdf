"""Deciding and asking for several things at once, as the API speaks of it."""

from typing import Any

from rest_framework import serializers

from web.strict import StrictSerializer
from workflow.serializers import NewRequestSerializer
from workflow.services.bulk import MOST_WISHES
from workflow.services.decide import VERDICTS


class BulkRowSerializer(StrictSerializer):
    """One of several requests, and the plan on which it is decided."""

    number = serializers.IntegerField(min_value=1, max_value=10**15)
    plan_digest = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class WishRowsSerializer(StrictSerializer):
    """Up to 200 things to ask for; each is read by itself (WishSerializer)."""

    requests = serializers.ListField(
        child=serializers.JSONField(), min_length=1, max_length=MOST_WISHES, help_text="each as a Wish"
    )


class WishSerializer(NewRequestSerializer):
    """One of several things to ask for."""

    idempotency_key = serializers.CharField(
        max_length=200,
        required=False,
        allow_null=True,
        default=None,
        trim_whitespace=False,
        help_text="of its own; else it has one by its place, if the whole has an Idempotency-Key",
    )


class WishProblemPlaceSerializer(serializers.Serializer[Any]):
    """What is wrong where: a JSON pointer as in the answer to a single request."""

    pointer = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class WishProblemSerializer(serializers.Serializer[Any]):
    """Why one was not asked for."""

    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = WishProblemPlaceSerializer(many=True)  # type: ignore[assignment]


class WishResultSerializer(serializers.Serializer[Any]):
    """What became of one: its number and state, or the problem; `status` is what a single call would have answered."""

    status = serializers.IntegerField()
    number = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_blank=True)
    problem = WishProblemSerializer(allow_null=True)


class WishResultsSerializer(serializers.Serializer[Any]):
    """What became of each, in their order."""

    results = WishResultSerializer(many=True)


class BulkDecisionSerializer(StrictSerializer):
    """The same verdict and note on several requests."""

    verdict = serializers.ChoiceField(choices=list(VERDICTS))
    note = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    requests = BulkRowSerializer(many=True, allow_empty=False)


class BulkProblemSerializer(serializers.Serializer[Any]):
    """Why a request was not decided; with plan-changed the digest of the new plan."""

    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    plan_digest = serializers.CharField(required=False)


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one request: its state, or the problem."""

    number = serializers.IntegerField()
    state = serializers.CharField(allow_blank=True)
    problem = BulkProblemSerializer(allow_null=True)


class BulkResultsSerializer(serializers.Serializer[Any]):
    """What became of each."""

    results = BulkResultSerializer(many=True)
