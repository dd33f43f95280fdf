"""Whether a cluster still has what was applied."""

from django.db import models

from clusters.models.bundle import Bundle
from clusters.models.cluster import workable_clusters
from work.models import WorkItem


class DriftCheck(WorkItem):
    """One bundle compared with its cluster again and again, once the cluster had agreed with it.

    `found`: [{"ref": {api_version, kind, namespace, name}, "sort": "changed" | "missing" | "foreign" | "replaced",
    "fields": [[path, live, wanted], ...]}]; foreign are objects of others that the portal only lists.
    """

    bundle = models.OneToOneField(Bundle, on_delete=models.CASCADE, related_name="drift")
    found = models.JSONField(default=list, blank=True)
    found_at = models.DateTimeField(null=True, blank=True, help_text="since when something is found")
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.JSONField(null=True, blank=True, help_text="why it could not be compared, see web.sentences")

    class Meta(WorkItem.Meta):
        pass

    def __str__(self) -> str:
        return f"drift of {self.bundle_id}"

    @classmethod
    def workable(cls) -> models.QuerySet["DriftCheck"]:
        """As its bundle."""
        return cls.objects.filter(bundle__cluster__in=workable_clusters())
