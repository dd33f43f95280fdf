"""Whether a live object does what it is there for, and a sentence if it does not; pure reading of its status."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_noop

from clusters.drivers.base import Manifest
from web.sentences import Sentence

# Kinds whose status counts replicas; acceptance says nothing (over quota a Deployment is accepted and stays empty).
_REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet")


def unready(live: Manifest) -> Sentence | None:
    """Why the object is not ready, in a sentence; None if it is."""
    if live["metadata"].get("deletionTimestamp"):
        return being_deleted(live)
    kind, status, words = live["kind"], live.get("status") or {}, {"name": live["metadata"]["name"]}
    if kind == "Namespace" and status.get("phase") != "Active":
        return Sentence(gettext_noop("Namespace %(name)s is not active yet."), words)
    if kind == "ResourceQuota" and status.get("hard", {}) != live.get("spec", {}).get("hard", {}):
        return Sentence(gettext_noop("The cluster has not taken over the quota %(name)s yet."), words)
    if kind in _REPLICATED:
        return _unreplicated(live, status)
    return _said(status.get("conditions"), ("Ready", "Available", "Established"), "False")


def being_deleted(live: Manifest) -> Sentence:
    """That the object is on its way out, and what a namespace says holds it up."""
    words = {"kind": live["kind"], "name": live["metadata"]["name"]}
    conditions = (live.get("status") or {}).get("conditions") or []
    waiting = [str(condition.get("message", "")) for condition in conditions if condition.get("status") == "True"]
    if not waiting:
        return Sentence(gettext_noop("%(kind)s %(name)s is being deleted."), words)
    text = gettext_noop("%(kind)s %(name)s is being deleted. The cluster says: %(message)s")
    return Sentence(text, {**words, "message": " ".join(waiting)})


def _unreplicated(live: Manifest, status: dict[str, Any]) -> Sentence | None:
    failure = _said(status.get("conditions"), ("ReplicaFailure",), "True")
    if failure:
        return failure
    stalled = _said(status.get("conditions"), ("Progressing",), "False")
    if stalled:
        return stalled
    wanted = live.get("spec", {}).get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    updated = status.get("updatedReplicas", 0) if live["kind"] != "ReplicaSet" else ready
    seen = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    if seen and ready >= wanted and updated >= wanted:
        return None
    words = {"kind": live["kind"], "name": live["metadata"]["name"], "ready": min(ready, updated), "wanted": wanted}
    return Sentence(gettext_noop("%(kind)s %(name)s: %(ready)d of %(wanted)d replicas are ready."), words)


def _said(conditions: Iterable[dict[str, Any]] | None, types: tuple[str, ...], status: str) -> Sentence | None:
    for condition in conditions or []:
        if condition.get("type") in types and condition.get("status") == status:
            message = str(condition.get("message") or condition.get("reason") or condition["type"])
            return Sentence(gettext_noop("The cluster says: %(message)s"), {"message": message})
    return None
