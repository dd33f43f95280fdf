"""REST: bundles, their revisions with differences, and the runs over them."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint, Seen
from accounts.models import User
from clusters import bundle_serializers as shapes
from clusters import comparing, narrowing, queries, services, words
from clusters.models import Bundle, BundleRevision
from web import paging
from web.document import PAGING, WAIT, order_by
from web.errors import NotFound
from web.etags import etag

_FILTERS = ("cluster", "state", "tenant")


def _bundle_or_404(user: User, uid: UUID) -> Bundle:
    found = queries.bundle_of(user, uid)
    if found is None:
        raise NotFound(_("There is no such bundle."))
    return found


def _revision_or_404(bundle: Bundle, number: int) -> BundleRevision:
    found = queries.revision_of(bundle, number)
    if found is None:
        raise NotFound(_("There is no such revision."))
    return found


class BundlesView(Endpoint):
    """Bundles one may see."""

    @extend_schema(
        operation_id="bundles_list",
        summary="What the portal keeps in clusters, of what I may see",
        description="Bundles that have, or are to have, something in their cluster.",
        parameters=[
            OpenApiParameter("cluster", str),
            OpenApiParameter("state", str, enum=narrowing.STATES),
            OpenApiParameter("tenant", str, description="code"),
            order_by(paging.BY_AGE),
            *PAGING,
        ],
        responses=shapes.BundlePageSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request) -> Response:
        """By age."""
        wanted = narrowing.read_strictly(http.query_params, *_FILTERS)
        seen = narrowing.living(queries.bundles_visible_to(http.user)).select_related("cluster__health", "drift")
        page, after = paging.ordered_page(narrowing.narrowed(seen, wanted), http.query_params)
        return Response(shapes.BundlePageSerializer({"items": page, "next": after}).data)


class BundleView(Endpoint):
    """One bundle."""

    with_tag = ("GET",)

    @extend_schema(
        operation_id="bundles_get",
        summary="A bundle",
        parameters=[WAIT],
        responses=shapes.BundleDetailSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """Its objects and how far the cluster agrees."""

        def look() -> Seen:
            bundle = _bundle_or_404(http.user, uid)
            shape = shapes.BundleDetailSerializer(bundle)
            return Seen(etag(shape.data), words.is_settled(bundle), shape)

        return self.waited(look)


class RetryView(Endpoint):
    """Trying a bundle again."""

    is_one_transaction = True

    @extend_schema(
        operation_id="bundles_retry",
        summary="Try again what stopped or waits for its next attempt",
        description="For owners and developers of its tenant, approvers and administrators. 409 `nothing-to-retry`.",
        request=None,
        responses={202: shapes.BundleDetailSerializer},
        tags=["clusters"],
    )
    def post(self, http: Request, uid: UUID) -> Response:
        """The bundle, which is due at once."""
        services.retry(bundle=uid, by=http.user, at=timezone.now())
        found = shapes.BundleDetailSerializer(_bundle_or_404(http.user, uid)).data
        return Response(found, status=status.HTTP_202_ACCEPTED)


class RunsView(Endpoint):
    """The runs over a bundle."""

    @extend_schema(
        operation_id="bundles_runs",
        summary="What workers did to a bundle",
        description="The last runs are kept.",
        parameters=PAGING,
        responses=shapes.RunPageSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """Newest first."""
        page, after = paging.page_of(queries.runs_of(_bundle_or_404(http.user, uid)), http.query_params)
        return Response(shapes.RunPageSerializer({"items": page, "next": after}).data)


class RevisionsView(Endpoint):
    """The revisions of a bundle."""

    @extend_schema(
        operation_id="bundles_revisions",
        summary="The revisions of a bundle",
        parameters=PAGING,
        responses=shapes.RevisionPageSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, uid: UUID) -> Response:
        """Newest first."""
        page, after = paging.page_of(queries.revisions_of(_bundle_or_404(http.user, uid)), http.query_params)
        return Response(shapes.RevisionPageSerializer({"items": page, "next": after}).data)


class RevisionView(Endpoint):
    """One revision of a bundle."""

    @extend_schema(
        operation_id="bundles_revision",
        summary="A revision of a bundle with its manifests",
        responses=shapes.RevisionDetailSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, uid: UUID, number: int) -> Response:
        """With its manifests, in the order in which they are applied."""
        revision = _revision_or_404(_bundle_or_404(http.user, uid), number)
        return Response(shapes.RevisionDetailSerializer(revision).data)


class DifferenceView(Endpoint):
    """What a revision has differently from another one."""

    @extend_schema(
        operation_id="bundles_difference",
        summary="What a revision has differently from another one of its bundle",
        parameters=[OpenApiParameter("from", int, description="default: the one before it; 0 is nothing at all")],
        responses=shapes.DifferenceSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, uid: UUID, number: int) -> Response:
        """Object by object, field by field."""
        bundle = _bundle_or_404(http.user, uid)
        asked = paging.whole_number(http.query_params, "from")
        older = queries.number_before(bundle, number) if asked is None else asked
        before = _revision_or_404(bundle, older) if older else None
        changes = comparing.changes_between(before, _revision_or_404(bundle, number))
        told: dict[str, Any] = {"before": older, "after": number, "changes": changes}
        return Response(shapes.DifferenceSerializer(told).data)
