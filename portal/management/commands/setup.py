"""`manage.py setup`: the rows a new portal starts with."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.services import sync_groups
from workflow.services import seed_policies


class Command(BaseCommand):
    """Approver groups as the settings name them, and the first policies; harmless to repeat."""

    help = "Creates approver groups and, where there are none, the first policies. Run it after every migrate."

    def handle(self, *args: Any, **options: Any) -> None:
        """Both are use cases of their rooms."""
        now = timezone.now()
        sync_groups(at=now)
        made = seed_policies(at=now)
        self.stdout.write(f"{made} policies created.")
