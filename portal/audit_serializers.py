"""Events and seals as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from audit.models import Event, Seal
from portal.audit_words import action_label


class EventSerializer(serializers.Serializer[Event]):
    """One thing that happened."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(help_text='user name, or "system" for the portal itself')
    action = serializers.CharField(help_text="entity.verb")
    words = serializers.SerializerMethodField(help_text="the action in the caller's language")
    subject = serializers.CharField(help_text="what it was done to, as kind:id")
    tenant = serializers.CharField(help_text='code of the tenant it concerns, or ""')
    before = serializers.JSONField(help_text="what was before, null where the event does not say")
    after = serializers.JSONField(help_text="what is after, or more about the deed; null where there is nothing to say")
    call = serializers.CharField(source="request_id", help_text="reference id of the call in which it happened")

    def get_words(self, event: Event) -> str:
        """In words."""
        return action_label(event.action)


class EventPageSerializer(serializers.Serializer[Any]):
    """A page of events."""

    items = EventSerializer(many=True)
    next = serializers.CharField(help_text='value of `after` for the next page; "" if this is the last')
    searched_until = serializers.DateTimeField(
        allow_null=True,
        help_text="with `q`: the time up to which this page was searched, where there is more behind it",
    )


class EventDetailSerializer(EventSerializer):
    """One event, and the seal over it."""

    seal = serializers.IntegerField(
        allow_null=True, help_text="number of the seal over it; null before it is sealed, and for owners of tenants"
    )


class SealSerializer(serializers.Serializer[Seal]):
    """A batch of events, closed by a hash that also covers the seal before it."""

    number = serializers.IntegerField()
    previous = serializers.CharField(help_text="hash of the seal before")
    count = serializers.IntegerField(help_text="how many events it covers")
    first_id = serializers.IntegerField()
    last_id = serializers.IntegerField()
    events_root = serializers.CharField(source="root", help_text="SHA-256 of the events' digests")
    hash = serializers.CharField(help_text="keep it elsewhere: `manage.py audit_verify --anchor` compares with it")
    at = serializers.DateTimeField()


class SealPageSerializer(serializers.Serializer[Any]):
    """A page of seals."""

    items = SealSerializer(many=True)
    next = serializers.CharField(help_text='value of `after` for the next page; "" if this is the last')
