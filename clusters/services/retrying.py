"""Trying again what stopped: a bundle that the cluster refused, or a cluster whose circuit is open."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import permissions, queries
from clusters.models import Bundle, Cluster, Health
from web.errors import Conflict, NotFound


class NothingToRetry(Conflict):
    """The bundle goes on by itself, or is as wanted."""

    code = "nothing-to-retry"


@transaction.atomic
def retry(*, bundle: UUID, by: User, at: datetime) -> Bundle:
    """Has a bundle (its uid) that stopped or waits for its next attempt tried again at once. Raises NotFound,
    Forbidden, NothingToRetry."""
    found = queries.bundles_visible_to(by).filter(uid=bundle).first()
    if found is None:
        raise NotFound(_("There is no such bundle."))
    permissions.check_act_on(found, by)
    locked = Bundle.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=found.pk)
    if not locked.blocked and not locked.attempts:
        raise NothingToRetry(_("There is nothing to be tried again: it is as wanted, or being worked on."))
    # Whoever works on it just now ends in peace: the attempt is due right after.
    changes = {"blocked": False, "attempts": 0, "due_at": at, "offered_until": None}
    for field, value in changes.items():
        setattr(locked, field, value)
    locked.save(update_fields=list(changes))
    audit.record(
        actor=by,
        action="bundle.retry",
        subject=f"bundle:{locked.uid}",
        tenant=locked.tenant.code,
        before={"message": locked.message},
        at=at,
    )
    return locked


@transaction.atomic
def probe_now(*, name: str, by: User, at: datetime) -> Health:
    """Has the cluster `name` probed at once, whatever its circuit's next try is. Raises NotFound, Forbidden."""
    permissions.check_keep_clusters(by)
    cluster = Cluster.objects.filter(name=name, is_active=True).first()
    if cluster is None:
        raise NotFound(_("There is no such cluster."))
    health = Health.objects.select_for_update(of=("self",)).get(cluster=cluster)
    health.due_at, health.offered_until, health.attempts = at, None, 0
    health.save(update_fields=["due_at", "offered_until", "attempts"])
    audit.record(actor=by, action="cluster.probe", subject=f"cluster:{name}", at=at)
    return health
