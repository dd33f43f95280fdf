"""REST: when one is mailed."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from notify import queries, services
from notify.models.mail import WISHES
from notify.models.message import SORTS


class MailPreferenceSerializer(serializers.Serializer[Any]):
    """When each sort of message is mailed: now, with the daily mail, or off."""

    waiting = serializers.ChoiceField(choices=WISHES)
    mine = serializers.ChoiceField(choices=WISHES)
    talk = serializers.ChoiceField(choices=WISHES)
    portal = serializers.ChoiceField(choices=WISHES)
    daily_at = serializers.TimeField()
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
