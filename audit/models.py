"""Events: who did what to what, when; written in the transaction of the deed and never changed. Seals over them."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from audit import rules
from work.models import WorkItem


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
            models.Index(fields=["actor", "id"], name="audit_event_actor"),
            models.Index(fields=["action", "id"], name="audit_event_action"),
            models.Index(fields=["request_id", "id"], name="audit_event_request", condition=~Q(request_id="")),
            models.Index(fields=["at"], name="audit_event_time"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.subject}"


class Unsealed(models.Model):
    """The id of an event that no seal covers yet; a trigger writes it with the event.

    So an event that commits late, behind others with higher ids, is as little forgotten as any other.
    """

    event_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.event_id)


class Seal(models.Model):
    """A batch of events, closed by a hash that also covers the seal before it.

    It says exactly which ids it covers: run_firsts[i] to run_lasts[i]. `digests` are the events' own, 32 bytes each in
    the order of their ids, so that a changed event can be named; `root` is their hash.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    previous = models.CharField(max_length=64)
    count = models.PositiveIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    run_firsts = ArrayField(models.BigIntegerField())
    run_lasts = ArrayField(models.BigIntegerField())
    digests = models.BinaryField()
    root = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        # The seal over an event is looked for from here on.
        indexes = [models.Index(fields=["last_id"], name="audit_seal_last")]
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1, count__gte=1), name="audit_seal_holds_something"),
            models.CheckConstraint(condition=Q(first_id__lte=F("last_id")), name="audit_seal_first_le_last"),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"

    @property
    def runs(self) -> list[rules.Run]:
        """(first, last) id of each unbroken run of events."""
        return list(zip(self.run_firsts, self.run_lasts, strict=True))

    def hashed(self) -> dict[str, Any]:
        """What its hash covers; see audit.rules.seal_hash."""
        runs = [list(run) for run in self.runs]
        kept = {name: getattr(self, name) for name in ("number", "previous", "count", "root", "at")}
        return kept | {"runs": runs}


class Sealing(WorkItem):
    """The clock by which what happened is sealed: one row, due again and again."""

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.CheckConstraint(condition=Q(pk=1), name="audit_sealing_one_row"),
        ]

    def __str__(self) -> str:
        return "sealing"
