"""REST: asking for many things at once."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts import idempotency
from accounts.endpoint import Endpoint
from web.errors import Invalid, UserError
from workflow import services
from workflow.bulk_serializers import WishResultsSerializer, WishRowsSerializer, WishSerializer


class BulkView(Endpoint):
    """Asking for many things at once."""

    @extend_schema(
        operation_id="requests_create_many",
        summary="Ask for up to 200 things at once",
        description="Each by itself and in its own transaction: one that is refused stops no other, and the answer says"
        " what became of each. With an Idempotency-Key what was made before a connection broke is not made again.",
        request=WishRowsSerializer,
        responses=WishResultsSerializer,
        tags=["requests"],
    )
    def post(self, http: Http) -> Response:
        """A result for each, in their order."""
        asked = WishRowsSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        wishes = [_wish(row) for row in asked.validated_data["requests"]]
        done = services.submit_many(
            wishes=wishes, by=http.user, at=timezone.now(), key=self.key, alive=self._still_running
        )
        return Response(WishResultsSerializer({"results": [_as_body(one) for one in done]}).data)

    def _still_running(self) -> None:
        if self.claimed is not None:
            idempotency.prolong(self.claimed, at=timezone.now())


def _wish(row: Any) -> services.Wish | UserError:
    """One row, or why it cannot be read."""
    read = WishSerializer(data=row)
    if read.is_valid():
        said = read.validated_data
        return services.Wish(said["kind"], said["values"], said["idempotency_key"])
    wrong = {f"/{field}" if field != "non_field_errors" else "": str(said[0]) for field, said in read.errors.items()}
    return Invalid(_("The request is not valid."), wrong)


def _as_body(result: services.Result) -> dict[str, Any]:
    error = result.error
    if error is None:
        return {"status": 201, "number": result.number, "state": result.state, "problem": None}
    fields = error.fields if isinstance(error, Invalid) else {}
    problem = {"status": error.status, "code": error.code, "detail": error.sentence}
    errors = [{"pointer": pointer, "detail": detail} for pointer, detail in fields.items()]
    return {"status": error.status, "number": None, "state": "", "problem": problem | {"errors": errors}}
