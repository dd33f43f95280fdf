"""After a restore: noticing it, holding the fleet, and going on once a person has seen what is beyond the database."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import permissions
from clusters.holding import hold_for_restore, is_surveyed
from clusters.models import Bundle, BundleObject, BundleRevision, Cluster, Health, Origin
from clusters.services.desired import Aim, set_desired_many
from web.errors import Conflict, Invalid, NotFound


class NotHeld(Conflict):
    """The cluster is not held."""

    code = "not-held"


class NotSurveyed(Conflict):
    """What the cluster has beyond the database is not known yet."""

    code = "not-surveyed"


@transaction.atomic
def notice_restore(*, at: datetime) -> bool:
    """Compares the database with the one the portal last ran on, and holds all clusters if it is another one: a dump
    that was restored. Answers whether it was.

    A restore within the same server and database (point in time) is not seen here; `hold` is for its runbook, and a
    worker that meets a revision newer than it knows of holds the cluster by itself.
    """
    identity = _identity()
    origin = Origin.objects.select_for_update().filter(pk=1).first()
    if origin is None:
        Origin.objects.get_or_create(pk=1, defaults={"identity": identity, "noticed_at": at})
        return False
    if origin.identity == identity:
        return False
    Origin.objects.filter(pk=1).update(identity=identity, noticed_at=at)
    hold_for_restore(Cluster.objects.all(), at)
    return True


def _identity() -> str:
    """The server's system identifier and the database's number within it: a restored dump has another number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        database = str(cursor.fetchone()[0])
        cursor.execute("SELECT has_function_privilege('pg_control_system()', 'execute')")
        if not cursor.fetchone()[0]:
            return f"-/{database}"
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        return f"{cursor.fetchone()[0]}/{database}"


@transaction.atomic
def hold(*, names: Collection[str] = (), by: User | None, at: datetime) -> list[str]:
    """Holds the clusters with these names, all of them for none; answers the names. For the restore's runbook, before
    workers start. Raises Forbidden, NotFound."""
    if by is not None:
        permissions.check_keep_clusters(by)
    found = list(Cluster.objects.filter(name__in=names) if names else Cluster.objects.all())
    if names and len(found) != len(set(names)):
        raise NotFound(_("There is no such cluster."))
    hold_for_restore(found, at)
    return [cluster.name for cluster in found]


@transaction.atomic
def confirm(*, name: str, overwrite: Iterable[str], by: User, at: datetime) -> Cluster:
    """Ends the hold of the cluster `name`. Of bundles that are newer or gone in the cluster, those in `overwrite`
    (their uids) are made again what the database says, by a revision above the live one; the others stay as they are
    until somebody asks for something new. What was pending is applied.

    Raises NotFound, Forbidden, NotHeld, NotSurveyed, Invalid for what is not among what was found.
    """
    permissions.check_keep_clusters(by)
    cluster = Cluster.objects.select_for_update(of=("self",)).filter(name=name).first()
    if cluster is None:
        raise NotFound(_("There is no such cluster."))
    if cluster.held_since is None:
        raise NotHeld(_("%(name)s is not held.") % {"name": name})
    health = Health.objects.select_for_update(of=("self",)).get(cluster=cluster)
    if not is_surveyed(cluster, health):
        raise NotSurveyed(_("What %(name)s has is not known yet; please wait until it was looked at.") % {"name": name})
    differing = {row["bundle"]: row for row in health.beyond if row["sort"] in ("newer", "gone")}
    chosen = set(overwrite)
    if not chosen <= differing.keys():
        raise Invalid(_("Please choose."), {"/overwrite": _("This is not one of the choices.")})
    _raise_above(differing)
    _write_again(cluster, chosen, by, at)
    Cluster.objects.filter(pk=cluster.pk).update(held_since=None)
    Health.objects.filter(pk=health.pk).update(beyond=[])
    Bundle.objects.filter(cluster=cluster, due_at__lt=at).update(due_at=at)
    after = {"overwritten": sorted(chosen), "left": sorted(differing.keys() - chosen)}
    audit.record(actor=by, action="cluster.confirm-restore", subject=f"cluster:{name}", after=after, at=at)
    cluster.held_since = None
    return cluster


def _raise_above(differing: dict[str, dict[str, Any]]) -> None:
    """Numbers that the lost revisions had are not given a second time."""
    for uid, row in differing.items():
        lost = Bundle.objects.filter(uid=uid, generation__lt=row["live"])
        # What the cluster has counts as seen: only a new revision is work.
        lost.update(generation=row["live"], observed_generation=row["live"], blocked=False, message=None, attempts=0)


def _write_again(cluster: Cluster, chosen: set[str], by: User, at: datetime) -> None:
    """The newest revision that the database has, once more, for each of the chosen bundles."""
    bundles = list(Bundle.objects.filter(cluster=cluster, uid__in=chosen).order_by("pk"))
    newest = BundleRevision.objects.filter(bundle__in=bundles).order_by("bundle_id", "-number").distinct("bundle_id")
    revisions = {revision.bundle_id: revision for revision in newest}
    aims = [
        Aim(bundle, [entry["manifest"] for entry in last.objects_wanted], last.state)
        for bundle in bundles
        if (last := revisions.get(bundle.pk)) is not None
    ]
    if aims:
        # What is gone may be created again: a person has said so.
        BundleObject.objects.filter(bundle__in=[aim.bundle for aim in aims]).update(had=False, uid="")
        set_desired_many(aims=aims, provenance={"restored_by": by.username}, by=by, at=at)
