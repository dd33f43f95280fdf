"""Reading what happened: only ever what a person may see."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from audit.models import Event, Seal
from clusters.queries import bundles_visible_to
from portal.permissions import owned_codes, reads_all_events
from tenants.models import Project
from tenants.queries import tenants_visible_to


def events_visible_to(user: User) -> QuerySet[Event]:
    """All for auditors and administrators; for owners what happened to their tenants, which the event itself names."""
    if reads_all_events(user):
        return Event.objects.all()
    # Asked beforehand: with a list of codes each has its part of an index.
    return Event.objects.filter(tenant__in=owned_codes(user))


def seals_visible_to(user: User) -> QuerySet[Seal]:
    """All for auditors and administrators, without the digests; none for others."""
    return Seal.objects.defer("digests") if reads_all_events(user) else Seal.objects.none()


def seal_over(event: int, user: User) -> Seal | None:
    """The seal that covers an event, of those the person may see; None before it is sealed."""
    # The batches of other times may reach around it, where an event committed late; they are few.
    near = seals_visible_to(user).filter(first_id__lte=event, last_id__gte=event).order_by("last_id")
    for seal in near.iterator(chunk_size=20):
        if any(first <= event <= last for first, last in seal.runs):
            return seal
    return None


def names_of_projects(user: User, uids: Iterable[UUID]) -> dict[str, tuple[str, bool]]:
    """{uid: (namespace, whether it is there still)} of the projects among them that the person may see."""
    found = Project.objects.filter(uid__in=uids, tenant__in=tenants_visible_to(user))
    rows = found.values_list("uid", "namespace", "gone_at")
    return {str(uid): (namespace, gone_at is None) for uid, namespace, gone_at in rows}


def names_of_bundles(user: User, uids: Iterable[UUID]) -> dict[str, str]:
    """{uid: cluster/namespace} of the bundles among them that the person may see."""
    rows = bundles_visible_to(user).filter(uid__in=uids).values_list("uid", "cluster__name", "namespace", "owner")
    return {str(uid): f"{cluster}/{namespace or owner}" for uid, cluster, namespace, owner in rows}
