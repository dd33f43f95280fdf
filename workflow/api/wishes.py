"""REST: what can be asked for, and what a wish would become, before anything is asked."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from web.sentences import shown
from workflow import schema, services
from workflow.kinds import all_kinds, kind_of
from workflow.serializers import (
    ForeseenListSerializer,
    ForeseeSerializer,
    KindsSerializer,
    NewRequestSerializer,
    RehearsalSerializer,
)
from workflow.services.foresee import foresee


class ForeseeView(Endpoint):
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


class RehearseView(Endpoint):
    """What a wish would become."""

    @extend_schema(
        operation_id="requests_rehearse",
        summary="What a wish would change, without asking for it",
        description="Checked as a request is, and looked at in the cluster, with nothing stored or held.",
        request=NewRequestSerializer,
        responses=RehearsalSerializer,
        tags=["requests"],
    )
    def post(self, http: Http) -> Response:
        """A row for each part that would be decided by itself."""
        asked = NewRequestSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        found = services.rehearse(by=http.user, at=timezone.now(), **asked.validated_data)
        for draft, plan in found:
            draft.changes, draft.problem = plan.changes, shown(plan.problem)  # type: ignore[attr-defined]
        return Response(RehearsalSerializer({"items": [draft for draft, _plan in found]}).data)


class KindsView(Endpoint):
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
