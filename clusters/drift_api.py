"""REST: drift, and having it repaired."""

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from clusters import drift_rows, queries, services
from clusters.drift_serializers import DriftPageSerializer, DriftSerializer, RepairSerializer
from web import paging
from web.document import PAGING
from web.errors import NotFound


class DriftsView(Endpoint):
    """Bundles that differ from what was approved."""

    @extend_schema(
        operation_id="drift_list",
        summary="Bundles I may see that differ from what was approved",
        parameters=PAGING,
        responses=DriftPageSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request) -> Response:
        """Newest bundles first."""
        found = queries.drift_visible_to(http.user).filter(found_at__isnull=False)
        page, after = paging.page_of(found, http.query_params)
        return Response(DriftPageSerializer({"items": page, "next": after}).data)


class BundleDriftView(Endpoint):
    """How one bundle differs."""

    @extend_schema(
        operation_id="bundles_drift",
        summary="How a bundle differs from what was approved",
        responses=DriftSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """As it was last compared."""
        bundle = queries.bundles_visible_to(http.user).select_related("drift").filter(uid=uid).first()
        if bundle is None:
            raise NotFound(_("There is no such bundle."))
        return Response(DriftSerializer(drift_rows.check_of(bundle) or drift_rows.uncompared(bundle)).data)


class RepairView(Endpoint):
    """Bringing back what differs."""

    is_one_transaction = True

    @extend_schema(
        operation_id="bundles_repair",
        summary="Have what differs brought back",
        description="For owners and developers of the tenant, approvers and administrators. Applies once more what was "
        "approved last. 409 `conflict` where nothing differs, a change is under way, or the cluster would refuse it.",
        request=None,
        responses={201: RepairSerializer},
        tags=["clusters"],
    )
    def post(self, http: Request, uid: UUID) -> Response:
        """The revision that does it."""
        revision = services.repair(bundle=uid, by=http.user, at=timezone.now())
        return Response(RepairSerializer(revision).data, status=status.HTTP_201_CREATED)
