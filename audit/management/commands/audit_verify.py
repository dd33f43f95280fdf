"""`manage.py audit_verify`: whether what happened is still what was written down."""

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.verifying import verify


class Command(BaseCommand):
    """Follows the chain of seals and compares every event; ends with 1 at the first difference."""

    help = "Compares every event with the seals over it. Ends with 1, and says so, at the first difference."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--anchor HASH`, `--limit MINUTES`."""
        parser.add_argument("--anchor", default="", help="hash of a seal, kept elsewhere, that the chain must hold")
        parser.add_argument(
            "--limit", type=int, default=60, help="minutes an event may wait to be sealed (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was looked at; raises CommandError, which ends with 1, for what is not as it was sealed."""
        anchor = options["anchor"].strip().lower()
        if anchor and not re.fullmatch("[0-9a-f]{64}", anchor):
            raise CommandError("The anchor must be a seal's hash: 64 hexadecimal digits.", returncode=2)
        report = verify(at=timezone.now(), limit=timedelta(minutes=options["limit"]), anchor=anchor)
        self.stdout.write(f"{report.seals} seals over {report.events} events followed; {report.waiting} events wait.")
        if report.difference:
            raise CommandError(f"First difference: {report.difference}.")
        self.stdout.write(f"No difference. Newest seal: {report.head}" if report.seals else "No seal yet.")
