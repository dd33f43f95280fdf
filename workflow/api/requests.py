"""REST: asking, following, changing, deciding."""

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request as Http
from rest_framework.response import Response
from rest_framework.views import APIView

from web import paging
from web.errors import Invalid, NotFound
from workflow import machine, narrowing, queries, rows, schema, services
from workflow.api import listed
from workflow.kinds import all_kinds, kind_of
from workflow.models import Request
from workflow.serializers import (
    CommentSerializer,
    CommentTextSerializer,
    DecisionSerializer,
    EditSerializer,
    ForeseenListSerializer,
    ForeseeSerializer,
    KindsSerializer,
    NewRequestSerializer,
    PlanSerializer,
    RecordSerializer,
    RequestDetailSerializer,
    RequestPageSerializer,
)
from workflow.services.foresee import foresee

PAGING = [OpenApiParameter("after", int), OpenApiParameter("limit", int)]
FILTERS = ("state", "kind", "tenant", "environment", "text")
NARROWING = [
    OpenApiParameter("kind", str),
    OpenApiParameter("tenant", str, description="code of the tenant"),
    OpenApiParameter("environment", enum=list(narrowing.ENVIRONMENTS)),
    OpenApiParameter("q", str, description="searched in number, title, tenant and asker"),
]


def _with_progress(found: Request) -> Request:
    found.progress = listed.progress_of(found)  # type: ignore[attr-defined]
    return found


def _request_or_404(http: Http, number: int) -> Request:
    found = queries.requests_visible_to(http.user).filter(pk=number).first()
    if found is None:
        raise NotFound(_("There is no such request."))
    return found


def _detail(http: Http, number: int) -> dict[str, Any]:
    found = _request_or_404(http, number)
    if rows.is_parent(found):
        prefetch_related_objects([found], Prefetch("children", queries.children_of(found, http.user)))
    return RequestDetailSerializer(_with_progress(found)).data


class RequestsView(APIView):
    """All requests one may see, and asking."""

    @extend_schema(
        operation_id="requests_list",
        summary="Requests I may see",
        parameters=[
            OpenApiParameter("state", enum=list(machine.STATES)),
            *NARROWING,
            OpenApiParameter("parent", int, description="those that were asked in this one, one for each environment"),
            *PAGING,
        ],
        responses=RequestPageSerializer,
        tags=["requests"],
    )
    def get(self, http: Http) -> Response:
        """Newest first."""
        found = queries.requests_visible_to(http.user)
        parent = http.query_params.get("parent")
        if parent is not None:
            if not (parent.isascii() and parent.isdigit() and len(parent) < 16):
                raise Invalid(_("Expected a whole number."), {"/parent": _("Expected a whole number.")})
            found = found.filter(parent=int(parent))
        found = narrowing.narrowed(found, narrowing.read_strictly(http.query_params, *FILTERS))
        page, after = paging.page_of(queries.as_lines(found), http.query_params)
        return Response({"items": listed.items(page), "next": after})

    @extend_schema(
        operation_id="requests_create",
        summary="Ask for something",
        request=NewRequestSerializer,
        responses={201: RequestDetailSerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        tags=["requests"],
    )
    def post(self, http: Http) -> Response:
        """The request, approved already where the policy says so; for several environments the parent of theirs."""
        asked = NewRequestSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        made = services.submit(
            kind=asked.validated_data["kind"],
            values=asked.validated_data["values"],
            by=http.user,
            at=timezone.now(),
            idempotency_key=http.headers.get("Idempotency-Key"),
        )
        headers = {"Location": f"{http.path}/{made.number}"}
        return Response(_detail(http, made.number), status=status.HTTP_201_CREATED, headers=headers)


class RequestView(APIView):
    """One request."""

    @extend_schema(
        operation_id="requests_get", summary="A request", responses=RequestDetailSerializer, tags=["requests"]
    )
    def get(self, http: Http, number: int) -> Response:
        """What was asked for and where it stands."""
        return Response(_detail(http, number))

    @extend_schema(
        operation_id="requests_edit",
        summary="Change what was asked for",
        description="While it is open. Those who decide begin anew; earlier approvals no longer count.",
        request=EditSerializer,
        responses=RequestDetailSerializer,
        tags=["requests"],
    )
    def put(self, http: Http, number: int) -> Response:
        """The request with its new values."""
        asked = EditSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        services.edit(number=number, values=asked.validated_data["values"], by=http.user, at=timezone.now())
        return Response(_detail(http, number))


class PlanView(APIView):
    """What a request would change."""

    @extend_schema(operation_id="requests_plan", summary="Its newest plan", responses=PlanSerializer, tags=["requests"])
    def get(self, http: Http, number: int) -> Response:
        """The newest look at the cluster."""
        plan = queries.newest_plan(_request_or_404(http, number))
        if plan is None:
            raise NotFound(_("A request for several environments has no plan; each of its requests has one."))
        return Response(PlanSerializer(plan).data)


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
        return Response(_detail(http, number))


class WithdrawalView(APIView):
    """Taking a request back."""

    @extend_schema(
        operation_id="requests_withdraw",
        summary="Withdraw a request",
        description="Of one for several environments those that are not decided yet.",
        request=None,
        responses=RequestDetailSerializer,
        tags=["requests"],
    )
    def post(self, http: Http, number: int) -> Response:
        """The withdrawn request."""
        services.withdraw(number=number, by=http.user, at=timezone.now())
        return Response(_detail(http, number))


class CommentsView(APIView):
    """Saying something about a request."""

    @extend_schema(
        operation_id="requests_comment",
        summary="Comment on a request",
        request=CommentTextSerializer,
        responses={201: CommentSerializer},
        tags=["requests"],
    )
    def post(self, http: Http, number: int) -> Response:
        """The comment."""
        said = CommentTextSerializer(data=http.data)
        said.is_valid(raise_exception=True)
        made = services.comment(number=number, text=said.validated_data["text"], by=http.user, at=timezone.now())
        return Response(CommentSerializer(made).data, status=status.HTTP_201_CREATED)


class RecordView(APIView):
    """What was said about a request."""

    @extend_schema(
        operation_id="requests_record",
        summary="Decisions and comments",
        responses=RecordSerializer,
        tags=["requests"],
    )
    def get(self, http: Http, number: int) -> Response:
        """Each oldest first."""
        found = _request_or_404(http, number)
        said = {"decisions": queries.decisions_of(found), "comments": queries.comments_of(found)}
        return Response(RecordSerializer(said).data)


class ForeseeView(APIView):
    """Who would decide."""

    @extend_schema(
        operation_id="requests_foresee",
        summary="Who would have to decide this, and why",
        description="Stores nothing. Unfinished values are answered as far as they say.",
        request=ForeseeSerializer,
        responses=ForeseenListSerializer,
        tags=["requests"],
    )
    def post(self, http: Http) -> Response:
        """A row for each part that would be decided by itself."""
        asked = ForeseeSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        kind, values = kind_of(asked.validated_data["kind"]), asked.validated_data["values"]
        found = foresee(kind=kind, values=values, by=http.user, at=timezone.now())
        return Response(ForeseenListSerializer({"items": found}).data)


class KindsView(APIView):
    """What can be asked for."""

    @extend_schema(operation_id="kinds_list", summary="Kinds of request", responses=KindsSerializer, tags=["requests"])
    def get(self, http: Http) -> Response:
        """With the schema of their values."""
        items = [
            {
                "slug": slug,
                "title": str(kind.title),
                "summary": str(kind.summary),
                "may_ask": kind.may_ask(http.user),
                "schema": schema.public(kind.schema),
            }
            for slug, kind in all_kinds().items()
        ]
        return Response(KindsSerializer({"items": items}).data)
