"""REST: what a project used over time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from clusters import history
from clusters.history import History
from clusters.models.usage import RESOURCES
from tenants import queries
from tenants.serializers import HistorySerializer
from web.errors import Invalid, NotFound

UNITS = {"cpu": "millicores", "memory": "bytes", "storage": "bytes", "pods": "pieces"}


class ProjectUsageView(Endpoint):
    """What one project used of its quota over time."""

    @extend_schema(
        operation_id="projects_usage",
        summary="What a project used of its quota over time",
        parameters=[
            OpenApiParameter("from", datetime, description="with an offset; a day before `to` unless given"),
            OpenApiParameter("to", datetime, description="with an offset; now unless given"),
            OpenApiParameter("resource", str, enum=RESOURCES, description="one of them; all unless given"),
        ],
        responses=HistorySerializer,
        tags=["projects"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """Highest use and last limit of each step, at most 500 of them, of two years at most. Steps are five minutes
        for the last two days, an hour for 30 days, a day beyond, or multiples of those."""
        found = queries.projects_visible_to(http.user).filter(uid=uid).first()
        if found is None:
            raise NotFound(_("There is no such project."))
        now = timezone.now()
        since, until = _time(http.query_params, now)
        names = _resources(http.query_params)
        return Response(HistorySerializer(_told(history.read(found.bundle, since, until, now), names)).data)


def _time(parameters: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    """(from, to); raises Invalid."""
    until = _moment(parameters, "to") or now
    since = _moment(parameters, "from") or until - timedelta(days=1)
    if since >= until:
        sentence = _("The beginning must lie before the end.")
        raise Invalid(sentence, {"/from": sentence})
    return since, until


def _moment(parameters: Mapping[str, str], name: str) -> datetime | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        # The + of an offset that was not quoted arrives as a space.
        at = parse_datetime(text.replace(" ", "+")) if len(text) <= 40 else None
    except ValueError:
        at = None
    # Years at either end cannot be moved by an offset.
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9000:
        sentence = _("Expected a moment with an offset, for example 2026-11-23T15:20:00+08:00.")
        raise Invalid(sentence, {f"/{name}": sentence})
    return at


def _resources(parameters: Mapping[str, str]) -> tuple[str, ...]:
    name = parameters.get("resource")
    if name is None:
        return RESOURCES
    if name not in RESOURCES:
        sentence = _("This is not one of the choices.")
        raise Invalid(sentence, {"/resource": sentence})
    return (name,)


def _told(seen: History, names: tuple[str, ...]) -> dict[str, Any]:
    series = [
        {"resource": name, "unit": UNITS[name], "used": seen.used[name], "limit": seen.limit[name]} for name in names
    ]
    told = {"since": seen.since, "until": seen.until, "step_seconds": int(seen.step.total_seconds())}
    return told | {"at": seen.at, "series": series}
