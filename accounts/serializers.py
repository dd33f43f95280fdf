"""The shapes of accounts in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import rules
from accounts.models import ApiToken, User
from web.strict import StrictSerializer


class PersonSerializer(serializers.ModelSerializer[User]):
    """Whoever calls."""

    # Empty where the directory knows none.
    email = serializers.CharField(read_only=True)

    class Meta:
        model = User
        fields = ["username", "display_name", "email", "roles", "language"]
        read_only_fields = fields


class FoundPersonSerializer(serializers.Serializer[Any]):
    """Somebody in the directory."""

    username = serializers.CharField()
    display_name = serializers.CharField()
    email = serializers.CharField()


class PeopleSerializer(serializers.Serializer[Any]):
    """Those who were found."""

    items = FoundPersonSerializer(many=True)


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """An API token, without its secret."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=rules.SCOPES), read_only=True)
    state = serializers.SerializerMethodField(help_text="Whether it works now.")

    class Meta:
        model = ApiToken
        fields = ["prefix", "name", "scopes", "state", "created_at", "expires_at", "last_used_at", "revoked_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["active", "expired", "revoked"]))
    def get_state(self, token: ApiToken) -> str:
        """active, expired or revoked, now."""
        return token.state(timezone.now())


class TokenPageSerializer(serializers.Serializer[Any]):
    """A page of tokens, newest first; `next` is the `after` of the following page, "" on the last."""

    items = TokenSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class NewTokenSerializer(StrictSerializer):
    """What is asked for in a new token."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=rules.SCOPES), min_length=1, max_length=len(rules.SCOPES)
    )
    days = serializers.IntegerField(min_value=1, max_value=rules.LONGEST_TOKEN_DAYS, default=90)


class IssuedTokenSerializer(serializers.Serializer[Any]):
    """A new token and its text, which is never shown again."""

    token = TokenSerializer()
    secret = serializers.CharField(
        allow_null=True, help_text="To be sent as `Authorization: Bearer <secret>`; null in an answer sent again."
    )
