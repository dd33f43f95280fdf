"""Webhooks: endpoints of others, what happened, and each delivery of it with its attempts."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from work.models import WorkItem


class Endpoint(models.Model):
    """An address that is told what happens: everything, or what belongs to one tenant. Secrets are kept sealed."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # None: of the whole portal, registered by an administrator.
    tenant = models.ForeignKey("tenants.Tenant", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="none: all of them")
    secret_sealed = models.TextField()
    # The secret before the last rotation signs as well until then.
    old_secret_sealed = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    # A sentence (web.sentences) where the portal itself disabled it.
    disabled_reason = models.JSONField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True, help_text="when it last took something")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(old_secret_sealed="", old_secret_until__isnull=True)  # nosec B106  # none
                | (~Q(old_secret_sealed="") & Q(old_secret_until__isnull=False)),  # nosec B106  # none
                name="notify_endpoint_old_secret_paired",
            )
        ]

    def __str__(self) -> str:
        return self.url


class Occurrence(models.Model):
    """Something that happened, as endpoints are told it; `uid` is the webhook-id of all its deliveries."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=40)
    data = models.JSONField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.uid}"

    @property
    def webhook_id(self) -> str:
        """What receivers know it by, the same however often it is sent."""
        return f"msg_{self.uid.hex}"


class Delivery(WorkItem):
    """One occurrence on its way to one endpoint."""

    STATES = [(s, s) for s in ("pending", "delivered", "failed")]

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=STATES, default="pending")
    created_at = models.DateTimeField()

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.UniqueConstraint(fields=["endpoint", "occurrence"], name="notify_delivery_once"),
        ]

    def __str__(self) -> str:
        return f"{self.occurrence_id} to {self.endpoint_id}"

    @classmethod
    def workable(cls) -> models.QuerySet["Delivery"]:
        """Nothing is sent to an endpoint that is switched off."""
        return cls.objects.filter(endpoint__disabled_at__isnull=True)


class Attempt(models.Model):
    """One time that a delivery was sent, and what was answered."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveIntegerField(null=True, help_text="of HTTP; none where nobody answered")
    problem = models.JSONField(null=True, blank=True, help_text="why nobody answered, see web.sentences")
    excerpt = models.CharField(max_length=500, blank=True, help_text="how the answer begins")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status}"
