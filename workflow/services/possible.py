"""Whether what was asked for is still possible at the moment it is approved, by a person or by its policy."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts import directory
from accounts.models import User
from accounts.services import PersonGone, refresh_person
from clusters.models import Cluster
from web.errors import Conflict
from workflow.kinds import kind_of
from workflow.models import Request
from workflow.permissions import NotYours


class NotPossibleNow(Conflict):
    """What the request rests on has changed: its cluster, or who asked."""

    code = "not-possible-now"


def check_still_possible(request: Request) -> None:
    """In the transaction of the approval: raises NotPossibleNow if the cluster no longer takes it or the asker may no
    longer ask for it."""
    kind = kind_of(request.kind)
    if request.cluster_id is not None:
        # Against its being taken out of service meanwhile; other requests may go on referring to it.
        request.cluster = Cluster.objects.select_for_update(no_key=True).get(pk=request.cluster_id)
        offered = not request.environment or request.environment in request.cluster.environments
        if not request.cluster.is_active or not offered or not kind.may_be_placed(request):
            raise NotPossibleNow(_("The cluster %(name)s no longer takes this.") % {"name": request.cluster.name})
    request.asker = User.objects.select_related("owner").get(pk=request.asker_id)
    active = request.asker.is_active and (request.asker.owner is None or request.asker.owner.is_active)
    if not active or not kind.may_still_ask(request):
        raise NotPossibleNow(_("%(who)s may no longer ask for this.") % {"who": request.asker})


def check_fresh(request: Request, principal: User, by: User, at: datetime) -> None:
    """Asks the directory anew about who asked and in whose place is decided, where their roles were not seen lately;
    outside of any transaction. Raises NotPossibleNow or NotYours for who is gone; while the directory does not answer
    what it said last counts, as for who is signed in."""
    try:
        _refreshed(request.asker, at)
    except PersonGone:
        raise NotPossibleNow(_("%(who)s may no longer ask for this.") % {"who": request.asker}) from None
    if principal.pk == by.principal_id:
        return
    try:
        _refreshed(principal, at)
    except PersonGone:
        raise NotYours(_("Who you stand in for is no longer in the directory.")) from None


def _refreshed(user: User, at: datetime) -> None:
    try:
        refresh_person(user=user, at=at)
    except directory.DirectoryUnavailable:
        return
