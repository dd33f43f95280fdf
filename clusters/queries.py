"""Reading the fleet."""

from uuid import UUID

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from accounts.models import User
from clusters.access import SEALED
from clusters.models import Bundle, BundleRevision, BundleRun, Cluster, DriftCheck

# How a cluster is reached, and with what: for drivers alone. Whether it is observed is part of every bundle's state,
# so that observer_address comes along.
_NOT_FOR_PAGES = (
    *("address", "ca", "client_certificate", "observer_ca"),
    *(f"{name}_sealed" for name in SEALED),
)


def clusters_visible_to(user: User) -> models.QuerySet[Cluster]:
    """Whoever is signed in may know which shared clusters there are; one that is dedicated to a tenant is for its
    members and for who sees all tenants. Addresses and credentials are not for pages."""
    rows = Cluster.objects.filter(is_active=True).defer(*_NOT_FOR_PAGES)
    if user.sees_all_tenants:
        return rows
    own = Cluster.objects.filter(dedicated_to__memberships__subject__in=user.subjects).values("pk")
    return rows.filter(Q(dedicated_to__isnull=True) | Q(pk__in=own))


def clusters_managed_by(user: User) -> models.QuerySet[Cluster]:
    """All clusters, those out of service too, with their addresses, for administrators; none for others. What is
    sealed is never read for a page."""
    rows = Cluster.objects.select_related("dedicated_to").defer(*(f"{name}_sealed" for name in SEALED))
    return rows if user.is_administrator else rows.none()


def cluster_managed_by(user: User, name: str) -> Cluster | None:
    """One of `clusters_managed_by` whole, for programs: which credentials are kept is said, never what they are."""
    return clusters_managed_by(user).defer(None).filter(name=name).first()


def clusters_of_environment(environment: str) -> models.QuerySet[Cluster]:
    """Clusters on which a project of this environment may be placed."""
    return Cluster.objects.filter(is_active=True, environments__contains=[environment])


def bundles_visible_to(user: User) -> models.QuerySet[Bundle]:
    """Bundles of the person's tenants; all for who sees all tenants. Their cluster is selected, without address and
    credentials."""
    rows = Bundle.objects.select_related("cluster", "tenant").defer(*(f"cluster__{name}" for name in _NOT_FOR_PAGES))
    if user.sees_all_tenants:
        return rows
    own = Bundle.objects.filter(tenant__memberships__subject__in=user.subjects).values("pk")
    return rows.filter(pk__in=own)


def with_history(bundles: models.QuerySet[Bundle]) -> models.QuerySet[Bundle]:
    """Bundles with what their rows need: the health of their cluster, their drift, since when they are there (`since`)
    and how their last run ended (`last_outcome`, `last_run_at`)."""
    first = BundleRevision.objects.filter(bundle=OuterRef("pk")).order_by("number")
    last = BundleRun.objects.filter(bundle=OuterRef("pk")).order_by("-pk")
    return bundles.select_related("cluster__health", "drift").annotate(
        since=Subquery(first.values("created_at")[:1]),
        last_outcome=Subquery(last.values("outcome")[:1]),
        last_run_at=Subquery(last.values("ended_at")[:1]),
    )


def bundle_of(user: User, uid: UUID) -> Bundle | None:
    """One bundle that the person may see, with the health of its cluster and its drift."""
    return bundles_visible_to(user).select_related("cluster__health", "drift").filter(uid=uid).first()


def revisions_of(bundle: Bundle) -> models.QuerySet[BundleRevision]:
    """The revisions of a bundle without what they hold, which is large."""
    return bundle.revisions.defer("objects_wanted", "state")


def revision_of(bundle: Bundle, number: int) -> BundleRevision | None:
    """One revision with what it holds."""
    return bundle.revisions.filter(number=number).first()


def number_before(bundle: Bundle, number: int) -> int:
    """The revision that came before; 0 for none. After a restore numbers are missing: those that were lost."""
    return bundle.revisions.filter(number__lt=number).aggregate(last=models.Max("number"))["last"] or 0


def runs_of(bundle: Bundle) -> models.QuerySet[BundleRun]:
    """The runs over a bundle that are kept, newest first."""
    return bundle.runs.order_by("-pk")


def drift_visible_to(user: User) -> models.QuerySet[DriftCheck]:
    """How the bundles that the person may see differ from their clusters; also those where nothing does."""
    hidden = (f"bundle__cluster__{name}" for name in _NOT_FOR_PAGES)
    rows = DriftCheck.objects.select_related("bundle__cluster", "bundle__tenant").defer(*hidden)
    return rows.filter(bundle__in=bundles_visible_to(user).values("pk"))
