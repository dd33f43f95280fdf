"""Requests, the steps people decide, the plans they decide on, and the policies that say who decides."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from workflow import machine


class Policy(models.Model):
    """Who decides requests of a kind for an environment ("" is any); the lowest priority number that fits wins.

    `steps` is [{"group": <approver group slug>, "minimum": 1}] in order; no steps approve by themselves.
    """

    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    kind = models.SlugField(max_length=40, blank=True)
    environment = models.CharField(max_length=12, blank=True)
    priority = models.PositiveIntegerField(unique=True)
    steps = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["priority"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class Request(models.Model):
    """A person's wish to change a state; moves only along `machine.MOVES`, under a lock."""

    # Names what the request creates before that has a row of its own, so that it can be rendered for the plan.
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.SlugField(max_length=40)
    state = models.CharField(max_length=12, choices=[(s, s) for s in machine.STATES])
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=12, blank=True)
    title = models.CharField(max_length=200)
    values = models.JSONField(help_text="what was asked for, by the kind's schema")
    # One open request per target object, of whatever kind.
    target = models.CharField(max_length=200)
    cluster = models.ForeignKey("clusters.Cluster", null=True, on_delete=models.PROTECT, related_name="+")
    asker = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="requests")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=64, null=True)
    # Of kind and values as they were sent: the same key with another wish is refused.
    wish_digest = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    bundle = models.ForeignKey("clusters.Bundle", null=True, on_delete=models.PROTECT, related_name="requests")
    revision = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["target"],
                condition=Q(state__in=machine.OPEN_STATES),
                name="workflow_request_one_open_per_target",
            ),
            models.UniqueConstraint(fields=["asker", "idempotency_key"], name="workflow_request_idempotent"),
            models.CheckConstraint(
                condition=Q(state__in=machine.OPEN_STATES, closed_at__isnull=True)
                | (~Q(state__in=machine.OPEN_STATES) & Q(closed_at__isnull=False)),
                name="workflow_request_closed_paired",
            ),
            models.CheckConstraint(
                condition=Q(bundle__isnull=True, revision__isnull=True)
                | Q(bundle__isnull=False, revision__isnull=False),
                name="workflow_request_revision_paired",
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


class Step(models.Model):
    """One approval a request needs, copied from the policy when it was submitted."""

    STATES = [(s, s) for s in ("waiting", "current", "approved", "rejected", "skipped")]

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    group = models.ForeignKey("accounts.ApproverGroup", on_delete=models.PROTECT, related_name="+")
    minimum = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=STATES, default="waiting")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["request", "position"]
        constraints = [
            models.UniqueConstraint(fields=["request", "position"], name="workflow_step_position_unique"),
            models.UniqueConstraint(fields=["request"], condition=Q(state="current"), name="workflow_step_one_current"),
            models.CheckConstraint(condition=Q(minimum__gte=1), name="workflow_step_minimum_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.position}"


class Decision(models.Model):
    """What one person said on one step, and on which plan."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="decisions")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    # The person behind it: a service account and its owner are one.
    principal = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=[("approve", "approve"), ("reject", "reject")])
    note = models.CharField(max_length=2000, blank=True)
    plan_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    # An approval of a plan that changed before the request was approved counts no longer.
    voided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at"]
        constraints = [
            # Nobody fills two steps of one request.
            models.UniqueConstraint(
                fields=["request", "principal"],
                condition=Q(voided_at__isnull=True),
                name="workflow_decision_one_per_person",
            ),
            models.CheckConstraint(condition=Q(verdict="approve") | ~Q(note=""), name="workflow_rejection_has_note"),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} {self.verdict} {self.request_id}"


class Plan(models.Model):
    """One numbered look at what a request would change."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    base_revision = models.PositiveBigIntegerField()
    changes = models.JSONField()
    digest = models.CharField(max_length=64)
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
