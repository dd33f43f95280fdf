"""Accounts of programs that work for a tenant."""

from django.db import models

from tenants import rules
from tenants.models.tenant import Tenant


class ServiceAccount(models.Model):
    """An account (`user`) of a program; the owner of the account answers for it and is a person of the tenant.

    What it may do is a membership of its own ("service:<user name>"), at most `role` and at most what the owner may
    (tenants.services.service_accounts.hold).
    """

    ROLES = [("developer", "developer"), ("viewer", "viewer")]

    user = models.OneToOneField("accounts.User", on_delete=models.PROTECT, related_name="service_account")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="service_accounts")
    name = models.CharField(max_length=30)
    role = models.CharField(max_length=10, choices=ROLES)
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    # Grows with every change of what is said of it.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["tenant", "name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="tenants_serviceaccount_name_unique"),
            models.CheckConstraint(
                condition=models.Q(name__regex=rules.SERVICE_ACCOUNT_NAME), name="tenants_serviceaccount_name_grammar"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.name}"
