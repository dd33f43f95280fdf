"""What bundles used of their quotas over time."""

from django.db import models
from django.db.models import Q

from clusters.models.bundle import Bundle
from work.models import WorkItem

RESOURCES = ("cpu", "memory", "storage", "pods")


class UsageSample(models.Model):
    """The highest use of a bundle's quota that was seen within one step of time, and the last limit seen in it.

    Every observation counts in a row of each length of steps (`clusters.sampling.KEPT`), so that the short ones can be
    dropped with age and nothing has to be summed up later. Millicores, bytes and pieces; null where the quota does not
    say.
    """

    # The constraint below has an index that begins with it.
    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="usage_samples", db_index=False)
    step = models.PositiveIntegerField(help_text="seconds")
    at = models.DateTimeField(help_text="when the step begins")
    cpu_used = models.PositiveBigIntegerField(null=True)
    cpu_limit = models.PositiveBigIntegerField(null=True)
    memory_used = models.PositiveBigIntegerField(null=True)
    memory_limit = models.PositiveBigIntegerField(null=True)
    storage_used = models.PositiveBigIntegerField(null=True)
    storage_limit = models.PositiveBigIntegerField(null=True)
    pods_used = models.PositiveBigIntegerField(null=True)
    pods_limit = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["bundle", "step", "at"]
        constraints = [
            models.UniqueConstraint(fields=["bundle", "step", "at"], name="clusters_usage_once_per_step"),
            models.CheckConstraint(condition=Q(step__gt=0), name="clusters_usage_step_positive"),
        ]
        # By age, for what drops old ones.
        indexes = [models.Index(fields=["step", "at"], name="clusters_usage_age")]

    def __str__(self) -> str:
        return f"{self.bundle_id} {self.at:%Y-%m-%d %H:%M}"


class UsageThinning(WorkItem):
    """That old samples are dropped: one row, due again and again."""

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.CheckConstraint(condition=Q(pk=1), name="clusters_usagethinning_one_row"),
        ]

    def __str__(self) -> str:
        return "thinning of usage samples"
