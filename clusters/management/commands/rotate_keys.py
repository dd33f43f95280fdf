"""`manage.py rotate_keys`: stored credentials get the first configured key."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from clusters.services import keys_in_use, rotate_keys


class Command(BaseCommand):
    """Encrypts stored credentials with the first key of PORTAL_ENCRYPTION_KEYS; see docs/operations.md."""

    help = "Encrypts stored credentials anew with the first of PORTAL_ENCRYPTION_KEYS; harmless to repeat or interrupt."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only looking is an option of its own."""
        parser.add_argument(
            "--check", action="store_true", help="change nothing; list the keys in use, end with 1 if an old one is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with 1 if something is left with another key than the first one."""
        if options["check"]:
            self._check()
        else:
            self._rotate()

    def _check(self) -> None:
        first, used = next(iter(settings.ENCRYPTION_KEYS)), keys_in_use()
        for key, count in sorted(used.items()):
            note = "" if key == first else (" (old)" if key in settings.ENCRYPTION_KEYS else " (not configured)")
            self.stdout.write(f"{key}{note}: {count}")
        if set(used) - {first}:
            sys.exit(1)

    def _rotate(self) -> None:
        done = rotate_keys(by=None, at=timezone.now())
        self.stdout.write(
            f"{done.changed} encrypted anew, {done.current} had the first key, {len(done.unread)} unread."
        )
        for one in done.unread:
            self.stderr.write(f"{one.cluster}, {one.credential}: {one.reason.english}")
        if done.unread:
            sys.exit(1)
