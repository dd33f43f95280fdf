"""Size plans: the ones the portal starts with, and reading them."""

from datetime import datetime

from django.db import models, transaction

from audit import services as audit
from tenants.models import SizePlan

_GI = 1024**3
# (slug, Chinese name, English name, cores, Gi of memory, Gi of storage, pods)
SEEDED = (
    ("s", "小 S", "Small (S)", 2, 4, 20, 20),
    ("m", "中 M", "Medium (M)", 4, 8, 50, 40),
    ("l", "大 L", "Large (L)", 8, 16, 100, 80),
    ("xl", "特大 XL", "Extra large (XL)", 16, 32, 200, 150),
)


class UnknownPlan(LookupError):
    """No size plan that may be chosen has this slug."""


@transaction.atomic
def seed_size_plans(*, at: datetime) -> int:
    """Creates the first size plans where there are none at all; answers how many it made."""
    if SizePlan.objects.exists():
        return 0
    for position, (slug, name_zh, name_en, cores, memory, storage, pods) in enumerate(SEEDED, start=1):
        plan = SizePlan.objects.create(
            slug=slug,
            name_zh=name_zh,
            name_en=name_en,
            position=position,
            cpu=cores * 1000,
            memory=memory * _GI,
            storage=storage * _GI,
            pods=pods,
        )
        audit.record(actor=None, action="size-plan.create", subject=f"size-plan:{slug}", after=plan.figures, at=at)
    return len(SEEDED)


def active_plans() -> models.QuerySet[SizePlan]:
    """The plans that may be chosen, smallest first as their positions say."""
    return SizePlan.objects.filter(is_active=True)


def figures_of(slug: str) -> dict[str, int]:
    """{cpu (millicores), memory, storage (bytes), pods} of a plan that may be chosen; raises UnknownPlan."""
    plan = active_plans().filter(slug=slug).first()
    if plan is None:
        raise UnknownPlan(slug)
    return plan.figures
