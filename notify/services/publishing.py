"""Telling endpoints what happened."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from notify.events import EVENTS, TEST
from notify.models import Delivery, Endpoint, Occurrence
from notify.services.telling import NotInTransaction


def publish(*, event: str, tenant: int | None, data: dict[str, Any], at: datetime) -> None:
    """Writes what happened (one of events.EVENTS) for the endpoints that want it, in the caller's transaction: those of
    the tenant (its id) and of the whole portal. Raises NotInTransaction."""
    if not connection.in_atomic_block:
        raise NotInTransaction
    assert event in EVENTS, event
    whose = Q(tenant__isnull=True) | Q(tenant=tenant) if tenant is not None else Q(tenant__isnull=True)
    wanted = Q(events=[]) | Q(events__contains=[event])
    found = list(Endpoint.objects.filter(whose, wanted, disabled_at__isnull=True).order_by())
    if found:
        _send(found, Occurrence.objects.create(type=event, data=data, at=at), at)


def publish_test(*, endpoint: Endpoint, at: datetime) -> Delivery:
    """A delivery to one endpoint that says nothing but that it works."""
    return _send([endpoint], Occurrence.objects.create(type=TEST, data={"endpoint": str(endpoint.uid)}, at=at), at)[0]


def _send(endpoints: list[Endpoint], occurrence: Occurrence, at: datetime) -> list[Delivery]:
    return Delivery.objects.bulk_create(
        Delivery(
            endpoint=one,
            occurrence=occurrence,
            created_at=at,
            due_at=at,
            generation=1,
            # Of each endpoint's own, so that one that hangs delays no other.
            lane=f"webhook:{one.pk}",
        )
        for one in endpoints
    )
