"""What the portal needs before it serves, in one process because starting Django costs most; run by .venv's Python."""

import os

import django
from django.core.management import call_command

from script.local.messages import compile_catalogues


def prepare() -> None:
    """Translations, tables and static files, as they are in the clone; harmless to repeat."""
    # First: Django reads translations when it starts.
    compile_catalogues()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    prepare()
