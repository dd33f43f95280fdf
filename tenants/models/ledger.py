"""The ledger: what was promised to whom, and how much each tenant may be promised."""

from django.db import models
from django.db.models import Q

from tenants.models.tenant import Tenant

RESOURCES = [(name, name) for name in ("cpu", "memory", "storage", "pods")]


class TenantBudget(models.Model):
    """How much of one resource may be promised to a tenant, on all clusters together; no row means no limit."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="budgets")
    resource = models.CharField(max_length=12, choices=RESOURCES)
    amount = models.PositiveBigIntegerField(help_text="millicores, bytes or pieces")

    class Meta:
        ordering = ["tenant", "resource"]
        constraints = [models.UniqueConstraint(fields=["tenant", "resource"], name="tenants_budget_unique")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.resource} {self.amount}"


class Claim(models.Model):
    """An amount of one resource that is promised: it counts against the tenant's budget and the cluster's capacity.

    held: its request is open, or approved and not yet applied (the bundle has not observed `revision`). settled: the
    cluster has it. `until` names the revision that gives it back: it counts until the bundle has observed that one.
    Whether it is held, settled or over is therefore a join with the bundle, and no state that could be wrong.
    What is refused or withdrawn is deleted; the audit knows.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="claims")
    cluster = models.ForeignKey("clusters.Cluster", on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey("workflow.Request", on_delete=models.PROTECT, related_name="+")
    bundle = models.ForeignKey("clusters.Bundle", null=True, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveBigIntegerField(null=True)
    until = models.PositiveBigIntegerField(null=True)
    resource = models.CharField(max_length=12, choices=RESOURCES)
    amount = models.PositiveBigIntegerField(help_text="millicores, bytes or pieces")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="tenants_claim_amount_positive"),
            models.CheckConstraint(
                condition=Q(bundle__isnull=True, revision__isnull=True)
                | Q(bundle__isnull=False, revision__isnull=False),
                name="tenants_claim_revision_paired",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(bundle__isnull=False), name="tenants_claim_until_of_bundle"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "resource"], name="tenants_claim_tenant"),
            models.Index(fields=["cluster", "resource"], name="tenants_claim_cluster"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.amount} for {self.request_id}"
