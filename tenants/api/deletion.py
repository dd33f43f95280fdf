"""REST: calling off a project's removal."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from tenants.services import deletion as services


class CallOffView(Endpoint):
    """The planned removal of a project."""

    is_one_transaction = True

    @extend_schema(
        operation_id="projects_call_off_deletion",
        summary="Call off a project's planned removal",
        description="409 `too-late` once the removal has begun, 409 `conflict` where none is planned.",
        request=None,
        responses={204: None},
        tags=["projects"],
    )
    def post(self, http: Request, uid: UUID) -> Response:
        """The project stays."""
        services.call_off(project=uid, by=http.user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
