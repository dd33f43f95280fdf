"""`manage.py hold_fleet`: for the runbook of a restore, before workers and the dispatcher start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clusters.services.holding import hold
from web.errors import UserError


class Command(BaseCommand):
    """Holds clusters until a person confirms on their pages."""

    help = "Writes nothing to the clusters (all, or those named) until an administrator confirms on their pages."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names of clusters; none means all."""
        parser.add_argument("names", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """Says which ones are held."""
        try:
            held = hold(names=options["names"], by=None, at=timezone.now())
        except UserError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Held until confirmed: {', '.join(held) or 'none, there are no clusters'}")
