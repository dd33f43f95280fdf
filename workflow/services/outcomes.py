"""From an approved request to what its bundles should be: each revision remembers who asked and who approved."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accounts.models import User
from clusters import services as fleet
from clusters.models import Bundle, BundleRevision
from clusters.rules import Manifest
from workflow.models import Outcome, Request


def set_desired(
    request: Request,
    *,
    bundle: Bundle,
    manifests: Sequence[Manifest],
    state: dict[str, Any],
    by: User | None,
    at: datetime,
    also: Mapping[str, Any] | None = None,
) -> BundleRevision:
    """Makes the manifests wanted for the bundle and writes down that this request did it; `also` is what its
    provenance says besides."""
    source = provenance(request) | dict(also or {})
    revision = fleet.set_desired(bundle=bundle, manifests=manifests, state=state, provenance=source, by=by, at=at)
    Outcome.objects.create(request=request, bundle=bundle, revision=revision.number)
    return revision


def set_desired_many(
    request: Request, *, aims: Sequence[fleet.Aim], by: User | None, at: datetime
) -> list[BundleRevision]:
    """As `set_desired` for several bundles, in the order given and in as many statements as for one."""
    revisions = fleet.set_desired_many(aims=aims, provenance=provenance(request), by=by, at=at)
    Outcome.objects.bulk_create(
        Outcome(request=request, bundle_id=revision.bundle_id, revision=revision.number) for revision in revisions
    )
    return revisions


def provenance(request: Request) -> dict[str, Any]:
    """{request (number), asker, approvers (user names)} for a revision and its audit event."""
    policy = f"policy: {request.policy.slug}" if request.policy else ""
    return {
        "request": request.number,
        "asker": request.asker.username,
        "approvers": approvers(request) or [policy],
    }


def approvers(request: Request) -> list[str]:
    """User names of those whose approvals count, in the order of their decisions."""
    said = request.decisions.filter(verdict="approve", voided_at__isnull=True)
    return list(said.order_by("at", "id").values_list("by__username", flat=True))
