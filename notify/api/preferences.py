"""REST: when one is mailed."""

from datetime import time
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from notify import queries, services
from notify.models.mail import WISHES
from notify.models.message import SORTS


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
class MinuteField(serializers.TimeField):
    """A time of day to the minute, as "08:30"; OpenAPI's own format for times wants a time zone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **options)

    def to_internal_value(self, value: object) -> time:
        """The time; strptime alone would take "8:3" as well."""
        if not isinstance(value, str) or len(value) != 5:
            self.fail("invalid", format="hh:mm")
        found: time = super().to_internal_value(value)
        return found


class MailPreferenceSerializer(serializers.Serializer[Any]):
    """When each sort of message is mailed: now, with the daily mail, or off."""

    waiting = serializers.ChoiceField(choices=WISHES)
    mine = serializers.ChoiceField(choices=WISHES)
    talk = serializers.ChoiceField(choices=WISHES)
    portal = serializers.ChoiceField(choices=WISHES)
    daily_at = MinuteField()
    time_zone = serializers.CharField(allow_blank=True, max_length=40, help_text="empty: that of the portal")


class PreferencesView(Endpoint):
    """When the caller is mailed."""

    @extend_schema(
        operation_id="notification_preferences",
        summary="When I am mailed",
        responses=MailPreferenceSerializer,
        tags=["notifications"],
    )
    def get(self, http: Http) -> Response:
        """As it is now."""
        return Response(MailPreferenceSerializer(queries.preference_of(http.user)).data)

    @extend_schema(
        operation_id="notification_prefer",
        summary="Choose when I am mailed",
        request=MailPreferenceSerializer,
        responses=MailPreferenceSerializer,
        tags=["notifications"],
    )
    def put(self, http: Http) -> Response:
        """As it is then."""
        asked = MailPreferenceSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        found = services.prefer(
            wishes={sort: values[sort] for sort in SORTS},
            daily_at=values["daily_at"],
            time_zone=values["time_zone"],
            by=http.user,
            at=timezone.now(),
        )
        return Response(MailPreferenceSerializer(found).data)
