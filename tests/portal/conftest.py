"""The world that tests of all addresses walk through."""

from collections.abc import Iterator

import pytest

from audit.models import Event
from clusters.models import Cluster
from tests.portal.walk import World, build
from workflow.models import Request


@pytest.fixture
def world(gitops_cluster: Cluster) -> World:
    """See tests.portal.walk.World."""
    return build()


@pytest.fixture
def untouched(world: World) -> Iterator[None]:
    """Fails the test if anything but logins was written."""

    def rows() -> tuple[int, int]:
        return Request.objects.count(), Event.objects.exclude(action__startswith="user.").count()

    before = rows()
    yield
    assert rows() == before
