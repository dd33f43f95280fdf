"""How much a cluster has to give: asked of its nodes again and again, or stated by hand."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from clusters.access import PASS_TIMEOUT, driver_for
from clusters.drivers.base import DriverError
from clusters.models import Capacity
from web.sealing import Unreadable
from web.sentences import Sentence
from work.claims import Lease, guarded
from work.tasks import Pass

REFRESH_EVERY = timedelta(minutes=10)


def refresh(lease: Lease) -> Pass:
    """Writes down what the compute nodes can give, and when that was; or why it could not be read, beside the
    figures that were read last. What is stated by hand is left alone."""
    kept = Capacity.objects.select_related("cluster").get(pk=lease.pk)
    if kept.source != "nodes":
        return Pass(observed=lease.generation)
    changes: dict[str, Any]
    try:
        seen = driver_for(kept.cluster, PASS_TIMEOUT).capacity()
        if not seen.ready:
            # Not zero, which would refuse everybody while the nodes' reports do not arrive.
            text = gettext_noop("None of %(nodes)d compute nodes is ready.")
            raise DriverError(Sentence(text, {"nodes": seen.nodes}), transient=True)
        changes = {
            "cpu_millicores": seen.cpu_millicores,
            "memory_bytes": seen.memory_bytes,
            "pods": seen.pods,
            "nodes": seen.ready,
            "problem": None,
            "observed_at": timezone.now(),
        }
    except (DriverError, Unreadable) as error:
        changes = {"problem": error.sentence.stored()}
    with guarded(lease):
        # Somebody may have stated figures by hand meanwhile.
        Capacity.objects.filter(pk=lease.pk, source="nodes").update(**changes)
    return Pass(observed=lease.generation, after=REFRESH_EVERY)


def effective(capacity: Capacity) -> dict[str, int | None]:
    """What may be promised: figures times overcommit, rounded down, as {"cpu" (millicores), "memory", "storage"
    (bytes), "pods"}; None where it is not known."""
    cpu, memory = capacity.cpu_millicores, capacity.memory_bytes
    return {
        "cpu": None if cpu is None else int(cpu * capacity.cpu_overcommit),
        "memory": None if memory is None else int(memory * capacity.memory_overcommit),
        "storage": capacity.storage_bytes,
        "pods": capacity.pods,
    }
