"""REST: clusters and their capacity."""

from typing import Any

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
    ClusterDetailSerializer,
    ClusterSerializer,
    ConfirmRestoreSerializer,
    EditClusterSerializer,
    HeldSerializer,
    ManagedClusterSerializer,
    StateCapacitySerializer,
)
from clusters.services import holding
from clusters.tallies import tallies_of
from web.errors import NotFound


def _clusters(user: User, **named: Any) -> list[Cluster]:
    found = list(
        queries.clusters_visible_to(user)
        .select_related("capacity", "health", "dedicated_to")
        .filter(**named)
        .order_by("name")
    )
    standings, tallies = rows.standings_of(found), tallies_of(queries.bundles_visible_to(user), found)
    for cluster in found:
        cluster.promised = standings[cluster.pk]  # type: ignore[attr-defined]
        cluster.tally = tallies[cluster.pk].as_dict()  # type: ignore[attr-defined]
    return found


def _cluster_or_404(user: User, name: str) -> Cluster:
    found = _clusters(user, name=name[:41])
    if not found:
        raise NotFound(_("There is no such cluster."))
    return found[0]


class ClustersView(Endpoint):
    """Clusters one may see."""

    @extend_schema(
        operation_id="clusters_list",
        summary="Clusters, how they are, what they have to give and what is left",
        responses=ClusterSerializer(many=True),
        tags=["clusters"],
    )
    def get(self, http: Request) -> Response:
        """By name."""
        return Response(ClusterSerializer(_clusters(http.user), many=True).data)

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
        cluster = services.edit_cluster(name=name[:41], by=http.user, at=timezone.now(), **said.given())
        return Response(ManagedClusterSerializer(cluster).data)


class CapacityView(Endpoint):
    """What a cluster has to give."""

    @extend_schema(
        operation_id="clusters_state_capacity",
        summary="State how much a cluster has to give",
        description="For administrators. With source nodes the figures are read from the compute nodes at once.",
        request=StateCapacitySerializer,
        responses=ClusterSerializer,
        tags=["clusters"],
    )
    def put(self, http: Request, name: str) -> Response:
        """The cluster with its new capacity."""
        services.check_state(http.user)
        said = StateCapacitySerializer(data=http.data)
        said.is_valid(raise_exception=True)
        services.state_capacity(name=name[:41], by=http.user, at=timezone.now(), **said.validated_data)
        return Response(ClusterSerializer(_cluster_or_404(http.user, name)).data)


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
