"""The shapes of webhooks in the REST API."""

from typing import Any

from rest_framework import serializers

from notify.events import EVENTS
from notify.models import Attempt, Delivery, Endpoint
from web.sentences import shown


class WebhookValuesSerializer(serializers.Serializer[Any]):
    """What can be changed of a webhook."""

    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=list(EVENTS)), max_length=len(EVENTS), help_text="none: all of them"
    )
    description = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class NewWebhookSerializer(WebhookValuesSerializer):
    """A webhook to be registered."""

    tenant = serializers.CharField(
        max_length=12, required=False, default="", allow_blank=True, help_text="code; empty: of the whole portal"
    )


class WebhookSerializer(serializers.Serializer[Endpoint]):
    """A webhook, without its secret."""

    uid = serializers.UUIDField()
    tenant = serializers.SerializerMethodField(help_text="code; empty: of the whole portal")
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField(), help_text="none: all of them")
    description = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(source="created_by.username")
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.SerializerMethodField(help_text="why the portal switched it off")
    succeeded_at = serializers.DateTimeField(allow_null=True)
    old_secret_until = serializers.DateTimeField(allow_null=True)

    def get_tenant(self, one: Endpoint) -> str:
        """Its code."""
        return one.tenant.code if one.tenant else ""

    def get_disabled_reason(self, one: Endpoint) -> str:
        """In the caller's language."""
        return shown(one.disabled_reason)


class WebhookPageSerializer(serializers.Serializer[Any]):
    """A page of webhooks, newest first; `next` is the `after` of the following page, "" on the last."""

    items = WebhookSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class WebhookSecretSerializer(serializers.Serializer[Any]):
    """A webhook and its secret, which is never shown again."""

    webhook = WebhookSerializer()
    secret = serializers.CharField(help_text="whsec_ and base64", allow_null=True)


class OverlapSerializer(serializers.Serializer[Any]):
    """How long the old secret signs as well."""

    hours = serializers.IntegerField(min_value=0, max_value=168, default=24)


class SwitchSerializer(serializers.Serializer[Any]):
    """On or off."""

    is_enabled = serializers.BooleanField()


class AttemptSerializer(serializers.Serializer[Attempt]):
    """One time that it was sent."""

    at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="of HTTP; none where nobody answered")
    problem = serializers.SerializerMethodField()
    excerpt = serializers.CharField(allow_blank=True, help_text="how the answer begins")

    def get_problem(self, one: Attempt) -> str:
        """In the caller's language."""
        return shown(one.problem)


class DeliverySerializer(serializers.Serializer[Delivery]):
    """One event on its way to one webhook."""

    id = serializers.IntegerField(source="pk")
    type = serializers.CharField(source="occurrence.type")
    webhook_id = serializers.CharField(source="occurrence.webhook_id")
    state = serializers.ChoiceField(choices=[state for state, _label in Delivery.STATES])
    created_at = serializers.DateTimeField()
    next_at = serializers.DateTimeField(source="due_at", allow_null=True)
    attempts = AttemptSerializer(source="tries", many=True)


class DeliveryPageSerializer(serializers.Serializer[Any]):
    """A page of deliveries, newest first; `next` is the `after` of the following page, "" on the last."""

    items = DeliverySerializer(many=True)
    next = serializers.CharField(allow_blank=True)
