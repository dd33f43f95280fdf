"""Whether a live object does what it is there for, and a sentence if it does not; pure reading of its status."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from clusters.drivers.base import Manifest

# Kinds whose status counts replicas; acceptance says nothing (over quota a Deployment is accepted and stays empty).
_REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet")


def unready(live: Manifest) -> str:
    """Why the object is not ready, in a sentence; empty if it is."""
    if live["metadata"].get("deletionTimestamp"):
        return _being_deleted(live)
    kind, status = live["kind"], live.get("status") or {}
    if kind == "Namespace" and status.get("phase") != "Active":
        return _("Namespace %(name)s is not active yet.") % {"name": live["metadata"]["name"]}
    if kind == "ResourceQuota" and status.get("hard", {}) != live.get("spec", {}).get("hard", {}):
        return _("The cluster has not taken over the quota %(name)s yet.") % {"name": live["metadata"]["name"]}
    if kind in _REPLICATED:
        return _unreplicated(live, status)
    return _said(status.get("conditions"), ("Ready", "Available", "Established"), "False")


def usage(live: Manifest) -> dict[str, dict[str, str]]:
    """What a quota allows and what is in use, as quantities; empty for other kinds."""
    if live["kind"] != "ResourceQuota":
        return {}
    status = live.get("status") or {}
    return {"hard": status.get("hard", {}), "used": status.get("used", {})}


def _being_deleted(live: Manifest) -> str:
    words = {"kind": live["kind"], "name": live["metadata"]["name"]}
    sentence = _("%(kind)s %(name)s is being deleted.") % words
    # A namespace says there what holds it up.
    conditions = (live.get("status") or {}).get("conditions") or []
    waiting = [str(condition.get("message", "")) for condition in conditions if condition.get("status") == "True"]
    return " ".join([sentence, *waiting])


def _unreplicated(live: Manifest, status: dict[str, Any]) -> str:
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
        return ""
    words = {"kind": live["kind"], "name": live["metadata"]["name"], "ready": min(ready, updated), "wanted": wanted}
    return _("%(kind)s %(name)s: %(ready)d of %(wanted)d replicas are ready.") % words


def _said(conditions: Iterable[dict[str, Any]] | None, types: tuple[str, ...], status: str) -> str:
    for condition in conditions or []:
        if condition.get("type") in types and condition.get("status") == status:
            return str(condition.get("message") or condition.get("reason") or condition["type"])
    return ""
