"""One pass over an item: claimed, handed over, given back."""

import pytest
from django.utils import timezone

from clusters.models import Bundle
from tests.builders import a_bundle
from work import claims, tasks

pytestmark = pytest.mark.django_db
SEEN: list[int] = []


def handler_that_works(lease: claims.Lease) -> tasks.Pass:
    SEEN.append(lease.pk)
    return tasks.Pass(observed=lease.generation)


def handler_that_breaks(lease: claims.Lease) -> tasks.Pass:
    raise RuntimeError("broken")


@pytest.fixture(autouse=True)
def _nothing_seen():
    SEEN.clear()


def test_drive__due__handled_and_given_back(monkeypatch):
    monkeypatch.setattr(tasks, "handler_of", lambda label: (Bundle, handler_that_works))
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    tasks.drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert [bundle.pk] == SEEN
    assert (bundle.observed_generation, bundle.due_at, bundle.lease_owner) == (1, None, None)


def test_drive__message_doubled__handled_once(monkeypatch):
    monkeypatch.setattr(tasks, "handler_of", lambda label: (Bundle, handler_that_works))
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    tasks.drive("clusters.Bundle", bundle.pk)
    tasks.drive("clusters.Bundle", bundle.pk)
    assert [bundle.pk] == SEEN


def test_drive__handler_breaks__counted_and_due_later(monkeypatch):
    monkeypatch.setattr(tasks, "handler_of", lambda label: (Bundle, handler_that_breaks))
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    tasks.drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert bundle.attempts == 1
    assert bundle.due_at > timezone.now()
    assert bundle.observed_generation == 0
