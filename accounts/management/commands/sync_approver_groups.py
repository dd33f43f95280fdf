"""manage.py sync_approver_groups: a row for every approver group in PORTAL_ROLE_GROUPS."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import services


class Command(BaseCommand):
    """Runs at every start; a second run changes nothing."""

    help = "Makes a row for every approver group in PORTAL_ROLE_GROUPS."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Says which groups changed."""
        for group in services.sync_groups(at=timezone.now()):
            self.stdout.write(f"{group.slug}: {group.ldap_dn or 'no directory group any more'}")
