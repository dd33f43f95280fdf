"""Events: who did what to what, when; written in the transaction of the deed and never changed."""

from django.db import models


class Event(models.Model):
    """One thing that happened. The actor is text, so that no later change of a person changes the past."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=64, help_text="user name, or 'system'")
    action = models.CharField(max_length=60, help_text="entity.verb")
    subject = models.CharField(max_length=200, help_text="what it was done to, as kind:id")
    tenant = models.CharField(max_length=12, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject", "id"], name="audit_event_subject"),
            models.Index(fields=["tenant", "id"], name="audit_event_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.subject}"
