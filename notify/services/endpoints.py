"""Endpoints of webhooks: registered, changed, switched on and off, their secrets rotated, deliveries sent again."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import services as audit
from notify import permissions, posting, queries, signing
from notify.events import EVENTS
from notify.models import Delivery, Endpoint
from notify.services.publishing import publish_test
from notify.services.telling import Notice, tell
from web import sealing
from web.addresses import AddressRefused
from web.errors import Conflict, Invalid, NotFound
from web.sentences import Sentence

MOST_ENDPOINTS = 20
LONGEST_OVERLAP_HOURS = 168


def register_endpoint(
    *, tenant: str, url: str, events: Collection[str], description: str, by: User, at: datetime
) -> tuple[Endpoint, str]:
    """A new endpoint of the tenant (its code; "": of the whole portal), and its secret, which is shown once. Raises
    NotFound, Forbidden, Invalid, Conflict for one too many."""
    is_code = bool(tenant) and tenant.isprintable()
    owner = queries.tenants_managed_by(by).filter(code=tenant).first() if is_code else None
    if tenant and owner is None:
        raise Invalid(_("Please correct the marked fields."), {"/tenant": _("You own no such tenant.")})
    permissions.check_manage(by, owner)
    values = _checked(url, events, description)
    secret = signing.new_secret()
    endpoint = Endpoint(tenant=owner, created_by=by, created_at=at, **values)
    endpoint.secret_sealed = sealing.seal(secret, signing.place_of(endpoint, "secret"))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        if Endpoint.objects.filter(tenant=owner).count() >= MOST_ENDPOINTS:
            raise Conflict(_("There are %(count)s endpoints already.") % {"count": MOST_ENDPOINTS})
        endpoint.save(force_insert=True)
        _record(endpoint, "register", by, at, after=values)
    return endpoint, secret


def change_endpoint(
    *, uid: UUID, url: str, events: Collection[str], description: str, by: User, at: datetime
) -> Endpoint:
    """Another address, other events. Raises NotFound, Forbidden, Invalid."""
    # Whoever may not change it has no name resolved; and no row is locked meanwhile.
    permissions.check_manage(by, _found(queries.endpoints_visible_to(by), uid).tenant)
    values = _checked(url, events, description)
    with transaction.atomic():
        endpoint = _locked(uid, by)
        before = {name: getattr(endpoint, name) for name in ("url", "events", "description")}
        if values != before:
            Endpoint.objects.filter(pk=endpoint.pk).update(**values)
            _record(endpoint, "change", by, at, before=before, after=values)
    return Endpoint.objects.select_related("tenant", "created_by").get(pk=endpoint.pk)


@transaction.atomic
def remove_endpoint(*, uid: UUID, by: User, at: datetime) -> None:
    """Forgets the endpoint with its deliveries. Raises NotFound, Forbidden."""
    endpoint = _locked(uid, by)
    _record(endpoint, "remove", by, at, before={"url": endpoint.url, "events": endpoint.events})
    endpoint.delete()


@transaction.atomic
def rotate_secret(*, uid: UUID, hours: int, by: User, at: datetime) -> tuple[Endpoint, str]:
    """A new secret, shown once; the one until now signs as well for `hours` (0 to 168). Raises NotFound, Forbidden,
    Invalid."""
    endpoint = _locked(uid, by)
    if not 0 <= hours <= LONGEST_OVERLAP_HOURS:
        text = _("Between 0 and %(most)s hours.") % {"most": LONGEST_OVERLAP_HOURS}
        raise Invalid(_("Please correct the marked fields."), {"/hours": text})
    secret = signing.new_secret()
    endpoint.old_secret_sealed, endpoint.old_secret_until = "", None
    if hours:
        old = sealing.unseal(endpoint.secret_sealed, signing.place_of(endpoint, "secret"))
        endpoint.old_secret_sealed = sealing.seal(old, signing.place_of(endpoint, "old_secret"))
        endpoint.old_secret_until = at + timedelta(hours=hours)
    endpoint.secret_sealed = sealing.seal(secret, signing.place_of(endpoint, "secret"))
    endpoint.save(update_fields=["secret_sealed", "old_secret_sealed", "old_secret_until"])
    _record(endpoint, "rotate-secret", by, at, after={"overlap_hours": hours})
    return endpoint, secret


@transaction.atomic
def enable_endpoint(*, uid: UUID, by: User, at: datetime) -> Endpoint:
    """Sends to it again, also what waited. Raises NotFound, Forbidden, Conflict where it is on already."""
    endpoint = _locked(uid, by)
    if endpoint.disabled_at is None:
        raise Conflict(_("It is switched on already."))
    endpoint.disabled_at = endpoint.disabled_reason = None
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    endpoint.deliveries.filter(due_at__isnull=False).update(due_at=at)
    _record(endpoint, "enable", by, at)
    return endpoint


@transaction.atomic
def disable_endpoint(*, uid: UUID, by: User, at: datetime) -> Endpoint:
    """Sends nothing to it for now. Raises NotFound, Forbidden, Conflict where it is off already."""
    endpoint = _locked(uid, by)
    if endpoint.disabled_at is not None:
        raise Conflict(_("It is switched off already."))
    endpoint.disabled_at = at
    endpoint.save(update_fields=["disabled_at"])
    _record(endpoint, "disable", by, at)
    return endpoint


def switch_off(*, endpoint: int, reason: Sentence, at: datetime) -> None:
    """The portal itself gives an endpoint (its pk) up, in the caller's transaction, and tells its owners why."""
    if not Endpoint.objects.filter(pk=endpoint, disabled_at__isnull=True).update(
        disabled_at=at, disabled_reason=reason.stored()
    ):
        return
    found = Endpoint.objects.select_related("tenant").get(pk=endpoint)
    text = gettext_noop("The webhook to %(url)s is switched off: %(reason)s")
    sentence = Sentence(text, {"url": found.url, "reason": reason})
    link = reverse("webhook", args=[found.uid])
    about = f"webhook:{found.uid}"
    people = queries.keepers_of(found)
    tell(notices=[Notice(one, "webhook.disabled", "portal", sentence, link, about) for one in people], at=at)
    _record(found, "disable", None, at, after=reason.stored())


@transaction.atomic
def send_test(*, uid: UUID, by: User, at: datetime) -> Delivery:
    """An event that says nothing but that it works. Raises NotFound, Forbidden, Conflict where it is switched off."""
    endpoint = _locked(uid, by)
    if endpoint.disabled_at is not None:
        raise Conflict(_("It is switched off already."))
    _record(endpoint, "test", by, at)
    return publish_test(endpoint=endpoint, at=at)


@transaction.atomic
def replay(*, uid: UUID, delivery: int, by: User, at: datetime) -> Delivery:
    """Sends a delivery (its pk) again, with the id that it had, by the schedule from its beginning. Raises NotFound,
    Forbidden, Conflict while it is under way."""
    endpoint = _locked(uid, by)
    found = endpoint.deliveries.select_for_update(of=("self",)).filter(pk=delivery).first()
    if found is None:
        raise NotFound(_("There is no such delivery."))
    if found.lease_owner is not None or (found.state == "pending" and found.attempts == 0):
        raise Conflict(_("It is under way already."))
    again = {"state": "pending", "due_at": at, "attempts": 0, "offered_until": None, "generation": F("generation") + 1}
    Delivery.objects.filter(pk=found.pk).update(**again)
    _record(endpoint, "replay", by, at, after={"delivery": found.pk})
    return queries.deliveries_of(endpoint).get(pk=found.pk)


def _locked(uid: UUID, by: User) -> Endpoint:
    found = _found(queries.endpoints_visible_to(by).select_for_update(of=("self",)), uid)
    permissions.check_manage(by, found.tenant)
    return found


def _found(rows: QuerySet[Endpoint], uid: UUID) -> Endpoint:
    found = rows.filter(uid=uid).first()
    if found is None:
        raise NotFound(_("There is no such webhook."))
    return found


def _checked(url: str, events: Collection[str], description: str) -> dict[str, Any]:
    wrong = {}
    try:
        posting.resolved(posting.check_url(url))
    except AddressRefused as error:
        wrong["/url"] = str(error.sentence)
    if not set(events) <= set(EVENTS):
        wrong["/events"] = _("This is not one of the choices.")
    if len(description) > 200 or not all(letter.isprintable() for letter in description):
        wrong["/description"] = _("At most %(limit)s characters.") % {"limit": 200}
    if wrong:
        raise Invalid(_("Please correct the marked fields."), wrong)
    return {"url": url, "events": sorted(set(events)), "description": description.strip()}


def _record(
    endpoint: Endpoint, verb: str, by: User | None, at: datetime, before: Any = None, after: Any = None
) -> None:
    audit.record(
        actor=by,
        action=f"webhook.{verb}",
        subject=f"webhook:{endpoint.uid}",
        tenant=endpoint.tenant.code if endpoint.tenant else "",
        before=before,
        after=after,
        at=at,
    )
