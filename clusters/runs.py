"""The record of runs over a bundle: when, how it ended, and what became of each object."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from clusters.drivers.base import ObjectRef
from clusters.models import Bundle, BundleRun
from web import measures
from web.sentences import Sentence

# Of one bundle; older ones are let go of.
RUNS_KEPT = 50


class Record:
    """One run while it goes on; nothing is stored before `keep`."""

    def __init__(self, bundle: Bundle, revision: int) -> None:
        self._bundle = bundle
        self._revision = revision
        self._began_at = timezone.now()
        self._objects: list[dict[str, Any]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done to any object."""
        return not self._objects

    def add(self, ref: ObjectRef, outcome: str, message: Sentence | None = None) -> None:
        """What became of one object: the driver's outcome, or refused, removing, gone."""
        said = message.stored() if message else None
        self._objects.append({"ref": ref._asdict(), "outcome": outcome, "message": said})

    def keep(self, outcome: str, message: Mapping[str, Any] | None = None) -> None:
        """Stores the run; one that failed exactly as the one before it only moves that one's end."""
        now = timezone.now()
        measures.count("portal_reconcile_passes_total", cluster=self._bundle.cluster.name, outcome=outcome)
        took = (now - self._began_at).total_seconds()
        measures.observe("portal_reconcile_duration_seconds", took, outcome=outcome)
        told = {"outcome": outcome, "revision": self._revision, "message": message}
        if outcome == "retrying":
            last = self._bundle.runs.first()
            if last is not None and told == {name: getattr(last, name) for name in told}:
                BundleRun.objects.filter(pk=last.pk).update(ended_at=now)
                return
        BundleRun.objects.create(
            bundle=self._bundle, began_at=self._began_at, ended_at=now, objects_seen=self._objects, **told
        )
        oldest = self._bundle.runs.values("pk")[RUNS_KEPT : RUNS_KEPT + 1]
        self._bundle.runs.filter(pk__lte=oldest).delete()
