"""Loads the plugins; servers comes first because the settings cannot be read before it."""

from collections.abc import Iterator

import pytest

pytest_plugins = [
    "tests.plugins.servers",
    "tests.plugins.cluster",
    "tests.plugins.proxy",
    "tests.plugins.directory",
    "tests.plugins.git_servers",
    "tests.plugins.gitops",
    "tests.plugins.portal",
]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Lets tests with transactions of their own be cleaned up: that truncates all tables, events and seals too."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_truncate")
        cursor.execute("ALTER TABLE audit_seal DISABLE TRIGGER audit_seal_no_truncate")


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Tests read English unless they choose a language; whatever one of them activates ends with it."""
    from django.utils import translation

    with translation.override("en"):
        yield
