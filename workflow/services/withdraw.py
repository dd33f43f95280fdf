"""Taking a wish back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from web.errors import NotFound
from workflow import machine, permissions, queries
from workflow.models import Request


@transaction.atomic
def withdraw(*, number: int, by: User, at: datetime) -> Request:
    """Withdraws an open request of one's own. Raises NotFound, NotYours, AlreadyClosed."""
    if not queries.requests_visible_to(by).filter(pk=number).exists():
        raise NotFound(_("There is no such request."))
    request = Request.objects.select_for_update(of=("self",)).select_related("tenant", "asker").get(pk=number)
    permissions.check_withdraw(request, by)
    request.state, request.closed_at = machine.after(request.state, "withdraw"), at
    request.save(update_fields=["state", "closed_at"])
    request.steps.filter(state__in=["waiting", "current"]).update(state="skipped", closed_at=at)
    audit.record(
        actor=by,
        action="request.withdraw",
        subject=f"request:{request.number}",
        tenant=request.tenant.code,
        before={"state": machine.SUBMITTED},
        after={"state": request.state},
        at=at,
    )
    return request
