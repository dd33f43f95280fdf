"""What happens when a request is approved: the kind carries it out, and a worker makes the cluster agree.

First hop: `Kind.carry_out` writes rows and a revision of the bundle (clusters.services.set_desired). Second hop: the
row is due, so a worker runs clusters.reconcile.reconcile.
"""

from datetime import datetime

from accounts.models import User
from audit import services as audit
from workflow import machine
from workflow.kinds import kind_of
from workflow.models import Request
from workflow.services import planning


def approve(request: Request, *, by: User | None, at: datetime) -> None:
    """Moves a locked request to approved and carries it out in the same transaction; no `by` means the policy."""
    request.state = machine.after(request.state, "approve")
    request.closed_at = at
    revision = kind_of(request.kind).carry_out(request, planning.render(request), by, at)
    request.bundle_id, request.revision = revision.bundle_id, revision.number
    request.save(update_fields=["state", "closed_at", "bundle", "revision"])
    audit.record(
        actor=by,
        action="request.approve",
        subject=f"request:{request.number}",
        tenant=request.tenant.code,
        before={"state": machine.SUBMITTED},
        after={"state": request.state, "policy": request.policy.slug, "revision": revision.number},
        at=at,
    )


def approvers(request: Request) -> list[str]:
    """User names of those who approved, in the order of their decisions."""
    return [
        d.by.username for d in request.decisions.filter(verdict="approve", voided_at__isnull=True).select_related("by")
    ]
