"""A row that is to be driven to an end by a worker: desired and observed generation, lease, attempts."""

from django.db import models


class WorkItem(models.Model):
    """Abstract: the row itself is the outbox and the lock.

    An item is due when `due_at` is past and neither an offer nor a lease holds it. The dispatcher offers it
    (`offered_until`), a worker claims it (`lease_owner`, `lease_until`), makes one bounded pass and says when the
    next one is due (None: when somebody wants something new). `lane` groups items that share a limit, a cluster.
    """

    generation = models.PositiveBigIntegerField(default=0)
    observed_generation = models.PositiveBigIntegerField(default=0)
    lane = models.CharField(max_length=80, blank=True, db_index=True)
    due_at = models.DateTimeField(null=True, blank=True)
    offered_until = models.DateTimeField(null=True, blank=True)
    lease_owner = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    conditions = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(observed_generation__lte=models.F("generation")),
                name="%(app_label)s_%(class)s_observed_le_desired",
            ),
            models.CheckConstraint(
                condition=models.Q(lease_owner__isnull=True, lease_until__isnull=True)
                | models.Q(lease_owner__isnull=False, lease_until__isnull=False),
                name="%(app_label)s_%(class)s_lease_paired",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="%(app_label)s_%(class)s_due", condition=models.Q(due_at__isnull=False)
            )
        ]

    @classmethod
    def workable(cls) -> models.QuerySet["WorkItem"]:
        """The rows that may be worked on at all; a model narrows it (a cluster that is down)."""
        return cls._default_manager.all()
