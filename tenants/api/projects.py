"""REST: projects."""

from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint, Seen
from clusters import words
from tenants import queries
from tenants.models import Project
from tenants.serializers import ProjectPageSerializer, ProjectSerializer
from web import paging
from web.document import PAGING, WAIT, order_by
from web.errors import NotFound
from web.etags import etag

ORDERS = paging.BY_AGE | {"namespace": "namespace", "-namespace": "-namespace"}


def _with_state(project: Project) -> Project:
    project.state = words.state_of(project.bundle)  # type: ignore[attr-defined]
    return project


class ProjectsView(Endpoint):
    """Projects one may see."""

    @extend_schema(
        operation_id="projects_list",
        summary="Projects I may see",
        parameters=[order_by(ORDERS), *PAGING],
        responses=ProjectPageSerializer,
        tags=["projects"],
    )
    def get(self, http: Request) -> Response:
        """By age, or by the name of its namespace."""
        page, after = paging.ordered_page(queries.projects_visible_to(http.user), http.query_params, ORDERS)
        items = [_with_state(project) for project in page]
        return Response(ProjectPageSerializer({"items": items, "next": after}).data)


class ProjectView(Endpoint):
    """One project."""

    with_tag = ("GET",)

    @extend_schema(
        operation_id="projects_get",
        summary="A project",
        parameters=[WAIT],
        responses=ProjectSerializer,
        tags=["projects"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """Its quota and how far the cluster agrees."""

        def look() -> Seen:
            found = queries.projects_visible_to(http.user).filter(uid=uid).first()
            if found is None:
                raise NotFound(_("There is no such project."))
            shape = ProjectSerializer(_with_state(found))
            return Seen(etag(shape.data), words.is_settled(found.bundle), shape)

        return self.waited(look)
