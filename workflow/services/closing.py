"""Ending a request without approval: one way for rejection, withdrawal and expiry."""

from datetime import datetime

from accounts.models import User
from audit import services as audit
from workflow import machine
from workflow.kinds import kind_of
from workflow.models import OpenTarget, Request
from workflow.services import families, notices, rounds


def close(request: Request, move: str, *, by: User | None, at: datetime) -> None:
    """Moves a locked request to its end by `move` (reject, withdraw, expire); what it held is given back, and others
    may ask for the same. Raises machine.NoSuchMove."""
    before = request.state
    request.state, request.closed_at = machine.after(request.state, move), at
    request.save(update_fields=["state", "closed_at"])
    rounds.end(request, at)
    rounds.stop_clock(request)
    free_targets(request)
    kind_of(request.kind).on_close(request, at)
    audit.record(
        actor=by,
        action=f"request.{move}",
        subject=f"request:{request.number}",
        tenant=request.tenant_code,
        before={"state": before},
        after={"state": request.state},
        at=at,
    )
    notices.announce(request, f"request.{request.state}", at)
    families.follow(request, at)


def free_targets(request: Request) -> None:
    """Other requests may be about the same from now on."""
    OpenTarget.objects.filter(request=request).delete()
