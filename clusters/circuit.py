"""The circuit of a cluster: after a few calls in a row that reached nobody, no work is offered there until a probe
succeeds, so that a dead cluster costs one probe now and then and delays nobody."""

from datetime import datetime

from django.db import transaction

from audit import services as audit
from clusters.drivers.base import DriverError, Unreachable
from clusters.models import Bundle, Cluster, DriftCheck, Health

# One lost answer is no dead cluster.
FAILURES_IN_A_ROW = 3


def is_about_the_cluster(error: DriverError) -> bool:
    """Whether another object on the same cluster would fare no better now."""
    return error.operator or isinstance(error, Unreachable)


def failed(cluster: Cluster, error: DriverError, at: datetime) -> None:
    """Counts a call that failed because of the cluster itself; opens the circuit at the third in a row, at once for
    what only its operator can cure (401, a certificate). The first probe is due at once."""
    if not is_about_the_cluster(error):
        return
    with transaction.atomic():
        health = Health.objects.select_for_update().filter(cluster=cluster).first()
        if health is None or health.open_since is not None:
            return
        health.failures += 1
        if error.operator or health.failures >= FAILURES_IN_A_ROW:
            health.open_since, health.reason, health.due_at = at, error.sentence.stored(), at
            subject = f"cluster:{cluster.name}"
            audit.record(actor=None, action="cluster.circuit-open", subject=subject, after=health.reason, at=at)
        health.save(update_fields=["failures", "open_since", "reason", "due_at"])


def worked(cluster: Cluster) -> None:
    """Somebody answered: what failed before no longer counts."""
    Health.objects.filter(cluster=cluster, failures__gt=0, open_since__isnull=True).update(failures=0)


def close(health: Health, at: datetime) -> None:
    """Closes the circuit in the caller's transaction; what waited because of it is due at once."""
    Health.objects.filter(pk=health.pk).update(failures=0, open_since=None, reason=None)
    Bundle.objects.filter(cluster=health.cluster_id, attempts__gt=0, due_at__gt=at).update(due_at=at)
    DriftCheck.objects.filter(bundle__cluster=health.cluster_id, attempts__gt=0, due_at__gt=at).update(due_at=at)
    # Those whose time had come meanwhile did not change, so that a change wakes the dispatcher for them.
    Bundle.objects.filter(cluster=health.cluster_id, due_at__lt=at).update(due_at=at)
    since = health.open_since.isoformat() if health.open_since else None
    subject = f"cluster:{health.cluster.name}"
    audit.record(actor=None, action="cluster.circuit-close", subject=subject, before={"since": since}, at=at)
