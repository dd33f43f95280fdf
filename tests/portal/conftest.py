"""The world that tests of all addresses walk through."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from clusters.models import Cluster
from tests.portal.walk import World, build


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Sentences are compared in English; what a request activates in this thread ends with the test."""
    with translation.override("en"):
        yield


@pytest.fixture
def world(gitops_cluster: Cluster) -> World:
    """See tests.portal.walk.World."""
    return build()
