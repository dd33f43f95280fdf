"""A year of use for a project of the showroom, as workers would have sampled it."""

import math
from datetime import datetime, timedelta

from django.utils import timezone

from clusters import sampling
from clusters.models import Bundle, UsageSample

GI = 1024**3
# What the project has: millicores, bytes, pieces.
LIMITS = {"cpu": 4000, "memory": 2 * GI, "storage": 20 * GI, "pods": 20}


def used_at(at: datetime, now: datetime) -> dict[str, int]:
    """More by day than by night, more from month to month; the same at every call."""
    hours, months = at.timestamp() / 3600, (now - at).days / 30
    by_day = 0.5 + 0.5 * math.sin((hours - 2) / 24 * 2 * math.pi)
    wave = 0.5 + 0.5 * math.sin(hours * 1.7)
    growth = max(0.2, 1 - months / 14)
    return {
        "cpu": int((900 + 1800 * by_day + 400 * wave) * growth),
        "memory": int((1.2 + 0.5 * by_day + 0.15 * wave) * GI * growth),
        "storage": int((6 + 4 * growth) * GI * growth),
        "pods": int((8 + 5 * by_day) * growth),
    }


def use(bundle: Bundle, now: datetime) -> None:
    """Samples of each length, with two hours in which nobody looked; and what is in use now."""
    rows = []
    for step, kept in sampling.KEPT.items():
        count = min(int(kept / step), 750)
        for number in range(count):
            at = sampling.begins(now, step) - number * step
            if timedelta(hours=9) < now - at < timedelta(hours=11):
                continue
            used = used_at(at, now)
            # A raise of the limit a while ago.
            limits = LIMITS if now - at < timedelta(days=20) else LIMITS | {"cpu": 2500}
            figures = {f"{name}_used": amount for name, amount in used.items()}
            figures |= {f"{name}_limit": amount for name, amount in limits.items()}
            rows.append(UsageSample(bundle=bundle, step=step.total_seconds(), at=at, **figures))
    UsageSample.objects.bulk_create(rows)
    used = {"limits.cpu": "1800m", "limits.memory": "1900Mi", "requests.storage": "10Gi", "pods": "11"}
    hard = {"limits.cpu": "4", "limits.memory": "2Gi", "requests.storage": "20Gi", "pods": "20"}
    quota = bundle.objects_kept.filter(kind="ResourceQuota")
    quota.update(usage={"used": used, "hard": hard}, observed_at=timezone.now())
