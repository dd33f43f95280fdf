"""REST: tenants, their budgets, and the sizes a project may have."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants import ledger, queries
from tenants.api import listed
from tenants.serializers import SizePlanSerializer, TenantDetailSerializer, TenantSerializer
from tenants.size_plans import active_plans
from web.errors import NotFound


class TenantsView(APIView):
    """Tenants one may see."""

    @extend_schema(
        operation_id="tenants_list",
        summary="Tenants I may see",
        responses=TenantSerializer(many=True),
        tags=["tenants"],
    )
    def get(self, http: Request) -> Response:
        """By code."""
        return Response(listed.tenants(queries.tenants_visible_to(http.user)))


class TenantView(APIView):
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
        return Response(TenantDetailSerializer(tenant).data)


class SizePlansView(APIView):
    """Sizes by name."""

    @extend_schema(
        operation_id="size_plans_list",
        summary="Sizes a project may have",
        responses=SizePlanSerializer(many=True),
        tags=["tenants"],
    )
    def get(self, http: Request) -> Response:
        """Smallest first."""
        return Response(SizePlanSerializer(active_plans(), many=True).data)
