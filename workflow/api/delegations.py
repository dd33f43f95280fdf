"""REST: standing in for somebody."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from web import paging
from web.document import PAGING, order_by
from workflow import queries, services
from workflow.serializers import DelegationPageSerializer, DelegationSerializer, NewDelegationSerializer


class DelegationsView(Endpoint):
    """Delegations given and held, and giving one."""

    required_scope = "decide"
    is_one_transaction = True

    @extend_schema(
        operation_id="delegations_list",
        summary="Delegations I gave or hold",
        parameters=[order_by(paging.BY_AGE), *PAGING],
        responses=DelegationPageSerializer,
        tags=["delegations"],
    )
    def get(self, http: Http) -> Response:
        """By age; administrators and auditors see all."""
        page, after = paging.ordered_page(queries.delegations_visible_to(http.user), http.query_params)
        return Response(DelegationPageSerializer({"items": page, "next": after}).data)

    @extend_schema(
        operation_id="delegations_create",
        summary="Let somebody decide in my place",
        request=NewDelegationSerializer,
        responses={201: DelegationSerializer},
        tags=["delegations"],
    )
    def post(self, http: Http) -> Response:
        """The delegation."""
        asked = NewDelegationSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        now = timezone.now()
        made = services.delegate(**{"starts_at": now} | asked.validated_data, by=http.user, at=now)
        return Response(DelegationSerializer(made).data, status=status.HTTP_201_CREATED)


class DelegationView(Endpoint):
    """One delegation."""

    required_scope = "decide"

    @extend_schema(
        operation_id="delegations_revoke",
        summary="Take a delegation back",
        responses={204: None},
        tags=["delegations"],
    )
    def delete(self, http: Http, pk: int) -> Response:
        """Nothing; it no longer counts."""
        services.revoke_delegation(pk=pk, by=http.user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
