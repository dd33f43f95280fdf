"""Keeping what bundles use of their quotas: a sample of each observation, fewer of them the older they are."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil

from django.db import connection
from django.utils import timezone

from clusters import metering
from clusters.models import Bundle, BundleObject, UsageSample, UsageThinning
from clusters.models.usage import RESOURCES
from work.claims import Lease, guarded
from work.tasks import Pass

FINE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
# How long steps of each length are kept.
KEPT = {FINE: timedelta(days=2), HOUR: timedelta(days=30), DAY: timedelta(days=730)}
# While there is more to be dropped, and once there is not.
THIN_ON, THIN_EVERY = timedelta(seconds=1), timedelta(minutes=10)
# Rows that one pass drops at most.
MOST_DROPPED = 5000
# What a column of the database holds; nobody has more of anything, but anybody may write it into a quota.
MOST = 2**63 - 1

_COLUMNS = [f"{resource}_{what}" for resource in RESOURCES for what in ("used", "limit")]
_HIGHEST = {
    # GREATEST passes over nulls.
    column: f"GREATEST(sample.{column}, EXCLUDED.{column})"
    if column.endswith("_used")
    else f"COALESCE(EXCLUDED.{column}, sample.{column})"
    for column in _COLUMNS
}
# Written by hand, for the highest of two values; a row that stays as it is is not written again.
_TAKE = f"""
    INSERT INTO {UsageSample._meta.db_table} AS sample (bundle_id, step, at, {", ".join(_COLUMNS)})
    VALUES {{rows}}
    ON CONFLICT (bundle_id, step, at) DO UPDATE SET ({", ".join(_COLUMNS)}) = ROW({", ".join(_HIGHEST.values())})
    WHERE ({", ".join(f"sample.{column}" for column in _COLUMNS)}) IS DISTINCT FROM ({", ".join(_HIGHEST.values())})
"""  # nosec B608  # names of the model's own table and columns


def take(bundle: Bundle, rows: Iterable[BundleObject], at: datetime) -> None:
    """Notes what the bundle's quota was seen to use, in one statement; nothing where no quota says so. `rows` are its
    objects as they were observed `at`."""
    usage = next((row.usage for row in rows if row.kind == "ResourceQuota" and row.usage.get("used")), None)
    if usage is None:
        return
    used, limits = metering.amounts(usage["used"]), metering.amounts(usage.get("hard", {}))
    figures = [_storable(of.get(resource)) for resource in RESOURCES for of in (used, limits)]
    values = [[bundle.pk, seconds(step), begins(at, step), *figures] for step in KEPT]
    places = ", ".join(["(" + ", ".join(["%s"] * len(values[0])) + ")"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(rows=places), [value for row in values for value in row])


def begins(at: datetime, step: timedelta) -> datetime:
    """The beginning of the step that a moment lies in; a day is one of the portal's time zone."""
    local = timezone.localtime(at)
    ahead = int((local.utcoffset() or timedelta(0)).total_seconds())
    length = seconds(step)
    return datetime.fromtimestamp((int(at.timestamp()) + ahead) // length * length - ahead, UTC)


def seconds(step: timedelta) -> int:
    """The length of a step as rows name it."""
    return int(step.total_seconds())


def _storable(amount: Decimal | None) -> int | None:
    return None if amount is None else ceil(max(Decimal(0), min(amount, Decimal(MOST))))


def thin(lease: Lease) -> Pass:
    """Drops some of the samples that are older than steps of their length are kept."""
    return thin_at(lease, timezone.now())


def thin_at(lease: Lease, now: datetime) -> Pass:
    """As `thin`, at a given time."""
    dropped = 0
    with guarded(lease):
        for step, kept in KEPT.items():
            old = UsageSample.objects.filter(step=seconds(step), at__lt=now - kept).order_by("at")
            chosen = list(old.values_list("pk", flat=True)[: MOST_DROPPED - dropped])
            dropped += UsageSample.objects.filter(pk__in=chosen).delete()[0]
    return Pass(observed=lease.generation, after=THIN_ON if dropped >= MOST_DROPPED else THIN_EVERY)


def keep_thinning(*, at: datetime) -> None:
    """Sees to it that there is the row that has old samples dropped; where it is new, nothing is old yet."""
    first = UsageThinning(pk=1, lane="usage", generation=1, due_at=at + THIN_EVERY)
    UsageThinning.objects.bulk_create([first], ignore_conflicts=True)
