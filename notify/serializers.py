"""The shapes of messages in the REST API."""

from typing import Any

from rest_framework import serializers

from notify.models import Message
from notify.models.message import SORTS
from web.sentences import shown


class MessageSerializer(serializers.Serializer[Message]):
    """What one was told; `closed_at`: when somebody did what it asks for."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.CharField(help_text="thing.what became of it, such as request.rejected")
    sort = serializers.ChoiceField(choices=SORTS)
    text = serializers.SerializerMethodField(help_text="in the language of Accept-Language")
    link = serializers.CharField(help_text="path of the page it is about")
    about = serializers.CharField(help_text="kind:id, such as request:12")
    asks = serializers.BooleanField(help_text="whether something is wanted of the reader")
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_text(self, one: Message) -> str:
        """In the caller's language."""
        return shown(one.sentence)


class MessagePageSerializer(serializers.Serializer[Any]):
    """A page of messages, newest first; `next` is the `after` of the following page, "" on the last."""

    items = MessageSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class UntilSerializer(serializers.Serializer[Any]):
    """The newest message that was seen."""

    until = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="id; else all")


class ReadSerializer(serializers.Serializer[Any]):
    """How many were unread until now."""

    count = serializers.IntegerField()
