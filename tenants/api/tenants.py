"""REST: tenants, their budgets, and the sizes a project may have."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from tenants import ledger, queries
from tenants.api import listed
from tenants.serializers import SizePlansSerializer, TenantDetailSerializer, TenantPageSerializer
from tenants.size_plans import active_plans
from web import paging
from web.document import PAGING, order_by
from web.errors import NotFound

ORDERS = {"code": "code", "-code": "-code"} | paging.BY_AGE


class TenantsView(Endpoint):
    """Tenants one may see."""

    @extend_schema(
        operation_id="tenants_list",
        summary="Tenants I may see",
        parameters=[order_by(ORDERS), *PAGING],
        responses=TenantPageSerializer,
        tags=["tenants"],
    )
    def get(self, http: Request) -> Response:
        """By code, or by age."""
        page, after = paging.ordered_page(queries.tenants_visible_to(http.user), http.query_params, ORDERS)
        return Response({"items": listed.tenants(page), "next": after})


class TenantView(Endpoint):
    """One tenant."""

    @extend_schema(
        operation_id="tenants_get",
        summary="A tenant and its budget",
        responses=TenantDetailSerializer,
        tags=["tenants"],
    )
    def get(self, http: Request, code: str) -> Response:
        """How much may be promised to it, how much is, and what is left."""
        tenant = queries.tenants_visible_to(http.user).filter(code=code[:13]).first()
        if tenant is None:
            raise NotFound(_("There is no such tenant."))
        tenant.budget = ledger.pools_of_tenant(tenant)  # type: ignore[attr-defined]
        tenant.members = queries.members_of(tenant)  # type: ignore[attr-defined]
        return Response(TenantDetailSerializer(tenant).data)


class SizePlansView(Endpoint):
    """Sizes by name."""

    @extend_schema(
        operation_id="size_plans_list",
        summary="Sizes a project may have",
        responses=SizePlansSerializer,
        tags=["tenants"],
    )
    def get(self, http: Request) -> Response:
        """Smallest first."""
        return Response(SizePlansSerializer({"items": active_plans()}).data)
