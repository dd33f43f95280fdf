"""Who owns which field of a live object, in Kubernetes' managedFields, and what others added to closed kinds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clusters import secrets
from clusters.drivers.base import FIELD_MANAGER, Manifest

# Kinds that count as a whole, by the parts compared: a key that somebody adds to a quota or a policy changes what the
# portal promised, though it is none of the portal's fields.
CLOSED_KINDS: Mapping[str, tuple[str, ...]] = {
    "ResourceQuota": ("spec",),
    "LimitRange": ("spec",),
    "NetworkPolicy": ("spec",),
    "RoleBinding": ("roleRef", "subjects"),
    "ClusterResourceQuota": ("spec",),
}

Path = tuple[str, ...]


def as_applied(live: Manifest) -> list[dict[str, Any]] | None:
    """managedFields with what the portal's POST owns turned into what its apply owns; None if that is so already.

    A created object belongs to the manager's "Update" entry. Left there, a later apply without a field would not
    remove it, since two entries own it. (client-go does the same when kubectl moves to server-side apply.)
    """
    entries: list[dict[str, Any]] = live["metadata"].get("managedFields") or []
    created = [entry for entry in entries if _is_ours(entry, "Update")]
    if not created:
        return None
    applied = next((entry for entry in entries if _is_ours(entry, "Apply")), {**created[0], "operation": "Apply"})
    fields = applied["fieldsV1"]
    for entry in created:
        fields = _united(fields, entry["fieldsV1"])
    if secrets.is_secret(live):
        # Values are nobody's: an apply, which does not say them, would else remove them.
        fields = {key: inner for key, inner in fields.items() if key != "f:data"}
    others = [entry for entry in entries if not _is_ours(entry, "Update") and not _is_ours(entry, "Apply")]
    return [*others, {**applied, "fieldsV1": fields}]


def additions(live: Manifest, body: Manifest) -> list[Path]:
    """Paths of keys that a live object of a closed kind has in its compared parts and `body` has not."""
    parts = CLOSED_KINDS.get(body["kind"], ())
    return [path for part in parts for path in _missing(live.get(part), body.get(part), (part,))]


def without(manifest: Manifest, paths: list[Path]) -> Manifest:
    """A copy of the manifest without the keys at these paths."""
    heads = {path[0] for path in paths if len(path) == 1}
    copy: Manifest = {}
    for key, value in manifest.items():
        inner = [path[1:] for path in paths if path[0] == key and len(path) > 1]
        if key not in heads:
            copy[key] = without(value, inner) if inner else value
    return copy


def removals(paths: list[Path]) -> list[dict[str, Any]]:
    """The JSON patch that removes these paths (RFC 6901 escapes)."""
    escaped = ["/".join(part.replace("~", "~0").replace("/", "~1") for part in path) for path in paths]
    return [{"op": "remove", "path": f"/{path}"} for path in escaped]


def writer_of(live: Manifest, paths: Sequence[str]) -> tuple[str, str]:
    """(managers, time) of those beside the portal who own what lies at these dotted paths; whoever wrote last where
    nobody does, since what was removed has no owner."""
    entries = [entry for entry in _others(live) if any(_owns(entry["fieldsV1"], path) for path in paths)]
    return _manager_and_time(entries) if entries else newest_writer(live)


def newest_writer(live: Manifest) -> tuple[str, str]:
    """(manager, time) of who beside the portal wrote the object last; ("", "") for nobody."""
    newest = max(_others(live), key=lambda entry: str(entry.get("time", "")), default=None)
    return ("", "") if newest is None else _manager_and_time([newest])


def _others(live: Manifest) -> list[dict[str, Any]]:
    """Entries of everybody but the portal; status is written by controllers."""
    entries = live["metadata"].get("managedFields") or []
    return [entry for entry in entries if entry["manager"] != FIELD_MANAGER and not entry.get("subresource")]


def _manager_and_time(entries: Sequence[dict[str, Any]]) -> tuple[str, str]:
    managers = sorted({str(entry["manager"]) for entry in entries})
    return ", ".join(managers), max(str(entry.get("time", "")) for entry in entries)


def _owns(fields: Mapping[str, Any], path: str) -> bool:
    """Whether fieldsV1 has something at the path, or below it; keys may have dots of their own."""
    for key, inner in fields.items():
        name = key.removeprefix("f:")
        if name == path or (path.startswith(f"{name}.") and _owns(inner, path[len(name) + 1 :])):
            return True
    return False


def _is_ours(entry: Mapping[str, Any], operation: str) -> bool:
    return entry["manager"] == FIELD_MANAGER and entry["operation"] == operation and not entry.get("subresource")


def _united(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {key: _united(one.get(key, {}), other.get(key, {})) for key in one | other}


def _missing(live: Any, body: Any, path: Path) -> Iterator[Path]:
    if live is not None and body is None:
        yield path
    if not isinstance(live, dict) or not isinstance(body, dict):
        return
    for key, value in live.items():
        yield from _missing(value, body.get(key), (*path, key))
