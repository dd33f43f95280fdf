"""How much a cluster has to give."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from clusters.models.cluster import Cluster
from work.models import WorkItem


class Capacity(WorkItem):
    """How much a cluster has to give: read from its compute nodes, or stated by hand; null is unknown.

    What may be promised is the figure times its overcommit factor. Millicores, bytes and pieces.
    """

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, related_name="capacity")
    source = models.CharField(max_length=8, choices=[("nodes", "nodes"), ("stated", "stated")])
    cpu_millicores = models.PositiveBigIntegerField(null=True, blank=True)
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    storage_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    pods = models.PositiveIntegerField(null=True, blank=True)
    nodes = models.PositiveIntegerField(null=True, blank=True)
    cpu_overcommit = models.DecimalField(max_digits=4, decimal_places=2, default=1)
    memory_overcommit = models.DecimalField(max_digits=4, decimal_places=2, default=1)
    problem = models.JSONField(null=True, blank=True, help_text="why the nodes could not be read, as web.sentences")
    observed_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.CheckConstraint(
                condition=Q(cpu_overcommit__gte=Decimal("0.1"), memory_overcommit__gte=Decimal("0.1")),
                name="clusters_capacity_overcommit",
            ),
        ]

    def __str__(self) -> str:
        return f"capacity of {self.cluster_id}"
