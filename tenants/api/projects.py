"""REST: projects."""

import re
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint, Seen
from clusters import metering, words
from tenants import queries, rows
from tenants.api import listed
from tenants.models import Project
from tenants.rules import ENVIRONMENTS
from tenants.serializers import ProjectDetailSerializer, ProjectPageSerializer
from web import paging
from web.document import PAGING, WAIT, order_by
from web.errors import Invalid, NotFound
from web.etags import etag

ORDERS = paging.BY_AGE | {"namespace": "namespace", "-namespace": "-namespace"}


def _narrowed(projects: QuerySet[Project], parameters: QueryDict) -> QuerySet[Project]:
    """Those that the filters of the address name; raises Invalid for what cannot be a name."""
    for name, column in (
        ("tenant", "tenant__code"),
        ("cluster", "bundle__cluster__name"),
        ("environment", "environment"),
    ):
        if name not in parameters:
            continue
        value = parameters[name]
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", value) or (
            name == "environment" and value not in ENVIRONMENTS
        ):
            raise Invalid(_("The filter is not known."), {f"/{name}": _("This is not one of the choices.")})
        projects = projects.filter(**{column: value})
    return projects


def _with_state(project: Project) -> Project:
    project.state = words.state_of(project.bundle)  # type: ignore[attr-defined]
    return project


def _with_particulars(project: Project) -> Project:
    project.used = metering.whole(rows.used_of(project.bundle))  # type: ignore[attr-defined]
    project.deletion = queries.pending_deletion(project)  # type: ignore[attr-defined]
    return _with_state(project)


class ProjectsView(Endpoint):
    """Projects one may see."""

    @extend_schema(
        operation_id="projects_list",
        summary="Projects I may see",
        parameters=[
            OpenApiParameter("tenant", str, description="code"),
            OpenApiParameter("cluster", str),
            OpenApiParameter("environment", enum=ENVIRONMENTS),
            order_by(ORDERS),
            *PAGING,
        ],
        responses=ProjectPageSerializer,
        tags=["projects"],
    )
    def get(self, http: Request) -> Response:
        """By age, or by the name of its namespace."""
        found = _narrowed(queries.projects_visible_to(http.user), http.query_params)
        page, after = paging.ordered_page(queries.as_lines(found), http.query_params, ORDERS)
        return Response({"items": listed.projects(page), "next": after})


class ProjectView(Endpoint):
    """One project."""

    with_tag = ("GET",)

    @extend_schema(
        operation_id="projects_get",
        summary="A project",
        parameters=[WAIT],
        responses=ProjectDetailSerializer,
        tags=["projects"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """Its quota and what is used of it, who is in it, and how far the cluster agrees."""

        def look() -> Seen:
            found = queries.projects_visible_to(http.user).filter(uid=uid).first()
            if found is None:
                raise NotFound(_("There is no such project."))
            shape = ProjectDetailSerializer(_with_particulars(found))
            return Seen(etag(shape.data), words.is_settled(found.bundle), shape)

        return self.waited(look)
