"""Whether a cluster still has what was applied."""

from django.db import models

from clusters.models.bundle import Bundle
from clusters.models.cluster import workable_clusters
from work.models import WorkItem


class DriftCheck(WorkItem):
    """One bundle compared with its cluster again and again, once the cluster had agreed with it.

    `found`: [{"ref": {api_version, kind, namespace, name}, "sort": "changed" | "missing" | "foreign" | "replaced",
    "place": "" | "observed", "fields": [[path, live, wanted], ...], "uid", "by" (field manager), "at" (when it wrote),
    "since" (when it was first found), "refused", "held_back" (sentences or null)}]; see clusters.drivers.base.Finding.
    held_back is why it is not brought back without a person. Foreign are objects of others that are only listed.
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
