"""Tenants and who belongs to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from tenants import rules


class Tenant(models.Model):
    """An organisational unit that owns projects; its code begins the names of its namespaces."""

    code = models.CharField(max_length=12, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=rules.TENANT_CODE), name="tenants_tenant_code_grammar")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class Membership(models.Model):
    """Someone's place in a tenant: `subject` is "user:<name>" or "group:<dn in lower case>"; "service:<user name>" is
    kept by tenants.services.service_accounts and is no member that people choose (OF_PEOPLE)."""

    OF_PEOPLE = ~Q(subject__startswith="service:")

    ROLES = [("owner", "owner"), ("developer", "developer"), ("viewer", "viewer")]

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    subject = models.CharField(max_length=520, db_index=True)
    role = models.CharField(max_length=10, choices=ROLES)

    class Meta:
        ordering = ["tenant", "subject"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "subject"], name="tenants_membership_unique"),
            models.CheckConstraint(
                condition=Q(subject__startswith="user:")
                | Q(subject__startswith="group:")
                | Q(subject__startswith="service:"),
                name="tenants_membership_subject_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.role}"
