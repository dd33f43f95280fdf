"""Figures of the whole portal, each read from the database in one statement: how much there is, how old, how long."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q

from accounts import emergency
from audit.models import Seal, Unsealed
from clusters.models import Bundle, Cluster, Health
from clusters.tallies import Tally, tallies_of
from work.models import WorkItem
from workflow.models import Decision, Request

# Upper bounds in seconds: a minute to ten days, and a second to an hour.
DECIDING = (60, 600, 3600, 14_400, 28_800, 86_400, 172_800, 432_000, 864_000)
APPLYING = (1, 2, 5, 10, 30, 60, 300, 1800, 3600)

_DECIDED = """
    SELECT kind, state, width_bucket(extract(epoch FROM closed_at - submitted_at)::float8, %s::float8[]),
           count(*), sum(extract(epoch FROM closed_at - submitted_at))
    FROM workflow_request WHERE closed_at IS NOT NULL AND policy_id IS NOT NULL GROUP BY 1, 2, 3
"""
_APPLIED = """
    SELECT request.kind, width_bucket(extract(epoch FROM revision.agreed_at - request.closed_at)::float8, %s::float8[]),
           count(*), sum(extract(epoch FROM revision.agreed_at - request.closed_at))
    FROM workflow_outcome outcome JOIN workflow_request request ON request.id = outcome.request_id
    JOIN clusters_bundlerevision revision
        ON revision.bundle_id = outcome.bundle_id AND revision.number = outcome.revision
    WHERE revision.agreed_at IS NOT NULL AND request.closed_at IS NOT NULL GROUP BY 1, 2
"""
# (labels, count, sum) of one bucket; buckets are numbered from 0, the last one is beyond all bounds.
Bucket = tuple[tuple[str, ...], int, int, float]


def requests() -> Iterator[tuple[str, str, int]]:
    """(kind, state, how many)."""
    rows: Any = Request.objects.order_by().values_list("kind", "state").annotate(Count("pk"))
    yield from rows


def decisions() -> Iterator[tuple[str, int]]:
    """(verdict, how many)."""
    rows: Any = Decision.objects.order_by().values_list("verdict").annotate(Count("pk"))
    yield from rows


def deciding() -> Iterator[Bucket]:
    """How long requests took until they were decided or over: ((kind, outcome), bucket, how many, seconds)."""
    for kind, state, place, count, seconds in _rows(_DECIDED, [list(DECIDING)]):
        yield (kind, state), place, count, float(seconds)


def applying() -> Iterator[Bucket]:
    """How long it took from the approval until a cluster had it: ((kind,), bucket, how many, seconds)."""
    for kind, place, count, seconds in _rows(_APPLIED, [list(APPLYING)]):
        yield (kind,), place, count, float(seconds)


def work(at: datetime) -> Iterator[tuple[str, int, float, int, int]]:
    """(model, due now, seconds since the oldest of them became due, being worked on, failed last time); a statement for
    each model. What may not be worked on now, behind an open circuit, is not called due."""
    for label, _handler in settings.WORK_ITEMS:
        model: type[WorkItem] = apps.get_model(label)
        is_free = Q(lease_until__isnull=True) | Q(lease_until__lt=at)
        is_due = is_free & Q(due_at__lte=at, pk__in=model.workable().values("pk"))
        is_leased, is_failing = Q(lease_until__gte=at), Q(attempts__gt=0)
        # Most rows sleep, and are left out by an index.
        told = model._default_manager.filter(Q(due_at__lte=at) | is_leased | is_failing).aggregate(
            due=Count("pk", filter=is_due),
            since=Min("due_at", filter=is_due),
            leased=Count("pk", filter=is_leased),
            failing=Count("pk", filter=is_failing),
        )
        age = (at - told["since"]).total_seconds() if told["since"] else 0.0
        yield label, told["due"], age, told["leased"], told["failing"]


def clusters() -> list[tuple[Health, Tally]]:
    """How each cluster is, with the numbers of its bundles by state."""
    rows = list(
        Health.objects.filter(cluster__is_active=True)
        .select_related("cluster")
        .only("open_since", "checked_at", "cluster__name", "cluster__held_since")
    )
    tallies = tallies_of(Bundle.objects.all(), [Cluster(pk=row.cluster_id) for row in rows])
    return [(row, tallies[row.cluster_id]) for row in rows]


def sealing() -> tuple[int, int, datetime | None]:
    """(events that wait to be sealed, number of the newest seal or 0, when that was)."""
    newest = Seal.objects.aggregate(number=Max("number"), at=Max("at"))
    return Unsealed.objects.count(), newest["number"] or 0, newest["at"]


def emergencies(at: datetime) -> int:
    """How many accounts of emergency access are open."""
    return emergency.open_at(at).count()


def _rows(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
