"""The registry of clusters, and bundles: all objects the portal keeps in one cluster for one owner."""

import uuid
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from work.models import WorkItem


class Cluster(models.Model):
    """One cluster the portal writes to, and how people and groups are called there."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.SlugField(max_length=40, unique=True)
    description = models.CharField(max_length=200, blank=True)
    flavour = models.CharField(max_length=12, choices=[("kubernetes", "Kubernetes"), ("openshift", "OpenShift")])
    driver = models.CharField(max_length=12, choices=[("kubernetes", "Kubernetes API"), ("gitops", "GitOps")])
    address = models.CharField(max_length=500, help_text="API server URL, or the Git repository")
    ca = models.TextField(blank=True, help_text="PEM")
    token_sealed = models.TextField(blank=True)
    # Changes with every change of address or credentials, so that clients are not kept beyond it.
    version = models.UUIDField(default=uuid.uuid4)
    environments = ArrayField(models.CharField(max_length=12))
    # "{username}" or "oidc:{username}"; "{cn}" or "{dn}": how a portal user and an LDAP group are called there.
    user_format = models.CharField(max_length=80, default="{username}")
    group_format = models.CharField(max_length=80, default="{cn}")
    # Labels of the namespaces that hold ingress controllers and monitoring: who may reach every project.
    ingress_labels = models.JSONField(default=dict, blank=True)
    monitoring_labels = models.JSONField(default=dict, blank=True)
    # A dedicated cluster takes projects of one tenant only.
    dedicated_to = models.ForeignKey(
        "tenants.Tenant", null=True, blank=True, on_delete=models.PROTECT, related_name="dedicated_clusters"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Capacity(WorkItem):
    """How much a cluster has to give: read from its compute nodes, or stated by hand; null is unknown.

    What may be promised is the figure times its overcommit factor. Millicores, bytes and pieces.
    """

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, related_name="capacity")
    source = models.CharField(max_length=8, choices=[("nodes", "nodes"), ("stated", "stated")])
    cpu_millicores = models.PositiveBigIntegerField(null=True, blank=True)
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    storage_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    pods = models.PositiveIntegerField(null=True, blank=True)
    nodes = models.PositiveIntegerField(null=True, blank=True)
    cpu_overcommit = models.DecimalField(max_digits=4, decimal_places=2, default=1)
    memory_overcommit = models.DecimalField(max_digits=4, decimal_places=2, default=1)
    problem = models.JSONField(null=True, blank=True, help_text="why the nodes could not be read, as web.sentences")
    observed_at = models.DateTimeField(null=True, blank=True)

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.CheckConstraint(
                condition=Q(cpu_overcommit__gte=Decimal("0.1"), memory_overcommit__gte=Decimal("0.1")),
                name="clusters_capacity_overcommit",
            ),
        ]

    def __str__(self) -> str:
        return f"capacity of {self.cluster_id}"


class Bundle(WorkItem):
    """All objects the portal keeps in one cluster for one owner; a worker drives it until the cluster agrees.

    `generation` is the number of the wanted revision, `observed_generation` of the one the cluster was seen to have.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="bundles")
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")
    owner = models.CharField(max_length=200, help_text="whom it is kept for, as kind:id")
    namespace = models.CharField(max_length=63)
    committed = models.CharField(max_length=64, blank=True, help_text="commit that holds the observed revision")
    # A sentence for people (web.sentences); blocked: no further attempt until somebody acts.
    message = models.JSONField(null=True, blank=True)
    blocked = models.BooleanField(default=False)

    class Meta(WorkItem.Meta):
        constraints = [
            *WorkItem.Meta.constraints,
            models.UniqueConstraint(fields=["cluster", "owner"], name="clusters_bundle_one_per_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.owner} in {self.namespace}"


class BundleRevision(models.Model):
    """What one bundle should be: rendered manifests, the state they come from and who asked for and approved it."""

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveBigIntegerField()
    # [{"manifest": {...}, "changed_in": 3}], in the order in which they are applied.
    objects_wanted = models.JSONField()
    digest = models.CharField(max_length=64)
    state = models.JSONField(help_text="what it was rendered from")
    provenance = models.JSONField(help_text="request number, asker, approvers")
    # When the cluster was first seen to have it, or a newer one.
    agreed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["bundle", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["bundle", "number"], name="clusters_revision_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="clusters_revision_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id}/{self.number}"


class BundleObject(models.Model):
    """What the portal remembers of one object: intent is written before the create, the uid after it."""

    STATES = [(s, s) for s in ("pending", "applied", "ready", "failed", "missing", "superseded", "removing", "gone")]

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="objects_kept")
    position = models.PositiveIntegerField(default=0)
    api_version = models.CharField(max_length=80)
    kind = models.CharField(max_length=80)
    namespace = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=64, blank=True)
    revision = models.PositiveBigIntegerField(help_text="the revision in which it last changed")
    # An object that this bundle has had is never silently created again.
    had = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=STATES, default="pending")
    message = models.JSONField(null=True, blank=True, help_text="a sentence, see web.sentences")
    usage = models.JSONField(default=dict, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["bundle", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["bundle", "api_version", "kind", "namespace", "name"], name="clusters_object_named_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"
