"""REST: service accounts of a tenant, and their tokens."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from accounts.models import ApiToken, User
from accounts.serializers import IssuedTokenSerializer, TokenPageSerializer
from tenants import queries
from tenants import service_account_serializers as shapes
from tenants.models import ServiceAccount, Tenant
from tenants.services import service_accounts as services
from web import paging
from web.document import PAGING, order_by
from web.errors import Forbidden, NotFound

ORDERS = {"name": "name", "-name": "-name"} | paging.BY_AGE


def tenant_or_404(user: User, code: str) -> Tenant:
    """The tenant, for who may see its service accounts; raises NotFound, Forbidden."""
    found = queries.tenants_visible_to(user).filter(code=code[:13]).first()
    if found is None:
        raise NotFound(_("There is no such tenant."))
    if not services.may_see(found, user):
        raise Forbidden(_("Only owners of the tenant and administrators keep its service accounts."))
    return found


def account_or_404(user: User, code: str, name: str) -> ServiceAccount:
    """One service account, for who may see it; raises NotFound, Forbidden."""
    found = queries.service_accounts_of(tenant_or_404(user, code)).filter(name=name[:31]).first()
    if found is None:
        raise NotFound(_("There is no such service account."))
    return found


class ServiceAccountsView(Endpoint):
    """The service accounts of a tenant."""

    is_one_transaction = True
    with_tag = ("POST",)

    @extend_schema(
        operation_id="service_accounts_list",
        summary="Service accounts of a tenant",
        description="For owners of the tenant, administrators and auditors.",
        parameters=[order_by(ORDERS), *PAGING],
        responses=shapes.ServiceAccountPageSerializer,
        tags=["service accounts"],
    )
    def get(self, http: Request, code: str) -> Response:
        """By name, or by age."""
        found = queries.service_accounts_of(tenant_or_404(http.user, code))
        page, after = paging.ordered_page(found, http.query_params, ORDERS)
        return Response(shapes.ServiceAccountPageSerializer({"items": page, "next": after}).data)

    @extend_schema(
        operation_id="service_accounts_create",
        summary="Make a service account",
        description="For owners of the tenant, who answer for it, and administrators. It may what its role allows, and"
        " never more than its owner: when they leave the tenant or the company its tokens stop.",
        request=shapes.NewServiceAccountSerializer,
        responses={201: shapes.ServiceAccountSerializer},
        tags=["service accounts"],
    )
    def post(self, http: Request, code: str) -> Response:
        """The new account, which has no token yet."""
        tenant = tenant_or_404(http.user, code)
        asked = shapes.NewServiceAccountSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        made = services.create(tenant=tenant, by=http.user, at=timezone.now(), **asked.validated_data)
        answer = self.tagged(services.tag_of(made), shapes.ServiceAccountSerializer(made), status.HTTP_201_CREATED)
        answer["Location"] = f"{http.path}/{made.name}"
        return answer


class ServiceAccountView(Endpoint):
    """One service account."""

    with_tag = ("GET", "PATCH")
    matched = ("PATCH",)

    @extend_schema(
        operation_id="service_accounts_get",
        summary="A service account",
        responses=shapes.ServiceAccountSerializer,
        tags=["service accounts"],
    )
    def get(self, http: Request, code: str, name: str) -> Response:
        """Who answers for it and what it may now."""
        found = account_or_404(http.user, code, name)
        return self.tagged(services.tag_of(found), shapes.ServiceAccountSerializer(found))

    @extend_schema(
        operation_id="service_accounts_edit",
        summary="Change a service account, switch it off or on",
        description="What is absent stays. Switched off, all its tokens end for good.",
        request=shapes.EditServiceAccountSerializer,
        responses=shapes.ServiceAccountSerializer,
        tags=["service accounts"],
    )
    def patch(self, http: Request, code: str, name: str) -> Response:
        """The account as it is now."""
        found = account_or_404(http.user, code, name)
        asked = shapes.EditServiceAccountSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        given, now = asked.validated_data, timezone.now()
        changed = services.change(account=found, by=http.user, at=now, if_match=self.if_match(), **given)
        return self.tagged(services.tag_of(changed), shapes.ServiceAccountSerializer(changed))


class ServiceTokensView(Endpoint):
    """The tokens of a service account."""

    is_one_transaction = True
    shown_once = ("secret",)

    @extend_schema(
        operation_id="service_accounts_tokens",
        summary="Tokens of a service account",
        parameters=PAGING,
        responses=TokenPageSerializer,
        tags=["service accounts"],
    )
    def get(self, http: Request, code: str, name: str) -> Response:
        """Newest first, also those that work no longer."""
        page, after = paging.page_of(queries.tokens_of(account_or_404(http.user, code, name)), http.query_params)
        return Response(TokenPageSerializer({"items": page, "next": after}).data)

    @extend_schema(
        operation_id="service_accounts_issue_token",
        summary="Make a token for a service account",
        description="For its owner alone: whoever has a token asks in the owner's name. The secret is shown once; where"
        " the call is sent again with its Idempotency-Key it is null.",
        request=shapes.NewServiceTokenSerializer,
        responses={201: IssuedTokenSerializer},
        tags=["service accounts"],
    )
    def post(self, http: Request, code: str, name: str) -> Response:
        """The token and its text."""
        found = account_or_404(http.user, code, name)
        asked = shapes.NewServiceTokenSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        through = http.auth if isinstance(http.auth, ApiToken) else None
        given, now = asked.validated_data, timezone.now()
        token, secret = services.issue_token(account=found, by=http.user, at=now, through=through, **given)
        answer = IssuedTokenSerializer({"token": token, "secret": secret}).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class ServiceTokenView(Endpoint):
    """One token of a service account."""

    @extend_schema(
        operation_id="service_accounts_revoke_token",
        summary="Revoke a token of a service account",
        description="For owners of the tenant and administrators.",
        responses={204: None},
        tags=["service accounts"],
    )
    def delete(self, http: Request, code: str, name: str, prefix: str) -> Response:
        """Ends it at once; a second time does nothing."""
        found = account_or_404(http.user, code, name)
        services.revoke_token(account=found, prefix=prefix, by=http.user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
