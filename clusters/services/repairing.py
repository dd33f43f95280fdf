"""Bringing back what somebody changed or removed in a cluster, as it was approved."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import permissions
from clusters.drivers.base import ObjectRef
from clusters.models import Bundle, BundleObject, BundleRevision, DriftCheck
from clusters.queries import bundles_visible_to
from clusters.services.desired import set_desired
from web.errors import Conflict, NotFound
from web.sentences import shown

Entry = dict[str, Any]


def repairable(found: Iterable[Entry]) -> list[Entry]:
    """Of what was found (models.DriftCheck), what is the portal's to bring back."""
    return [entry for entry in found if entry["sort"] != "foreign" and not entry["place"]]


@transaction.atomic
def repair(*, bundle: UUID, by: User | None, at: datetime) -> BundleRevision:
    """Makes what was approved last wanted once more, as a revision of its own; `by` is None for the cluster's policy.

    Objects that are gone may be created again by it, and ones that were replaced are taken over, by the uid that was
    seen. Raises NotFound, Forbidden, or Conflict where a change is under way, nothing differs, or the cluster would
    refuse it.
    """
    rows = Bundle.objects.all() if by is None else bundles_visible_to(by)
    locked = rows.select_for_update(of=("self",)).select_related("cluster", "tenant").filter(uid=bundle).first()
    if locked is None:
        raise NotFound(_("There is no such bundle."))
    if by is not None:
        permissions.check_act_on(locked, by)
    _check_free(locked)
    entries = _to_repair(locked)
    # Not by the generation: after a restore that may be of a revision that was lost.
    last = locked.revisions.latest("number")
    refs = [entry["ref"] for entry in entries]
    _let_create(locked, entries)
    # It was approved by whoever approved what is wanted.
    provenance = last.provenance | {"repair": {"by": by.username if by else "", "objects": refs}}
    manifests = [entry["manifest"] for entry in last.objects_wanted]
    revision = set_desired(bundle=locked, manifests=manifests, state=last.state, provenance=provenance, by=by, at=at)
    audit.record(
        actor=by,
        action="bundle.drift-repair",
        subject=f"bundle:{locked.uid}",
        tenant=locked.tenant.code,
        after={"revision": revision.number, "objects": refs},
        at=at,
    )
    return revision


def _check_free(bundle: Bundle) -> None:
    if bundle.cluster.held_since is not None:
        raise Conflict(_("Nothing is written to this cluster until an administrator confirms it."))
    if bundle.observed_generation < bundle.generation and not bundle.blocked:
        raise Conflict(_("A change is under way, which brings back what differs."))


def _to_repair(bundle: Bundle) -> list[Entry]:
    """What differs and can be brought back; raises Conflict for nothing, or for what the cluster would refuse."""
    check = DriftCheck.objects.filter(bundle=bundle).first()
    entries = repairable(check.found) if check else []
    refused = next((entry["refused"] for entry in entries if entry["refused"]), None)
    if refused:
        raise Conflict(_("It cannot be brought back: %(reason)s") % {"reason": shown(refused)})
    if bundle.blocked:
        # A change that stopped, because somebody had removed what it was to change.
        seen = {ObjectRef(**entry["ref"]) for entry in entries}
        stopped = bundle.objects_kept.filter(state="missing")
        refs = [ObjectRef(row.api_version, row.kind, row.namespace, row.name) for row in stopped]
        entries += [{"ref": ref._asdict(), "sort": "missing", "uid": ""} for ref in refs if ref not in seen]
    if not entries:
        raise Conflict(_("Nothing differs from what was approved, so there is nothing to repair."))
    return entries


def _let_create(bundle: Bundle, entries: Iterable[Entry]) -> None:
    """Forgets what is gone, so that creating it is allowed, and takes what replaced it for the portal's."""
    for entry in entries:
        row = BundleObject.objects.filter(bundle=bundle, **entry["ref"])
        if entry["sort"] == "missing":
            row.update(had=False, uid="")
        elif entry["sort"] == "replaced":
            row.update(had=True, uid=entry["uid"])
