"""REST: whoever calls, and API tokens."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import directory, queries, services
from accounts.endpoint import Endpoint
from accounts.models import ApiToken
from accounts.serializers import (
    IssuedTokenSerializer,
    NewTokenSerializer,
    PeopleSerializer,
    PersonSerializer,
    TokenPageSerializer,
)
from web import paging
from web.document import PAGING


class MeView(Endpoint):
    """Whoever calls."""

    @extend_schema(operation_id="me", summary="Who am I", responses=PersonSerializer, tags=["account"])
    def get(self, request: Request) -> Response:
        """The caller, with the roles the directory gives."""
        return Response(PersonSerializer(request.user).data)


class PeopleView(Endpoint):
    """The company directory."""

    @extend_schema(
        operation_id="people_find",
        summary="People of the directory",
        description="At most 20 whose name, user name or mail contains `q`; two letters at least. Also those who never "
        "came to the portal.",
        parameters=[OpenApiParameter("q", str)],
        responses=PeopleSerializer,
        tags=["account"],
    )
    def get(self, request: Request) -> Response:
        """By user name."""
        text = request.query_params.get("q", "").strip()[:80]
        found = directory.find_people(text, 20) if len(text) > 1 else []
        return Response(PeopleSerializer({"items": found}).data)


class TokensView(Endpoint):
    """The caller's API tokens."""

    is_one_transaction = True
    shown_once = ("secret",)

    @extend_schema(
        operation_id="tokens_list",
        summary="My API tokens",
        description="Also those of my service accounts, and those that work no longer.",
        parameters=PAGING,
        responses=TokenPageSerializer,
        tags=["account"],
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        page, after = paging.page_of(queries.tokens_visible_to(request.user), request.query_params)
        return Response(TokenPageSerializer({"items": page, "next": after}).data)

    @extend_schema(
        operation_id="tokens_create",
        summary="Make an API token",
        description="A token makes none that may do more or lives longer than itself. The secret is shown once, also"
        " where the call is sent again with its Idempotency-Key: then it is null.",
        request=NewTokenSerializer,
        responses={201: IssuedTokenSerializer},
        tags=["account"],
    )
    def post(self, request: Request) -> Response:
        """A new token of the caller."""
        asked = NewTokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        token, secret = services.issue_token(
            user=request.user,
            by=request.user,
            at=timezone.now(),
            through=request.auth if isinstance(request.auth, ApiToken) else None,
            **asked.validated_data,
        )
        answer = IssuedTokenSerializer({"token": token, "secret": secret}).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class TokenView(Endpoint):
    """One of the caller's API tokens."""

    @extend_schema(operation_id="tokens_revoke", summary="Revoke an API token", responses={204: None}, tags=["account"])
    def delete(self, request: Request, prefix: str) -> Response:
        """Ends it at once; a second time does nothing."""
        token = get_object_or_404(queries.tokens_visible_to(request.user), prefix=prefix)
        services.revoke_token(token=token, by=request.user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
