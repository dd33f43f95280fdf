"""Pure rules about bundles: digests, what changed between two revisions, and a bundle's state in one word."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from clusters import secrets

Manifest = dict[str, Any]
State = Literal["applying", "ready", "committed", "blocked", "retrying", "queued"]

_Kind = tuple[str, str]  # apiVersion and kind


class _Confinement(NamedTuple):
    """What bundles of one sort of owner may hold: kinds within the bundle's namespace, and kinds of the whole cluster
    with the one name they may have ({namespace}, {id}: of the bundle and its owner)."""

    within: frozenset[_Kind]
    beside: Mapping[_Kind, str]


# By the sort of the owner ("project" in "project:<uid>"); anything else is refused before it reaches a driver. Who
# keeps objects for somebody else adds a line here.
_CONFINEMENTS = {
    "project": _Confinement(
        frozenset(
            {
                ("v1", "ResourceQuota"),
                ("v1", "LimitRange"),
                ("networking.k8s.io/v1", "NetworkPolicy"),
                ("rbac.authorization.k8s.io/v1", "RoleBinding"),
            }
        ),
        {("v1", "Namespace"): "{namespace}"},
    ),
    "tenant": _Confinement(frozenset(), {("quota.openshift.io/v1", "ClusterResourceQuota"): "portal-{id}"}),
}


class NotConfined(ValueError):
    """A rendered manifest is of a kind the owner may not have, or lies outside its namespace."""


def digest_of(value: object) -> str:
    """SHA-256 (hex) of the value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def reference(manifest: Manifest) -> tuple[str, str, str, str]:
    """(apiVersion, kind, namespace, name) of a manifest; namespace "" for cluster-scoped objects."""
    meta = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], meta.get("namespace", ""), meta["name"]


def check_confined(manifests: Sequence[Manifest], owner: str, namespace: str) -> None:
    """Raises NotConfined unless every manifest is of a kind that a bundle of `owner` ("project:<uid>") may hold, lies
    within `namespace` or has the name that is its owner's, and is named once; SecretInPlain for values of Secrets."""
    sort, _colon, identity = owner.partition(":")
    limits = _CONFINEMENTS.get(sort)
    if limits is None:
        raise NotConfined(
            f"A bundle of {owner} may hold nothing: {sort} is not among {', '.join(sorted(_CONFINEMENTS))}"
        )
    seen = set()
    for manifest in manifests:
        api_version, kind, within, name = ref = reference(manifest)
        if ref in seen:
            raise NotConfined(f"{kind} {name} is rendered twice")
        seen.add(ref)
        pattern = limits.beside.get((api_version, kind))
        if pattern is not None:
            own = pattern.format(namespace=namespace, id=identity)
            if within or not own or name != own:
                raise NotConfined(f"{kind} {name} lies outside of {owner}: allowed is the name {own}")
        elif (api_version, kind) not in limits.within:
            allowed = ", ".join(sorted(kind for _version, kind in limits.within | limits.beside.keys()))
            raise NotConfined(f"{api_version} {kind} {name} may not be in a bundle of a {sort}: allowed are {allowed}")
        elif not namespace or within != namespace:
            raise NotConfined(f"{kind} {name} lies outside of the namespace {namespace}")
    secrets.check_none_in_plain(manifests)


def difference(before: Manifest | None, after: Manifest) -> list[list[Any]]:
    """[path, old, new] of every leaf that differs, sorted by path; a list counts as one leaf. Of a Secret's values only
    that they differ."""
    old, new = flat(before or {}), flat(after)
    paths = [path for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path)]
    if secrets.is_secret(after):
        return [[path, *(secrets.redacted(path, leaves.get(path)) for leaves in (old, new))] for path in paths]
    return [[path, old.get(path), new.get(path)] for path in paths]


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The leaves of nested mappings by dotted path."""
    if not isinstance(value, dict) or not value:
        return {path: value} if path else {}
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        leaves |= flat(inner, f"{path}.{key}" if path else key)
    return leaves


def numbered(manifests: Sequence[Manifest], before: Sequence[Mapping[str, Any]], number: int) -> list[dict[str, Any]]:
    """The manifests of revision `number`, each with the revision in which it last changed; `before` is the list of
    the revision that went before."""
    old = {reference(entry["manifest"]): entry for entry in before}
    wanted = []
    for manifest in manifests:
        entry = old.get(reference(manifest))
        same = entry is not None and entry["manifest"] == manifest
        wanted.append({"manifest": manifest, "changed_in": entry["changed_in"] if same and entry else number})
    return wanted


def commit_message(title: str, provenance: Mapping[str, Any]) -> str:
    """What a commit in Git says: the title, and as trailers the request, who asked and who approved."""
    trailers = [("Request", provenance.get("request")), ("Asked-by", provenance.get("asker"))]
    trailers += [("Approved-by", name) for name in provenance.get("approvers", [])]
    lines = [f"{key}: {' '.join(str(value).split())}" for key, value in trailers if value]
    return "\n".join([" ".join(title.split()), "", *lines, ""])


def state_of(
    *,
    generation: int,
    observed: int,
    blocked: bool,
    attempts: int,
    can_observe: bool,
    started: bool,
    committed: bool = False,
) -> State:
    """A bundle's state in one word. committed is the last thing known of a cluster that cannot be observed; of one
    that can be it comes before ready (`committed`: the wanted revision is in Git)."""
    if blocked:
        return "blocked"
    if observed >= generation:
        return "ready" if can_observe else "committed"
    if attempts:
        return "retrying"
    if committed:
        return "committed"
    return "applying" if started else "queued"
