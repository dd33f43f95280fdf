"""`manage.py break_glass`: emergency access for a person, while the directory is down."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import emergency
from web.errors import UserError


class Command(BaseCommand):
    """Opens, closes and lists emergency access."""

    help = "Opens a local administrator's account for a person and a few hours; nothing is open unless you do this."

    def add_arguments(self, parser: CommandParser) -> None:
        """`open PERSON --reason TEXT [--hours N]`, `close PERSON`, `list`."""
        commands = parser.add_subparsers(dest="what", required=True)
        opening = commands.add_parser("open", help="prints the account's name and its password, once")
        opening.add_argument("person", help="user name of the person it is for")
        opening.add_argument("--reason", required=True, help="why it is needed; in the audit and on every page")
        opening.add_argument("--hours", type=int, default=1, help="how long it works (default: %(default)s)")
        closing = commands.add_parser("close", help="ends it and its sessions at once")
        closing.add_argument("person")
        commands.add_parser("list", help="what is open now")

    def handle(self, *args: Any, **options: Any) -> None:
        """One use case each."""
        getattr(self, f"_{options['what']}")(options)

    def _open(self, options: dict[str, Any]) -> None:
        try:
            user, password = emergency.open_access(
                person=options["person"], reason=options["reason"], hours=options["hours"], at=timezone.now()
            )
        except UserError as error:
            raise CommandError(error.sentence) from None
        self.stdout.write(f"User name: {user.username}\nPassword:  {password}\nWorks until {user.local_until}.")

    def _close(self, options: dict[str, Any]) -> None:
        if not emergency.close_access(person=options["person"], at=timezone.now()):
            raise CommandError(f"No emergency access of {options['person']} is open.")
        self.stdout.write("Closed; its sessions have ended.")

    def _list(self, options: dict[str, Any]) -> None:
        found = emergency.open_at(timezone.now())
        for user in found:
            self.stdout.write(f"{user.username} until {user.local_until}: {user.local_reason}")
        if not found:
            self.stdout.write("None is open.")
