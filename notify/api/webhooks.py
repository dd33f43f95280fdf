"""REST: endpoints of webhooks and what was sent to them."""

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint as View
from notify import queries, services
from notify.models import Endpoint
from notify.webhook_serializers import (
    DeliveryPageSerializer,
    DeliverySerializer,
    NewWebhookSerializer,
    OverlapSerializer,
    SwitchSerializer,
    WebhookPageSerializer,
    WebhookSecretSerializer,
    WebhookSerializer,
    WebhookValuesSerializer,
)
from web import paging
from web.document import PAGING
from web.errors import NotFound

TAGS = ["webhooks"]
NO_STORE = {"Cache-Control": "no-store"}


def _found(http: Http, uid: UUID) -> Endpoint:
    found = queries.endpoints_visible_to(http.user).filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such webhook."))
    return found


class WebhooksView(View):
    """Endpoints one may see, and registering one."""

    is_one_transaction = True
    shown_once = ("secret",)

    @extend_schema(
        operation_id="webhooks_list",
        summary="Webhooks",
        parameters=PAGING,
        responses=WebhookPageSerializer,
        tags=TAGS,
    )
    def get(self, http: Http) -> Response:
        """Of tenants the caller owns, for administrators all; newest first."""
        page, after = paging.page_of(queries.endpoints_visible_to(http.user), http.query_params)
        return Response(WebhookPageSerializer({"items": page, "next": after}).data)

    @extend_schema(
        operation_id="webhooks_create",
        summary="Register a webhook",
        description="The secret is shown once. See docs/webhooks.md for the events and how to verify them.",
        request=NewWebhookSerializer,
        responses={201: WebhookSecretSerializer},
        tags=TAGS,
    )
    def post(self, http: Http) -> Response:
        """The endpoint with its secret."""
        asked = NewWebhookSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        made, secret = services.register_endpoint(**asked.validated_data, by=http.user, at=timezone.now())
        answer = WebhookSecretSerializer({"webhook": made, "secret": secret}).data
        return Response(answer, status=status.HTTP_201_CREATED, headers=NO_STORE)


class WebhookView(View):
    """One endpoint."""

    problems = (404,)

    @extend_schema(operation_id="webhooks_get", summary="A webhook", responses=WebhookSerializer, tags=TAGS)
    def get(self, http: Http, uid: UUID) -> Response:
        """Without its secret."""
        return Response(WebhookSerializer(_found(http, uid)).data)

    @extend_schema(
        operation_id="webhooks_change",
        summary="Change a webhook",
        request=WebhookValuesSerializer,
        responses=WebhookSerializer,
        tags=TAGS,
    )
    def put(self, http: Http, uid: UUID) -> Response:
        """As it is then."""
        _found(http, uid)
        asked = WebhookValuesSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        changed = services.change_endpoint(uid=uid, **asked.validated_data, by=http.user, at=timezone.now())
        return Response(WebhookSerializer(changed).data)

    @extend_schema(operation_id="webhooks_remove", summary="Remove a webhook", responses={204: None}, tags=TAGS)
    def delete(self, http: Http, uid: UUID) -> Response:
        """Nothing; its deliveries are forgotten too."""
        services.remove_endpoint(uid=uid, by=http.user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class StateView(View):
    """Whether an endpoint is switched on."""

    problems = (404, 409)

    @extend_schema(
        operation_id="webhooks_switch",
        summary="Switch a webhook on or off",
        request=SwitchSerializer,
        responses=WebhookSerializer,
        tags=TAGS,
    )
    def put(self, http: Http, uid: UUID) -> Response:
        """As it is then."""
        _found(http, uid)
        asked = SwitchSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        act = services.enable_endpoint if asked.validated_data["is_enabled"] else services.disable_endpoint
        return Response(WebhookSerializer(act(uid=uid, by=http.user, at=timezone.now())).data)


class SecretView(View):
    """The secret of an endpoint."""

    is_one_transaction = True
    shown_once = ("secret",)
    problems = (404,)

    @extend_schema(
        operation_id="webhooks_rotate",
        summary="Make a new secret",
        description="The one until now signs as well for so many hours.",
        request=OverlapSerializer,
        responses=WebhookSecretSerializer,
        tags=TAGS,
    )
    def post(self, http: Http, uid: UUID) -> Response:
        """The new secret, this once."""
        _found(http, uid)
        asked = OverlapSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        found, secret = services.rotate_secret(uid=uid, **asked.validated_data, by=http.user, at=timezone.now())
        return Response(WebhookSecretSerializer({"webhook": found, "secret": secret}).data, headers=NO_STORE)


class TestView(View):
    """Trying an endpoint out."""

    is_one_transaction = True
    problems = (404, 409)

    @extend_schema(
        operation_id="webhooks_test",
        summary="Send a test event",
        request=None,
        responses={202: DeliverySerializer},
        tags=TAGS,
    )
    def post(self, http: Http, uid: UUID) -> Response:
        """The delivery, which is under way."""
        sent = services.send_test(uid=uid, by=http.user, at=timezone.now())
        return Response(DeliverySerializer(sent).data, status=status.HTTP_202_ACCEPTED)


class DeliveriesView(View):
    """What was sent to an endpoint."""

    problems = (404,)

    @extend_schema(
        operation_id="webhooks_deliveries",
        summary="What was sent to a webhook",
        parameters=PAGING,
        responses=DeliveryPageSerializer,
        tags=TAGS,
    )
    def get(self, http: Http, uid: UUID) -> Response:
        """Newest first, with every attempt."""
        page, after = paging.page_of(queries.deliveries_of(_found(http, uid)), http.query_params)
        return Response(DeliveryPageSerializer({"items": page, "next": after}).data)


class ReplayView(View):
    """Sending something again."""

    is_one_transaction = True
    problems = (404, 409)

    @extend_schema(
        operation_id="webhooks_replay",
        summary="Send a delivery again",
        description="With the webhook-id that it had.",
        request=None,
        responses={202: DeliverySerializer},
        tags=TAGS,
    )
    def post(self, http: Http, uid: UUID, pk: int) -> Response:
        """The delivery, which is under way."""
        sent = services.replay(uid=uid, delivery=pk, by=http.user, at=timezone.now())
        return Response(DeliverySerializer(sent).data, status=status.HTTP_202_ACCEPTED)
