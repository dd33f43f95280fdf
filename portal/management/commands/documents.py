"""`manage.py documents`: writes the documents that follow from the code, or says which are out of date."""

import io
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from portal.access import ACCESS
from workflow import machine

_SECTION = re.compile(r"# --- (.+?) -*")
_VARIABLE = re.compile(r"(#?)(PORTAL_\w+)=(.*)")
_CONFIGURATION = """# Configuration

Written by `script/documents` from `.env.example`; a test holds that file to what `portal/settings.py` reads. The
portal reads its environment alone. A variable that is missing or malformed stops the start, and is named. Every secret
may come from a file instead: `PORTAL_SECRET_KEY_FILE=/run/secrets/secret-key`, and so on for each name."""
BEGIN, END = "<!-- generated: {} -->", "<!-- end of generated -->"


class Command(BaseCommand):
    """The state diagram and the table of addresses in docs/architecture.md, docs/configuration.md, and the API
    document."""

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
    settings_page = configuration((Path(settings.BASE_DIR) / ".env.example").read_text())
    return {docs / "architecture.md": page, docs / "configuration.md": settings_page, docs / "openapi.json": _api()}


def configuration(example: str) -> str:
    """docs/configuration.md: every variable of .env.example with its default and what is said above it there; a test
    holds that file to what the settings read."""
    parts, follows = [_CONFIGURATION], False
    meaning: list[str] = []
    for line in example.splitlines()[2:]:
        title, variable = _SECTION.fullmatch(line), _VARIABLE.fullmatch(line)
        if title:
            parts.append(f"\n## {title[1]}\n\n| variable | default | meaning |\n|---|---|---|")
        elif variable:
            name, value = variable[2], variable[3]
            default = f"`{value}`" if variable[1] and value else "(empty)" if variable[1] else "needed"
            parts.append(f"| `{name}` | {default} | {' '.join(meaning).replace('|', chr(92) + '|')} |")
        elif line.startswith("#"):
            meaning = [*([] if follows else meaning), line.removeprefix("#").strip()]
        else:
            meaning = []
        # What stands behind a variable is about the next one.
        follows = variable is not None
    return "\n".join(parts) + "\n"


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
