"""`manage.py documents`: writes the documents that follow from the code, or says which are out of date."""

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from portal.access import ACCESS
from workflow import machine

BEGIN, END = "<!-- generated: {} -->", "<!-- end of generated -->"


class Command(BaseCommand):
    """The state diagram and the table of addresses in docs/architecture.md, and the API document."""

    help = "Writes generated documents; with --check only compares and fails where one is out of date."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--check`."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compares or writes each document."""
        stale = []
        for path, text in documents().items():
            if path.exists() and path.read_text() == text:
                continue
            stale.append(str(path.relative_to(settings.BASE_DIR)))
            if not options["check"]:
                path.write_text(text)
        if stale and options["check"]:
            raise CommandError(f"Out of date, run script/documents: {', '.join(stale)}")
        self.stdout.write(f"{len(stale)} documents written." if stale else "All documents are up to date.")


def documents() -> dict[Path, str]:
    """What each generated document should hold, by path."""
    docs = Path(settings.BASE_DIR) / "docs"
    page = (docs / "architecture.md").read_text()
    page = _filled(page, "states", f"```mermaid\n{machine.diagram()}```\n")
    page = _filled(page, "addresses", _addresses())
    return {docs / "architecture.md": page, docs / "openapi.json": _api()}


def _filled(page: str, name: str, text: str) -> str:
    """The page with the text between the marks of `name`."""
    begin = BEGIN.format(name)
    head, _mark, rest = page.partition(begin)
    _old, _mark, tail = rest.partition(END)
    return f"{head}{begin}\n{text}{END}{tail}"


def _addresses() -> str:
    rows = [f"| `{name}` | {access} |" for name, access in sorted(ACCESS.items())]
    return "\n".join(["| URL name | open to |", "|---|---|", *rows]) + "\n"


def _api() -> str:
    written = io.StringIO()
    # In one language, whatever the settings' own is.
    with translation.override("en"):
        call_command("spectacular", "--format", "openapi-json", "--validate", "--fail-on-warn", stdout=written)
    return written.getvalue().rstrip() + "\n"
