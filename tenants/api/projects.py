"""REST: projects."""

from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters import words
from tenants import queries
from tenants.api import listed
from tenants.models import Project
from tenants.serializers import ProjectPageSerializer, ProjectSerializer
from web import paging
from web.errors import NotFound


def _with_state(project: Project) -> Project:
    project.state = words.state_of(project.bundle)  # type: ignore[attr-defined]
    return project


class ProjectsView(APIView):
    """Projects one may see."""

    @extend_schema(
        operation_id="projects_list",
        summary="Projects I may see",
        parameters=[OpenApiParameter("after", int), OpenApiParameter("limit", int)],
        responses=ProjectPageSerializer,
        tags=["projects"],
    )
    def get(self, http: Request) -> Response:
        """Newest first."""
        lines = queries.as_lines(queries.projects_visible_to(http.user))
        page, after = paging.page_of(lines, http.query_params)
        return Response({"items": listed.projects(page), "next": after})


class ProjectView(APIView):
    """One project."""

    @extend_schema(operation_id="projects_get", summary="A project", responses=ProjectSerializer, tags=["projects"])
    def get(self, http: Request, uid: UUID) -> Response:
        """Its quota and how far the cluster agrees."""
        found = queries.projects_visible_to(http.user).filter(uid=uid).first()
        if found is None:
            raise NotFound(_("There is no such project."))
        return Response(ProjectSerializer(_with_state(found)).data)
