"""REST: asking, following, changing, deciding."""

from typing import Any

from django.db.models import Prefetch, Q, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint, Seen
from accounts.models import User
from web import paging
from web.document import PAGING, WAIT, order_by
from web.errors import Invalid, NotFound
from workflow import machine, narrowing, queries, rows, services, tags
from workflow.api import listed
from workflow.models import Request
from workflow.serializers import (
    CommentSerializer,
    CommentTextSerializer,
    DecisionSerializer,
    EditSerializer,
    NewRequestSerializer,
    PlanSerializer,
    RecordSerializer,
    RequestDetailSerializer,
    RequestPageSerializer,
)

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


def _seen(http: Http, number: int) -> Seen:
    found = _with_progress(_request_or_404(http, number))
    children: list[int] = []
    if rows.is_parent(found):
        prefetch_related_objects([found], Prefetch("children", queries.children_of(found, http.user)))
        children = [child.pk for child in found.children.all()]
    tag = tags.of_request(found, found.progress, children)  # type: ignore[attr-defined]
    return Seen(tag, _is_settled(found), RequestDetailSerializer(found))


def _is_settled(found: Request) -> bool:
    """Whether it is closed, and what it wanted is there or failed for good."""
    progress = found.progress  # type: ignore[attr-defined]
    if progress is None or found.is_open:
        return not found.is_open
    return bool(progress["state"] == "blocked" or progress["agreeing"] == progress["bundles"])


def _tagged(view: Endpoint, http: Http, number: int, status: int = 200) -> Response:
    seen = _seen(http, number)
    return view.tagged(seen.tag, seen.shape, status)


def _asked_by(user: User, said: str) -> Q:
    if said not in ("true", "false"):
        raise Invalid(_("The filter is not known."), {"/mine": _("This is not one of the choices.")})
    own = Q(asker=user) | Q(asker__owner=user)
    return own if said == "true" else ~own


class RequestsView(Endpoint):
    """All requests one may see, and asking."""

    with_tag = ("POST",)

    @extend_schema(
        operation_id="requests_list",
        summary="Requests I may see",
        parameters=[
            OpenApiParameter("state", enum=list(machine.STATES)),
            *NARROWING,
            OpenApiParameter("mine", bool, description="those that I or my service accounts asked for, or all others"),
            OpenApiParameter("parent", int, description="those that were asked in this one, one for each environment"),
            order_by(paging.BY_AGE),
            *PAGING,
        ],
        responses=RequestPageSerializer,
        tags=["requests"],
    )
    def get(self, http: Http) -> Response:
        """By age."""
        found = queries.requests_visible_to(http.user)
        parent = http.query_params.get("parent")
        if parent is not None:
            if not (parent.isascii() and parent.isdigit() and len(parent) < 16):
                raise Invalid(_("Expected a whole number."), {"/parent": _("Expected a whole number.")})
            found = found.filter(parent=int(parent))
        if "mine" in http.query_params:
            found = found.filter(_asked_by(http.user, http.query_params["mine"]))
        found = narrowing.narrowed(found, narrowing.read_strictly(http.query_params, *FILTERS))
        page, after = paging.ordered_page(queries.as_lines(found), http.query_params)
        return Response({"items": listed.items(page), "next": after})

    @extend_schema(
        operation_id="requests_create",
        summary="Ask for something",
        request=NewRequestSerializer,
        responses={201: RequestDetailSerializer},
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
            idempotency_key=self.key,
        )
        answer = _tagged(self, http, made.number, status.HTTP_201_CREATED)
        answer["Location"] = f"{http.path}/{made.number}"
        return answer


class RequestView(Endpoint):
    """One request."""

    with_tag = ("GET", "PUT")
    matched = ("PUT",)

    @extend_schema(
        operation_id="requests_get",
        summary="A request",
        parameters=[WAIT],
        responses=RequestDetailSerializer,
        tags=["requests"],
    )
    def get(self, http: Http, number: int) -> Response:
        """What was asked for and where it stands."""
        return self.waited(lambda: _seen(http, number))

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
        values = asked.validated_data["values"]
        services.edit(number=number, values=values, by=http.user, at=timezone.now(), if_match=self.if_match())
        return _tagged(self, http, number)


class PlanView(Endpoint):
    """What a request would change."""

    @extend_schema(operation_id="requests_plan", summary="Its newest plan", responses=PlanSerializer, tags=["requests"])
    def get(self, http: Http, number: int) -> Response:
        """The newest look at the cluster."""
        plan = queries.newest_plan(_request_or_404(http, number))
        if plan is None:
            raise NotFound(_("A request for several environments has no plan; each of its requests has one."))
        return Response(PlanSerializer(plan).data)


class DecisionView(Endpoint):
    """Deciding a step."""

    required_scope = "decide"
    with_tag = ("POST",)

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
        return _tagged(self, http, number)


class WithdrawalView(Endpoint):
    """Taking a request back."""

    is_one_transaction = True
    with_tag = ("POST",)

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
        return _tagged(self, http, number)


class CommentsView(Endpoint):
    """Saying something about a request."""

    is_one_transaction = True

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


class RecordView(Endpoint):
    """What was said about a request."""

    @extend_schema(
        operation_id="requests_record",
        summary="Decisions, comments and earlier rounds",
        responses=RecordSerializer,
        tags=["requests"],
    )
    def get(self, http: Http, number: int) -> Response:
        """Each oldest first."""
        found = _request_or_404(http, number)
        said: dict[str, Any] = {"decisions": queries.decisions_of(found), "comments": queries.comments_of(found)}
        said |= {"earlier_rounds": queries.earlier_values_of(found)}
        return Response(RecordSerializer(said).data)
