"""What happens when a request is approved: the kind carries it out, and a worker makes the cluster agree.

First hop: `Kind.carry_out` writes rows and a revision of the bundle (services.outcomes). Second hop: the
row is due, so a worker runs clusters.reconcile.reconcile.
"""

from datetime import datetime

from accounts.models import User
from audit import services as audit
from workflow import machine
from workflow.kinds import kind_of
from workflow.models import Request
from workflow.services import closing, families, notices, rounds


def approve(request: Request, *, by: User | None, at: datetime) -> None:
    """Moves a locked request to approved and carries it out in the same transaction; no `by` means the policy."""
    assert request.policy is not None
    request.state = machine.after(request.state, "approve")
    request.closed_at = at
    request.save(update_fields=["state", "closed_at"])
    if by is not None or request.round > 1:
        rounds.stop_clock(request)
    closing.free_targets(request)
    kind_of(request.kind).carry_out(request, by, at)
    audit.record(
        actor=by,
        action="request.approve",
        subject=f"request:{request.number}",
        tenant=request.tenant_code,
        before={"state": machine.SUBMITTED},
        after={"state": request.state, "policy": request.policy.slug},
        at=at,
    )
    notices.announce(request, "request.approved", at)
    if by is not None:
        notices.no_longer_asked(request, at)
        notices.approved(request, by, at)
    families.follow(request, at)
