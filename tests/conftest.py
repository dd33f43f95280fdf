"""Loads the plugins; servers comes first because the settings cannot be read before it."""

from pathlib import Path

import pytest

_PLUGINS = Path(__file__).parent / "plugins"
pytest_plugins = [
    f"tests.plugins.{name}"
    for name in ("servers", "cluster", "directory", "gitops", "portal")
    if (_PLUGINS / f"{name}.py").exists()
]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Lets tests with transactions of their own be cleaned up: that truncates all tables, events too."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_truncate")
