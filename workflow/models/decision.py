"""Steps, what people said on them, and comments."""

from django.db import models
from django.db.models import Q

from workflow.models.request import Request


class Step(models.Model):
    """One approval a request needs, copied from the policy when it was submitted."""

    STATES = [(s, s) for s in ("waiting", "current", "approved", "rejected", "sent_back", "skipped")]

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="steps")
    round = models.PositiveIntegerField(default=1)
    position = models.PositiveIntegerField()
    group = models.ForeignKey("accounts.ApproverGroup", on_delete=models.PROTECT, related_name="+")
    minimum = models.PositiveIntegerField(default=1)
    # How long it may wait from when it is its turn, and when that is over.
    deadline_hours = models.PositiveIntegerField(default=240)
    due_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=STATES, default="waiting")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["request", "round", "position"]
        constraints = [
            models.UniqueConstraint(fields=["request", "round", "position"], name="workflow_step_position_unique"),
            models.UniqueConstraint(fields=["request"], condition=Q(state="current"), name="workflow_step_one_current"),
            models.CheckConstraint(condition=Q(minimum__gte=1), name="workflow_step_minimum_positive"),
            models.CheckConstraint(condition=~Q(state="current") | Q(due_at__isnull=False), name="workflow_step_due"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.round}.{self.position}"


class Decision(models.Model):
    """What one person said on one step, and on which plan."""

    VERDICTS = [(v, v) for v in ("approve", "reject", "send_back")]

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="decisions")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    # Whose place in the group was filled: a service account's owner, or who delegated; else `by` itself.
    principal = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    # The person behind `by`: nobody speaks twice, for himself and for another.
    speaker = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=VERDICTS)
    note = models.CharField(max_length=2000, blank=True)
    plan_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    # An approval of a plan that changed before the request was approved counts no longer.
    voided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at"]
        constraints = [
            # Nobody fills two steps of one request, neither for himself nor by somebody else.
            models.UniqueConstraint(
                fields=["request", "principal"],
                condition=Q(voided_at__isnull=True),
                name="workflow_decision_one_per_person",
            ),
            models.UniqueConstraint(
                fields=["request", "speaker"],
                condition=Q(voided_at__isnull=True),
                name="workflow_decision_one_per_speaker",
            ),
            models.CheckConstraint(condition=Q(verdict="approve") | ~Q(note=""), name="workflow_refusal_has_note"),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} {self.verdict} {self.request_id}"


class Comment(models.Model):
    """What somebody said on a request without deciding it."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="comments")
    # Nobody: the portal itself, with a sentence of its own (a reminder).
    by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=2000, blank=True)
    sentence = models.JSONField(null=True, blank=True, help_text="the portal's own, see web.sentences")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(by__isnull=True, sentence__isnull=False) | (Q(by__isnull=False) & ~Q(text="")),
                name="workflow_comment_says_something",
            )
        ]

    def __str__(self) -> str:
        return f"{self.by_id} on {self.request_id}"
