"""REST: what happened, the seals over it, and both as files."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from portal import queries
from portal.audit_export import export
from portal.audit_narrowing import page_of, read
from portal.audit_serializers import EventDetailSerializer, EventPageSerializer, SealPageSerializer
from portal.permissions import check_read_audit, check_read_seals
from web import paging
from web.document import PAGING
from web.errors import NotFound

FILTERS = [
    OpenApiParameter("actor", str, description="user name, or system"),
    OpenApiParameter("action", str, description="entity.verb"),
    OpenApiParameter("subject", str, description="kind:id, for example cluster:prod-1"),
    OpenApiParameter("request", str, description="number of a request"),
    OpenApiParameter("tenant", str, description="code of the tenant"),
    OpenApiParameter("call", str, description="reference id of a call"),
    OpenApiParameter("since", str, description="a day (2026-11-23) or a time with its zone"),
    OpenApiParameter("until", str, description="a day, all of it, or a time with its zone, without it"),
    OpenApiParameter("q", str, description="text anywhere in the event; a page searches 20,000 events"),
]
WHO = "For auditors and administrators all events; for owners those of their tenants."


class EventsView(Endpoint):
    """What happened."""

    @extend_schema(
        operation_id="audit_list",
        summary="What happened",
        description=WHO,
        parameters=[*FILTERS, *PAGING],
        responses=EventPageSerializer,
        tags=["audit"],
    )
    def get(self, http: Request) -> Response:
        """Newest first."""
        check_read_audit(http.user)
        found = page_of(queries.events_visible_to(http.user), read(http.query_params), http.query_params)
        until = found.until.at if found.until else None
        page = {"items": found.events, "next": found.after, "searched_until": until}
        return Response(EventPageSerializer(page).data)


class EventView(Endpoint):
    """One event."""

    @extend_schema(
        operation_id="audit_event",
        summary="One event",
        description=WHO,
        responses=EventDetailSerializer,
        tags=["audit"],
    )
    def get(self, http: Request, pk: int) -> Response:
        """All it says."""
        check_read_audit(http.user)
        found = queries.events_visible_to(http.user).filter(pk=pk).first()
        if found is None:
            raise NotFound(_("There is no such event."))
        seal = queries.seal_over(found.pk, http.user)
        found.seal = seal.number if seal else None  # type: ignore[attr-defined]
        return Response(EventDetailSerializer(found).data)


class _OneFormat(BaseContentNegotiation):
    """What is asked for by its address is not refused for what else the caller would accept; errors are JSON."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The only one."""
        return next(iter(parsers))

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        """The only one."""
        only = next(iter(renderers))
        return only, only.media_type


class _ExportView(Endpoint):
    sort = ""
    content_negotiation_class = _OneFormat

    def _export(self, http: Request) -> StreamingHttpResponse | HttpResponse:
        check_read_audit(http.user)
        wanted = read(http.query_params)
        if http.method == "HEAD":
            return HttpResponse()
        events = queries.events_visible_to(http.user)
        return export(events=events, wanted=wanted, sort=self.sort, by=http.user, at=timezone.now())


class CsvView(_ExportView):
    """What happened, for a spreadsheet."""

    sort = "csv"

    @extend_schema(
        operation_id="audit_csv",
        summary="What happened as CSV",
        description=f"{WHO} As many as fit the filter, newest first; the export is itself an event.",
        parameters=FILTERS,
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
        tags=["audit"],
    )
    def get(self, http: Request) -> StreamingHttpResponse | HttpResponse:
        """Row by row."""
        return self._export(http)


class JsonLinesView(_ExportView):
    """What happened, for programs."""

    sort = "jsonl"

    @extend_schema(
        operation_id="audit_jsonl",
        summary="What happened as JSON lines",
        description=f"{WHO} As many as fit the filter, newest first; the export is itself an event.",
        parameters=FILTERS,
        responses={(200, "application/jsonl"): OpenApiResponse(OpenApiTypes.STR)},
        tags=["audit"],
    )
    def get(self, http: Request) -> StreamingHttpResponse | HttpResponse:
        """Line by line."""
        return self._export(http)


class SealsView(Endpoint):
    """The seals over what happened."""

    @extend_schema(
        operation_id="audit_seals",
        summary="Seals over what happened",
        description="For auditors and administrators, newest first. Keep the newest hash elsewhere now and then.",
        parameters=PAGING,
        responses=SealPageSerializer,
        tags=["audit"],
    )
    def get(self, http: Request) -> Response:
        """Newest first."""
        check_read_seals(http.user)
        page, after = paging.page_of(queries.seals_visible_to(http.user), http.query_params)
        return Response(SealPageSerializer({"items": page, "next": after}).data)
