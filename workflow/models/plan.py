"""What a request would change, and what became of it."""

from django.db import models
from django.db.models import Q

from workflow.models.request import Request


class Plan(models.Model):
    """One numbered look at what a request would change."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    # Of every bundle it changes, by owner ("project:<uid>"); {} where no cluster is touched.
    base_revisions = models.JSONField(default=dict)
    changes = models.JSONField()
    digest = models.CharField(max_length=64)
    usage = models.JSONField(default=dict, help_text="what the quota's use was, as the server says it")
    problem = models.JSONField(null=True, blank=True, help_text="why the live cluster was not asked, as web.sentences")
    observed_at = models.DateTimeField()

    class Meta:
        ordering = ["request", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="workflow_plan_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="workflow_plan_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.number}"


class Outcome(models.Model):
    """A revision of a bundle that an approved request made wanted; one request can change several bundles."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="outcomes")
    bundle = models.ForeignKey("clusters.Bundle", on_delete=models.PROTECT, related_name="outcomes")
    revision = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "bundle"], name="workflow_outcome_once"),
            models.UniqueConstraint(fields=["bundle", "revision"], name="workflow_outcome_revision_once"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.bundle_id}/{self.revision}"
