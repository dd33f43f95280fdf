"""Two revisions of a bundle beside each other."""

from typing import Any

from clusters import planning, rules
from clusters.models import BundleRevision

Change = dict[str, Any]


def changes_between(before: BundleRevision | None, after: BundleRevision) -> list[Change]:
    """What `after` has differently: [{"ref", "action": add|change|remove|keep, "fields": [[path, old, new], ...]}];
    None for before is nothing at all."""
    entries = before.objects_wanted if before else []
    old = {rules.reference(entry["manifest"]): entry["manifest"] for entry in entries}
    changes = planning.against_revision(entries, [entry["manifest"] for entry in after.objects_wanted])
    return [change | {"fields": _fields(change, old)} for change in changes]


def _fields(change: Change, old: dict[tuple[str, str, str, str], rules.Manifest]) -> list[list[Any]]:
    """Of what goes, all that it was: by the function that shows what is added, so that both keep the same back."""
    if change["action"] != "remove":
        return list(change["fields"])
    ref = change["ref"]
    gone = old[(ref["api_version"], ref["kind"], ref["namespace"], ref["name"])]
    return [[path, value, None] for path, _none, value in rules.difference(None, gone)]
