"""Requests, and what open ones are about."""

import uuid

from django.db import models
from django.db.models import Q

from workflow import machine


class Request(models.Model):
    """A person's wish to change a state; moves only along `machine.MOVES`, under a lock.

    A request for several environments is a parent, which only follows its children, and a child for each.
    """

    # Names what the request creates before that has a row of its own, so that it can be rendered for the plan.
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    kind = models.SlugField(max_length=40)
    state = models.CharField(max_length=20, choices=[(s, s) for s in machine.STATES])
    # Every submission of changed values begins a new round of steps.
    round = models.PositiveIntegerField(default=1)
    tenant = models.ForeignKey("tenants.Tenant", null=True, on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=12, blank=True)
    title = models.CharField(max_length=200)
    values = models.JSONField(help_text="what was asked for, by the kind's schema")
    # What it is about; which of them are open is OpenTarget's.
    target = models.CharField(max_length=200, db_index=True)
    cluster = models.ForeignKey("clusters.Cluster", null=True, on_delete=models.PROTECT, related_name="+")
    asker = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="requests")
    facts = models.JSONField(default=dict, help_text="what policies saw, by name (workflow.facts)")
    # A parent has none: its children have each their own.
    policy = models.ForeignKey("workflow.Policy", null=True, on_delete=models.PROTECT, related_name="+")
    policy_problem = models.JSONField(null=True, blank=True, help_text="why a person decides after all (web.sentences)")
    # Commits with the request, so that it is made once even if nobody heard the answer; see accounts.idempotency.
    idempotency_key = models.CharField(max_length=200, null=True)
    # Of kind and values as they were sent: the same key with another wish is refused.
    wish_digest = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["asker", "idempotency_key"], name="workflow_request_idempotent"),
            models.CheckConstraint(
                condition=Q(state__in=machine.OPEN_STATES, closed_at__isnull=True)
                | (~Q(state__in=machine.OPEN_STATES) & Q(closed_at__isnull=False)),
                name="workflow_request_closed_paired",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="workflow_request_tenant"),
            models.Index(fields=["asker", "-id"], name="workflow_request_asker"),
            models.Index(fields=["-id"], name="workflow_request_open", condition=Q(state__in=machine.OPEN_STATES)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def number(self) -> int:
        """The number people know the request by."""
        return self.pk

    @property
    def tenant_code(self) -> str:
        """The code of its tenant, "" for what belongs to none."""
        return self.tenant.code if self.tenant else ""

    @property
    def is_open(self) -> bool:
        """Whether it can still be decided, edited or withdrawn."""
        return self.state in machine.OPEN_STATES


class OpenTarget(models.Model):
    """One thing an open request is about; the key keeps every other request, of whatever kind, from it."""

    key = models.CharField(max_length=200, primary_key=True)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="open_targets")

    def __str__(self) -> str:
        return f"{self.key} by #{self.request_id}"
