"""Probing a cluster again and again: what it says of itself, and whether its circuit may be closed."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from clusters import circuit, holding
from clusters.access import PASS_TIMEOUT, driver_for
from clusters.drivers.base import DriverError
from clusters.models import Health
from web.sealing import Unreadable
from work.claims import Lease, guarded
from work.tasks import Pass

CHECK_EVERY = timedelta(minutes=5)


def check(lease: Lease) -> Pass:
    """Writes down what the cluster says of itself, or why nobody answered beside what it said last.

    A probe that succeeds closes an open circuit; one that fails backs off, and opens it after a few.
    """
    health = Health.objects.select_related("cluster").get(pk=lease.pk)
    try:
        driver = driver_for(health.cluster, PASS_TIMEOUT)
        seen = driver.probe()
        census = driver.census() if health.cluster.held_since is not None else ()
    except Unreadable as error:
        return _unanswered(lease, health, DriverError(error.sentence, transient=False, operator=True))
    except DriverError as error:
        return _unanswered(lease, health, error)
    now = timezone.now()
    changes: dict[str, Any] = {
        "version": seen.version[:80],
        "problems": [sentence.stored() for sentence in seen.problems],
        "facts": seen.facts,
        "checked_at": seen.at,
    }
    if health.cluster.held_since is not None:
        changes["beyond"] = holding.rows_of(holding.beyond(health.cluster, census))
    with guarded(lease):
        Health.objects.filter(pk=health.pk).update(**changes)
        health.refresh_from_db(fields=["open_since"])
        if health.open_since is not None:
            circuit.close(health, now)
        circuit.worked(health.cluster)
    return Pass(observed=lease.generation, after=CHECK_EVERY)


def _unanswered(lease: Lease, health: Health, error: DriverError) -> Pass:
    with guarded(lease):
        Health.objects.filter(pk=health.pk).update(problems=[error.sentence.stored()])
        # Nobody can say anything else while the circuit is open, so the newest reason is shown.
        Health.objects.filter(pk=health.pk, open_since__isnull=False).update(reason=error.sentence.stored())
    circuit.failed(health.cluster, error, timezone.now())
    return Pass(failed=True)
