"""People and browsers for the tests of accounts."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User


@pytest.fixture
def browser() -> Client:
    """A browser over HTTPS."""
    return Client(**{"wsgi.url_scheme": "https"})


@pytest.fixture
def dev(db: None) -> User:
    """A person without any role, as after a login."""
    return User.objects.create(username="dev", display_name="李明 Li Ming", roles_seen_at=timezone.now())


@pytest.fixture
def as_person() -> Callable[[User], Client]:
    """A browser in which this person is signed in, without the directory."""

    def signed_in(person: User) -> Client:
        client = Client(**{"wsgi.url_scheme": "https"})
        client.force_login(person, backend="accounts.backends.DirectoryBackend")
        return client

    return signed_in
