"""The policies the portal starts with."""

from datetime import datetime

from django.db import transaction

from audit import services as audit
from workflow.models import Policy

SEEDED = (
    ("Development approves by itself", "dev", 100, []),
    ("Test: platform", "test", 200, [{"group": "platform", "minimum": 1}]),
    ("Production: data centre", "prod", 300, [{"group": "datacenter", "minimum": 1}]),
    ("Everything else: platform", "", 10_000, [{"group": "platform", "minimum": 1}]),
)


@transaction.atomic
def seed_policies(*, at: datetime) -> int:
    """Creates the first policies where there are none at all; answers how many it made."""
    if Policy.objects.exists():
        return 0
    for name, environment, priority, steps in SEEDED:
        Policy.objects.create(name=name, environment=environment, priority=priority, steps=steps)
        audit.record(
            actor=None,
            action="policy.create",
            subject=f"policy:{name}",
            after={"environment": environment, "priority": priority, "steps": steps},
            at=at,
        )
    return len(SEEDED)
