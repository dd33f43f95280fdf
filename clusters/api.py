"""REST: clusters and their capacity."""

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from accounts.models import User
from clusters import permissions, queries, rows, services
from clusters.models import Cluster
from clusters.serializers import (
    AddClusterSerializer,
    CapacitySerializer,
    ClusterDetailSerializer,
    ClusterPageSerializer,
    ClusterSerializer,
    ConfirmRestoreSerializer,
    EditClusterSerializer,
    HeldSerializer,
    ManagedClusterSerializer,
    StateCapacitySerializer,
)
from clusters.services import holding
from clusters.tallies import tallies_of
from web import paging
from web.document import PAGING, order_by
from web.errors import NotFound

ORDERS = {"name": "name", "-name": "-name"} | paging.BY_AGE


def _clusters(user: User) -> QuerySet[Cluster]:
    return queries.clusters_visible_to(user).select_related("capacity", "health", "dedicated_to")


def _with_figures(found: list[Cluster], user: User) -> list[Cluster]:
    standings, tallies = rows.standings_of(found), tallies_of(queries.bundles_visible_to(user), found)
    for cluster in found:
        cluster.promised = standings[cluster.pk]  # type: ignore[attr-defined]
        cluster.tally = tallies[cluster.pk].as_dict()  # type: ignore[attr-defined]
    return found


def _cluster_or_404(user: User, name: str) -> Cluster:
    found = _with_figures(list(_clusters(user).filter(name=name[:41])), user)
    if not found:
        raise NotFound(_("There is no such cluster."))
    return found[0]


class ClustersView(Endpoint):
    """Clusters one may see."""

    @extend_schema(
        operation_id="clusters_list",
        summary="Clusters, how they are, what they have to give and what is left",
        parameters=[order_by(ORDERS), *PAGING],
        responses=ClusterPageSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request) -> Response:
        """By name, or by age."""
        page, after = paging.ordered_page(_clusters(http.user), http.query_params, ORDERS)
        items = _with_figures(page, http.user)
        return Response(ClusterPageSerializer({"items": items, "next": after}).data)

    @extend_schema(
        operation_id="clusters_add",
        summary="Register a cluster",
        description="For administrators. Credentials are kept encrypted and never answered.",
        request=AddClusterSerializer,
        responses={201: ManagedClusterSerializer},
        tags=["clusters"],
    )
    def post(self, http: Request) -> Response:
        """The new cluster; the portal looks at it at once."""
        permissions.check_keep_clusters(http.user)
        said = AddClusterSerializer(data=http.data)
        said.is_valid(raise_exception=True)
        given = said.given()
        name, driver = given["values"].pop("name"), given["values"].pop("driver")
        cluster = services.add_cluster(name=name, driver=driver, by=http.user, at=timezone.now(), **given)
        return Response(ManagedClusterSerializer(cluster).data, status=201)


class ClusterView(Endpoint):
    """One cluster."""

    @extend_schema(
        operation_id="clusters_get", summary="A cluster", responses=ClusterDetailSerializer, tags=["clusters"]
    )
    def get(self, http: Request, name: str) -> Response:
        """How it is, what it said of itself, what it has to give and what is left."""
        return Response(ClusterDetailSerializer(_cluster_or_404(http.user, name)).data)


class SettingsView(Endpoint):
    """What is said of a cluster, also of one that is out of service."""

    with_tag = ("GET", "PATCH")
    matched = ("PATCH",)

    @extend_schema(
        operation_id="clusters_settings",
        summary="All that is said of a cluster",
        description="For administrators. Of credentials only which are kept.",
        responses=ManagedClusterSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, name: str) -> Response:
        """As it was said, with the tag that a change has to name."""
        permissions.check_keep_clusters(http.user)
        cluster = queries.cluster_managed_by(http.user, name[:41])
        if cluster is None:
            raise NotFound(_("There is no such cluster."))
        return self.tagged(services.tag_of_cluster(cluster), ManagedClusterSerializer(cluster))

    @extend_schema(
        operation_id="clusters_edit",
        summary="Say more of a cluster",
        description="For administrators. What is absent stays. Whoever changes where the portal connects to gives the"
        " credentials anew.",
        request=EditClusterSerializer,
        responses=ManagedClusterSerializer,
        tags=["clusters"],
    )
    def patch(self, http: Request, name: str) -> Response:
        """The cluster as it is now said to be."""
        permissions.check_keep_clusters(http.user)
        said = EditClusterSerializer(data=http.data)
        said.is_valid(raise_exception=True)
        given, now = said.given(), timezone.now()
        cluster = services.edit_cluster(name=name[:41], by=http.user, at=now, if_match=self.if_match(), **given)
        return self.tagged(services.tag_of_cluster(cluster), ManagedClusterSerializer(cluster))


class CapacityView(Endpoint):
    """What a cluster has to give."""

    with_tag = ("GET", "PUT")
    matched = ("PUT",)

    @extend_schema(
        operation_id="clusters_capacity",
        summary="How much a cluster has to give",
        description="Before anybody said so, nothing is known: all figures are null.",
        responses=CapacitySerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, name: str) -> Response:
        """As stated, and as last read from its nodes."""
        cluster = _cluster_or_404(http.user, name)
        found = getattr(cluster, "capacity", None) or services.unstated(cluster)
        return self.tagged(services.tag_of_capacity(found), CapacitySerializer(found))

    @extend_schema(
        operation_id="clusters_state_capacity",
        summary="State how much a cluster has to give",
        description="For administrators. With source nodes the figures are read from the compute nodes at once.",
        request=StateCapacitySerializer,
        responses=CapacitySerializer,
        tags=["clusters"],
    )
    def put(self, http: Request, name: str) -> Response:
        """The new capacity; figures of nodes follow once a worker has read them."""
        services.check_state(http.user)
        said = StateCapacitySerializer(data=http.data)
        said.is_valid(raise_exception=True)
        given, now = said.validated_data, timezone.now()
        kept = services.state_capacity(name=name[:41], by=http.user, at=now, if_match=self.if_match(), **given)
        # As the database has it: what was sent may be written otherwise (1 and 1.00).
        kept.refresh_from_db()
        return self.tagged(services.tag_of_capacity(kept), CapacitySerializer(kept))


class ProbeView(Endpoint):
    """Asking a cluster how it is."""

    is_one_transaction = True

    @extend_schema(
        operation_id="clusters_probe",
        summary="Have a cluster probed at once",
        description="For administrators, whatever the next try of its circuit is. A worker does it; ask again.",
        request=None,
        responses={202: ClusterDetailSerializer},
        tags=["clusters"],
    )
    def post(self, http: Request, name: str) -> Response:
        """The cluster as it is known until then."""
        services.probe_now(name=name[:41], by=http.user, at=timezone.now())
        found = ClusterDetailSerializer(_cluster_or_404(http.user, name)).data
        return Response(found, status=status.HTTP_202_ACCEPTED)


class RestoreView(Endpoint):
    """A cluster that is held after a restore."""

    @extend_schema(
        operation_id="clusters_held",
        summary="What a held cluster has beyond the restored database",
        description="For administrators. 404 for a cluster that is not held.",
        responses=HeldSerializer,
        tags=["clusters"],
    )
    def get(self, http: Request, name: str) -> Response:
        """Since when, and where cluster and database differ."""
        permissions.check_keep_clusters(http.user)
        cluster = queries.clusters_visible_to(http.user).select_related("health").filter(name=name[:41]).first()
        if cluster is None or cluster.held_since is None:
            raise NotFound(_("There is no cluster of this name that is held."))
        return Response(HeldSerializer(cluster).data)

    @extend_schema(
        operation_id="clusters_confirm_restore",
        summary="Go on after a restore",
        description="For administrators. What is named in overwrite is written again as the database says.",
        request=ConfirmRestoreSerializer,
        responses=ClusterSerializer,
        tags=["clusters"],
    )
    def post(self, http: Request, name: str) -> Response:
        """The cluster, no longer held."""
        permissions.check_keep_clusters(http.user)
        said = ConfirmRestoreSerializer(data=http.data)
        said.is_valid(raise_exception=True)
        chosen = [str(uid) for uid in said.validated_data["overwrite"]]
        holding.confirm(name=name[:41], overwrite=chosen, by=http.user, at=timezone.now())
        return Response(ClusterSerializer(_cluster_or_404(http.user, name)).data)
