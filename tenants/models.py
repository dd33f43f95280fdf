"""Tenants, who belongs to them, and their projects: each project is a namespace in one cluster."""

import uuid

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
    """Someone's place in a tenant: `subject` is "user:<name>" or "group:<dn in lower case>"."""

    ROLES = [("owner", "owner"), ("developer", "developer"), ("viewer", "viewer")]

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    subject = models.CharField(max_length=520, db_index=True)
    role = models.CharField(max_length=10, choices=ROLES)

    class Meta:
        ordering = ["tenant", "subject"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "subject"], name="tenants_membership_unique"),
            models.CheckConstraint(
                condition=Q(subject__startswith="user:") | Q(subject__startswith="group:"),
                name="tenants_membership_subject_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.role}"


class Project(models.Model):
    """A namespace with quota, limits, isolation and members, kept in one cluster by one bundle."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=40)
    environment = models.CharField(max_length=12)
    namespace = models.CharField(max_length=63)
    display_name = models.CharField(max_length=80)
    cost_centre = models.CharField(max_length=40, blank=True)
    cpu_millicores = models.PositiveBigIntegerField()
    memory_bytes = models.PositiveBigIntegerField()
    storage_bytes = models.PositiveBigIntegerField()
    pods = models.PositiveIntegerField()
    owner = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    bundle = models.OneToOneField("clusters.Bundle", on_delete=models.PROTECT, related_name="project")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name", "environment"], name="tenants_project_name_unique"),
            models.UniqueConstraint(fields=["namespace"], name="tenants_project_namespace_unique"),
            models.CheckConstraint(
                condition=Q(namespace__regex=rules.NAMESPACE_NAME), name="tenants_project_namespace_grammar"
            ),
            models.CheckConstraint(
                condition=Q(cpu_millicores__gte=1, memory_bytes__gte=1, pods__gte=1),
                name="tenants_project_quota_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.namespace


class ProjectMember(models.Model):
    """Who is bound in the project's namespace: "user:<name>" or "group:<dn>", as the directory spells the DN, because
    the name in the cluster is made of it; to compare, accounts.rules.normal_dn."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    subject = models.CharField(max_length=520)
    role = models.CharField(max_length=10, choices=[("developer", "developer"), ("viewer", "viewer")])

    class Meta:
        ordering = ["project", "role", "subject"]
        constraints = [models.UniqueConstraint(fields=["project", "subject"], name="tenants_project_member_unique")]

    def __str__(self) -> str:
        return f"{self.subject} {self.role}"
