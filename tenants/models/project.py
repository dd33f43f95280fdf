"""Projects, who works in them, and their removal."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenants import rules
from tenants.models.tenant import Tenant
from work.models import WorkItem


def all_parts() -> list[str]:
    """What the portal keeps in a namespace it made itself."""
    return list(rules.PARTS)


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
    size = models.SlugField(max_length=20, blank=True, help_text="the size plan it was made by, empty for own figures")
    isolation = models.CharField(max_length=12, default="shared")
    # Which parts of the namespace the portal keeps (manifests.PARTS); of an adopted one perhaps not all.
    parts = ArrayField(models.CharField(max_length=12), default=all_parts)
    adopted = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # When the cluster no longer had it; its name is free again.
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name", "environment"],
                condition=Q(gone_at__isnull=True),
                name="tenants_project_name_unique",
            ),
            models.UniqueConstraint(
                fields=["namespace"], condition=Q(gone_at__isnull=True), name="tenants_project_namespace_unique"
            ),
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


class Deletion(WorkItem):
    """A project that is to be removed: not before `due_from`, until when it can be called off; then a worker does it.

    The bundle's revision without objects is made only once the grace period is over and nothing blocks it any more.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deletions")
    request = models.OneToOneField("workflow.Request", on_delete=models.PROTECT, related_name="+")
    due_from = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    called_off_at = models.DateTimeField(null=True)
    called_off_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    message = models.JSONField(null=True, blank=True, help_text="what blocks it, see web.sentences")

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(called_off_at__isnull=True, done_at__isnull=True),
                name="tenants_deletion_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(called_off_at__isnull=True, called_off_by__isnull=True)
                | Q(called_off_at__isnull=False, called_off_by__isnull=False),
                name="tenants_deletion_called_off_paired",
            ),
            # What has begun cannot be called off.
            models.CheckConstraint(
                condition=Q(called_off_at__isnull=True) | Q(started_at__isnull=True),
                name="tenants_deletion_called_off_in_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} from {self.due_from}"
