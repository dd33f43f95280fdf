"""How a cluster is: what it says of itself, and whether work on it makes sense at all."""

from django.db import models
from django.db.models import Q

from clusters.models.cluster import Cluster
from work.models import WorkItem


class Health(WorkItem):
    """What a cluster said of itself when it was last probed, and its circuit.

    The circuit opens after a few failures in a row: no work is offered on the cluster until a probe succeeds again.
    The next probe is `due_at`. The lane is of the row's own, so that probing is never held up by the work.
    """

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, related_name="health")
    version = models.CharField(max_length=80, blank=True)
    problems = models.JSONField(default=list, blank=True, help_text="sentences, see web.sentences")
    # What else was seen: see clusters.drivers.base.Probe.facts.
    facts = models.JSONField(default=dict, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="calls in a row that reached nobody")
    open_since = models.DateTimeField(null=True, blank=True)
    reason = models.JSONField(null=True, blank=True, help_text="why the circuit is open, see web.sentences")
    # After a restore: what the cluster has that this database knows nothing of.
    beyond = models.JSONField(default=list, blank=True)

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.CheckConstraint(
                condition=Q(open_since__isnull=True, reason__isnull=True)
                | Q(open_since__isnull=False, reason__isnull=False),
                name="clusters_health_open_paired",
            ),
        ]

    def __str__(self) -> str:
        return f"health of {self.cluster_id}"


class Origin(models.Model):
    """Which database the portal last ran on, in one row: another one under the same rows is a restored copy."""

    identity = models.CharField(max_length=80)
    noticed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="clusters_origin_one_row")]

    def __str__(self) -> str:
        return self.identity
