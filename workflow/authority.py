"""In whose place somebody may decide now: their own, and those of who delegated to them."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ADMINISTRATORS, User
from workflow.models import Decision, Delegation, Request, Step


def active_delegations(at: datetime | Now) -> models.QuerySet[Delegation]:
    """Delegations in force at `at`, which may be the database's own clock."""
    return Delegation.objects.filter(revoked_at__isnull=True, starts_at__lte=at, ends_at__gt=at)


def delegations_to(user: User, at: datetime | Now) -> models.QuerySet[Delegation]:
    """Those by which the person decides for others now, oldest first."""
    return active_delegations(at).filter(to=user, by__is_active=True).order_by("id")


def delegators_of(user: User, at: datetime) -> list[User]:
    """Who delegated to this person for now. What they hold by delegation themselves is not among what they pass on,
    because only their own groups are asked for."""
    held = delegations_to(user, at).select_related("by")
    return list({delegation.by_id: delegation.by for delegation in held}.values())


def principals_for(user: User, group: str, at: datetime) -> list[User]:
    """Whose place in the group (its slug) this person could fill, their own first; none: []."""
    own = [user.owner or user] if group in user.approver_slugs else []
    return own + [one for one in delegators_of(user, at) if group in one.approver_slugs]


def deciders_of(request: Request, group: str, at: datetime) -> list[tuple[User, User | None]]:
    """(person, in whose place; None: their own) of everybody the portal knows who may decide the request for the group
    (its slug) now: never who asked, nor who has spoken in this round already."""
    role = "administrator" if group == ADMINISTRATORS else f"approver:{group}"
    spoken = request.decisions.filter(voided_at__isnull=True)
    people = User.objects.filter(is_active=True, owner__isnull=True).exclude(pk=request.asker.principal_id)
    people = people.exclude(pk__in=spoken.values("principal")).exclude(pk__in=spoken.values("speaker"))
    members = list(people.filter(roles__contains=[role]).order_by("pk"))
    own = [one.pk for one in members]
    given = active_delegations(at).filter(by__in=people, by__roles__contains=[role], to__in=people)
    held = given.exclude(to__in=own).select_related("by", "to").order_by("-id")
    return [(one, None) for one in members] + [(one.to, one.by) for one in held]


def decides_anything(user: User, at: datetime) -> bool:
    """Whether the person has an inbox at all."""
    return bool(user.approver_slugs) or any(one.approver_slugs for one in delegators_of(user, at))


def waiting_for(user: User, at: datetime) -> Q:
    """The condition on requests whose current step this person may decide now."""
    said = Decision.objects.filter(voided_at__isnull=True)
    person = user.principal_id
    places = [(user.owner or user, user.approver_slugs)] if user.approver_slugs else []
    places += [(one, one.approver_slugs) for one in delegators_of(user, at) if one.approver_slugs]
    waiting = Q(pk__in=[])
    for principal, groups in places:
        steps = Step.objects.filter(state="current", group__slug__in=groups).values("request")
        spoken = said.filter(Q(principal=principal) | Q(speaker=principal)).values("request")
        own = Q(asker=principal) | Q(asker__owner=principal)
        waiting |= Q(pk__in=steps) & ~own & ~Q(pk__in=spoken)
    mine = Q(asker=person) | Q(asker__owner=person)
    spoken = said.filter(Q(principal=person) | Q(speaker=person)).values("request")
    return waiting & ~mine & ~Q(pk__in=spoken)
