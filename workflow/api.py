"""REST: asking, following, deciding."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request as Http
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters import words
from clusters.models import Bundle
from web import paging
from web.errors import Invalid, NotFound
from web.sentences import shown
from workflow import machine, queries, services
from workflow.models import Request
from workflow.serializers import (
    DecisionSerializer,
    NewRequestSerializer,
    PlanSerializer,
    RequestDetailSerializer,
    RequestPageSerializer,
)

PAGING = [OpenApiParameter("after", int), OpenApiParameter("limit", int)]


def progress_of(bundle: Bundle | None) -> dict[str, Any] | None:
    """The bundle's progress as plain values, None before there is one."""
    if bundle is None:
        return None
    return {
        "state": words.state_of(bundle),
        "message": shown(bundle.message),
        "wanted_revision": bundle.generation,
        "observed_revision": bundle.observed_generation,
        "commit": bundle.committed,
    }


def _with_progress(found: Request) -> Request:
    found.progress = progress_of(found.bundle)  # type: ignore[attr-defined]
    return found


def _request_or_404(http: Http, number: int) -> Request:
    found = queries.requests_visible_to(http.user).filter(pk=number).first()
    if found is None:
        raise NotFound(_("There is no such request."))
    return found


class RequestsView(APIView):
    """All requests one may see, and asking."""

    @extend_schema(
        operation_id="requests_list",
        summary="Requests I may see",
        parameters=[OpenApiParameter("state", enum=list(machine.STATES)), *PAGING],
        responses=RequestPageSerializer,
        tags=["requests"],
    )
    def get(self, http: Http) -> Response:
        """Newest first."""
        found = queries.requests_visible_to(http.user)
        state = http.query_params.get("state")
        if state is not None:
            if state not in machine.STATES:
                raise Invalid(_("There is no such state."), {"/state": _("This is not one of the choices.")})
            found = found.filter(state=state)
        page, after = paging.page_of(found, http.query_params)
        items = [_with_progress(row) for row in page]
        return Response(RequestPageSerializer({"items": items, "next": after}).data)

    @extend_schema(
        operation_id="requests_create",
        summary="Ask for something",
        request=NewRequestSerializer,
        responses={201: RequestDetailSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        tags=["requests"],
    )
    def post(self, http: Http) -> Response:
        """The request, approved already where the policy says so."""
        asked = NewRequestSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        made = services.submit(
            kind=asked.validated_data["kind"],
            values=asked.validated_data["values"],
            by=http.user,
            at=timezone.now(),
            idempotency_key=http.headers.get("Idempotency-Key"),
        )
        body = RequestDetailSerializer(_with_progress(_request_or_404(http, made.number))).data
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": f"{http.path}/{made.number}"})


class RequestView(APIView):
    """One request."""

    @extend_schema(
        operation_id="requests_get", summary="A request", responses=RequestDetailSerializer, tags=["requests"]
    )
    def get(self, http: Http, number: int) -> Response:
        """What was asked for and where it stands."""
        return Response(RequestDetailSerializer(_with_progress(_request_or_404(http, number))).data)


class PlanView(APIView):
    """What a request would change."""

    @extend_schema(operation_id="requests_plan", summary="Its newest plan", responses=PlanSerializer, tags=["requests"])
    def get(self, http: Http, number: int) -> Response:
        """The newest look at the cluster."""
        return Response(PlanSerializer(queries.newest_plan(_request_or_404(http, number))).data)


class DecisionView(APIView):
    """Deciding a step."""

    required_scope = "decide"

    @extend_schema(
        operation_id="requests_decide",
        summary="Decide the current step",
        description="409 with code plan-changed and the new plan when something changed since you looked.",
        request=DecisionSerializer,
        responses=RequestDetailSerializer,
        tags=["requests"],
    )
    def post(self, http: Http, number: int) -> Response:
        """The request after the decision."""
        said = DecisionSerializer(data=http.data)
        said.is_valid(raise_exception=True)
        try:
            services.decide(number=number, by=http.user, at=timezone.now(), **said.validated_data)
        except services.PlanChanged as error:
            error.context = {"plan": PlanSerializer(error.plan).data}
            raise
        return Response(RequestDetailSerializer(_with_progress(_request_or_404(http, number))).data)


class WithdrawalView(APIView):
    """Taking a request back."""

    @extend_schema(
        operation_id="requests_withdraw",
        summary="Withdraw a request",
        request=None,
        responses=RequestDetailSerializer,
        tags=["requests"],
    )
    def post(self, http: Http, number: int) -> Response:
        """The withdrawn request."""
        services.withdraw(number=number, by=http.user, at=timezone.now())
        return Response(RequestDetailSerializer(_with_progress(_request_or_404(http, number))).data)
