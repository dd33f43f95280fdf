"""Standing in: somebody decides in another's place for a period."""

from django.db import models
from django.db.models import F, Q


class Delegation(models.Model):
    """`to` decides in `by`'s place from `starts_at` until `ends_at`; what was delegated is not passed on."""

    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="delegations_given")
    to = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="delegations_held")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="workflow_delegation_period"),
            models.CheckConstraint(condition=~Q(by=F("to")), name="workflow_delegation_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} to {self.to_id}"
