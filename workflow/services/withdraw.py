"""Taking a wish back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from web.errors import NotFound
from workflow import permissions, queries
from workflow.models import Request
from workflow.services.closing import close


@transaction.atomic
def withdraw(*, number: int, by: User, at: datetime) -> Request:
    """Withdraws an open request of one's own; of one for several environments those that are not decided yet.

    Raises NotFound, NotYours, AlreadyClosed.
    """
    request = queries.requests_visible_to(by).filter(pk=number).first()
    if request is None:
        raise NotFound(_("There is no such request."))
    permissions.check_withdraw(request, by)
    rows = Request.objects.select_for_update(of=("self",)).select_related("tenant", "asker").order_by("pk")
    children = list(rows.filter(parent_id=number))
    if not children:
        locked = rows.get(pk=number)
        permissions.check_withdraw(locked, by)
        close(locked, "withdraw", by=by, at=at)
        return locked
    still_open = [child for child in children if child.is_open]
    if not still_open:
        permissions.check_withdraw(rows.get(pk=number), by)
    for child in still_open:
        close(child, "withdraw", by=by, at=at)
    return Request.objects.get(pk=number)
