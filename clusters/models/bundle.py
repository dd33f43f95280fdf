"""Bundles: all objects the portal keeps in one cluster for one owner, their revisions, and the runs over them."""

import uuid

from django.db import models
from django.db.models import Q

from clusters.models.cluster import Cluster, workable_clusters
from work.models import WorkItem


class Bundle(WorkItem):
    """All objects the portal keeps in one cluster for one owner; a worker drives it until the cluster agrees.

    `generation` is the number of the wanted revision, `observed_generation` of the one the cluster was seen to have.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="bundles")
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")
    owner = models.CharField(max_length=200, help_text="whom it is kept for, as kind:id")
    namespace = models.CharField(max_length=63, blank=True, help_text="empty where all objects are cluster-scoped")
    # What this one lives in: created after it, removed before it (instances before their project).
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
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

    @classmethod
    def workable(cls) -> models.QuerySet["Bundle"]:
        """Nothing is done on a cluster whose circuit is open, or which waits for a person after a restore."""
        return cls.objects.filter(cluster__in=workable_clusters())


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


class BundleRun(models.Model):
    """One pass over a bundle that did something or failed, with what became of each object; the last ones are kept."""

    OUTCOMES = [(o, o) for o in ("ready", "committed", "waiting", "retrying", "blocked", "lost")]

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="runs")
    revision = models.PositiveBigIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=OUTCOMES)
    message = models.JSONField(null=True, blank=True, help_text="a sentence, see web.sentences")
    # [{"ref": {api_version, kind, namespace, name}, "outcome": "created", "message": a sentence or null}]
    objects_seen = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["bundle", "-id"]

    def __str__(self) -> str:
        return f"{self.bundle_id}/{self.revision} {self.outcome}"
