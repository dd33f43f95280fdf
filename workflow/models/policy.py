"""Policies: which requests they are about, and who decides those."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language


class Policy(models.Model):
    """Who decides the requests its condition fits; the lowest priority number that fits wins.

    `condition` is CEL over the facts (workflow.cel), "" fits always; `kind` "" is any. `steps` is
    [{"group": <approver group slug>, "minimum": 1, "deadline_hours": 120}] in order; no steps approve by themselves.
    A fixed policy is the portal's own safeguard: it can neither be changed nor retired.
    """

    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    kind = models.SlugField(max_length=40, blank=True)
    condition = models.CharField(max_length=2000, blank=True)
    priority = models.PositiveIntegerField()
    steps = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    is_fixed = models.BooleanField(default=False)

    class Meta:
        ordering = ["priority"]
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                fields=["priority"], condition=Q(is_active=True), name="workflow_policy_priority_unique"
            ),
            models.CheckConstraint(
                condition=Q(is_fixed=False) | (Q(is_active=True) & ~Q(steps=[])), name="workflow_policy_fixed_has_steps"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh
