"""The policies the portal starts with."""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit import services as audit
from workflow.models import Policy

_ONE_OF_PLATFORM = {"group": "platform", "minimum": 1}
_ONE_OF_DATACENTER = {"group": "datacenter", "minimum": 1}
# (slug, Chinese name, English name, environment, priority, steps)
SEEDED: tuple[tuple[str, str, str, str, int, list[dict[str, Any]]], ...] = (
    ("dev", "开发环境自动批准", "Development approves by itself", "dev", 100, []),
    ("test", "测试环境由平台组审批", "Test is decided by the platform group", "test", 200, [_ONE_OF_PLATFORM]),
    ("prod", "生产环境由数据中心审批", "Production is decided by the data centre", "prod", 300, [_ONE_OF_DATACENTER]),
    ("otherwise", "其余由平台组审批", "All else is decided by the platform group", "", 10_000, [_ONE_OF_PLATFORM]),
)


@transaction.atomic
def seed_policies(*, at: datetime) -> int:
    """Creates the first policies where there are none at all; answers how many it made."""
    if Policy.objects.exists():
        return 0
    for slug, name_zh, name_en, environment, priority, steps in SEEDED:
        Policy.objects.create(
            slug=slug, name_zh=name_zh, name_en=name_en, environment=environment, priority=priority, steps=steps
        )
        audit.record(
            actor=None,
            action="policy.create",
            subject=f"policy:{slug}",
            after={"environment": environment, "priority": priority, "steps": steps},
            at=at,
        )
    return len(SEEDED)
