"""The REST API against its own document: no 5xx, and no status, type, header or body that the document does not say.

`script/campaign schemathesis` makes more than 20,000 calls and writes what came of them to
docs/campaigns/schemathesis.txt; CI makes a seeded few percent.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from accounts.services import issue_token
from tests.fuzzing.driving import Driver, altered, document
from tests.portal import walk
from tests.portal.walk import World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(3600)]
# Boundary cases, random calls of each sort (both of each operation and person), chains, and their longest.
SIZE = {True: (60, 60, 500, 12), False: (1, 1, 4, 5)}
LEAST = {True: 20_000, False: 250}


@pytest.fixture
def world(gitops_cluster, directory, settings) -> Iterator[World]:
    # The directory knows these people by other roles than some that the world gives them.
    settings.ROLES_FRESH_SECONDS = 24 * 3600
    yield walk.build()


@pytest.fixture
def driver(world: World, dice) -> Iterator[Driver]:
    # As Django's test client does it: the connection has the test's transaction open.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    tokens = {}
    for who in ("dev", "admin"):
        user = world.people[who]
        tokens[who] = issue_token(user=user, name="fuzz", scopes=walk.SCOPES, days=90, by=user, at=walk._now())[1]
    yield Driver(document(tokens["dev"]), tokens, world, dice)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_rest__whatever_is_sent__answered_as_the_document_says(driver: Driver, is_full: bool, capsys: Any) -> None:
    boundaries, calls, chains, steps = SIZE[is_full]
    driver.boundaries(boundaries)
    driver.random_calls(calls)
    driver.chains(chains, steps)
    book = driver.book
    if is_full:
        with capsys.disabled():
            print(f"\n{book.report()}")
    assert not book.violations, "\n".join(book.told())
    assert book.total >= LEAST[is_full]
    assert {label for _part, label, _who, _status in book.counts} == {one.label for one in driver.operations}
    # Four chains may well find nothing to go on with.
    assert book.chains or not is_full, "no call used what another one answered"


def test_rest__a_document_that_is_wrong__is_noticed(driver: Driver, world: World, dice) -> None:
    """Else the test above would say nothing."""
    schema = altered(driver.schema, "Person", "username", {"type": "integer"})
    wrong = Driver(schema, driver.tokens, world, dice)
    wrong.operations = [one for one in wrong.operations if one.label == "GET /api/v1/me"]
    wrong.random_calls(1)
    assert ("GET /api/v1/me", "Response violates schema", 200) in wrong.book.violations
