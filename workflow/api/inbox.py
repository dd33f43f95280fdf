"""REST: what waits for one's decision, and deciding several at once."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from web.errors import Invalid
from workflow import inbox, narrowing, queries, services
from workflow.api.requests import NARROWING
from workflow.bulk_serializers import BulkDecisionSerializer, BulkResultsSerializer
from workflow.serializers import InboxPageSerializer
from workflow.services import Result

FILTERS = ("kind", "environment", "tenant", "group", "risk", "age", "text", "order")


class InboxView(Endpoint):
    """What waits for one's decision."""

    @extend_schema(
        operation_id="inbox_list",
        summary="Requests that wait for my decision",
        parameters=[
            *NARROWING,
            OpenApiParameter("group", str, description="slug of the approver group that decides now"),
            OpenApiParameter("risk", enum=list(narrowing.RISKS)),
            OpenApiParameter("age", enum=list(narrowing.AGES), description="past the deadline, or due within a day"),
            OpenApiParameter("sort", enum=list(narrowing.ORDERS)),
            OpenApiParameter("page", int),
        ],
        responses=InboxPageSerializer,
        tags=["inbox"],
    )
    def get(self, http: Http) -> Response:
        """What is due first comes first."""
        page = http.query_params.get("page", "1")
        if not (page.isascii() and page.isdigit() and 0 < len(page) < 5 and int(page)):
            raise Invalid(_("Expected a whole number."), {"/page": _("Expected a whole number.")})
        wanted, now = narrowing.read_strictly(http.query_params, *FILTERS), timezone.now()
        found, fitting = inbox.shown_rows(queries.inbox_of(http.user, now), wanted, now, int(page))
        following = int(page) + 1 if fitting > int(page) * inbox.PAGE else None
        return Response(InboxPageSerializer({"items": found, "next": following}).data)


class DecisionsView(Endpoint):
    """Deciding several requests."""

    required_scope = "decide"

    @extend_schema(
        operation_id="inbox_decide",
        summary="Decide several requests",
        description="Each by itself: one that fails stops no other. Those of high risk are refused here.",
        request=BulkDecisionSerializer,
        responses=BulkResultsSerializer,
        tags=["inbox"],
    )
    def post(self, http: Http) -> Response:
        """A result for each, in their order."""
        said = BulkDecisionSerializer(data=http.data)
        said.is_valid(raise_exception=True)
        verdict, note = said.validated_data["verdict"], said.validated_data["note"]
        asked = [(row["number"], row["plan_digest"]) for row in said.validated_data["requests"]]
        now = timezone.now()
        held_back = inbox.locked(queries.inbox_of(http.user, now), [number for number, _digest in asked])
        together = [pair for pair in asked if pair[0] not in held_back]
        results = {number: Result(number, "", error) for number, error in held_back.items()}
        if together:
            done = services.decide_many(rows=together, verdict=verdict, note=note, by=http.user, at=now)
            results |= {one.number: one for one in done}
        body = [_as_body(results[number]) for number, _digest in asked]
        return Response(BulkResultsSerializer({"results": body}).data)


def _as_body(result: Result) -> dict[str, Any]:
    error = result.error
    if error is None:
        return {"number": result.number, "state": result.state, "problem": None}
    more = error.fields.values() if isinstance(error, Invalid) else ()
    problem = {"status": error.status, "code": error.code, "detail": " ".join([error.sentence, *more])}
    if isinstance(error, services.PlanChanged):
        problem["plan_digest"] = error.plan.digest
    return {"number": result.number, "state": "", "problem": problem}
