"""`manage.py setup`: the rows a new portal starts with."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.services import sync_groups
from audit import sealing
from tenants.size_plans import seed_size_plans
from workflow.services import seed_policies


class Command(BaseCommand):
    """Approver groups as the settings name them, the first policies and size plans, the clock that seals the audit;
    harmless to repeat."""

    help = "Creates approver groups and, where there are none, policies and size plans. Run it after every migrate."

    def handle(self, *args: Any, **options: Any) -> None:
        """Both are use cases of their rooms."""
        now = timezone.now()
        sync_groups(at=now)
        sealing.begin(at=now)
        policies, sizes = seed_policies(at=now), seed_size_plans(at=now)
        self.stdout.write(f"{policies} policies and {sizes} size plans created.")
