"""Claims of idempotency keys: whose call it is, what is answered again, and what a dead process leaves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import idempotency
from accounts.models import KeptAnswer
from tests.builders import a_user
from web.errors import Invalid

pytestmark = pytest.mark.django_db


def claim(user, key="k", body=b"{}", at=None):
    fingerprint = idempotency.fingerprint_of("POST", "/api/v1/tokens", body)
    return idempotency.claim(user=user, key=key, fingerprint=fingerprint, at=at or timezone.now())


def kept(claimed, at=None, status=201):
    headers = {"Location": "/x", "X-Request-ID": "1"}
    idempotency.keep(claimed, status=status, body=b'{"a":1}', headers=headers, at=at or timezone.now())


def test_claim__new_key__is_ones_own_to_carry_out(dev):
    claimed = claim(dev)
    assert claimed.status is None
    assert KeptAnswer.objects.get().pk == claimed.pk


def test_claim__while_the_first_runs__in_progress(dev):
    claim(dev)
    with pytest.raises(idempotency.InProgress):
        claim(dev)


def test_claim__answered__the_answer_without_what_belongs_to_one_call(dev):
    kept(claim(dev))
    again = claim(dev)
    assert (again.status, bytes(again.body), again.headers) == (201, b'{"a":1}', {"Location": "/x"})


@pytest.mark.parametrize("is_answered", [True, False])
def test_claim__other_call__reused(dev, is_answered):
    first = claim(dev)
    if is_answered:
        kept(first)
    with pytest.raises(idempotency.KeyReused):
        claim(dev, body=b'{"b":1}')


def test_claim__somebody_elses_key__not_in_the_way(dev):
    kept(claim(dev))
    assert claim(a_user("owner")).status is None


def test_claim__process_died__taken_over_and_its_late_answer_is_not_kept(dev):
    long_ago = timezone.now() - timedelta(minutes=3)
    dead = claim(dev, at=long_ago)
    taken = claim(dev)
    assert taken.status is None and taken.owner != dead.owner
    kept(dead)
    with pytest.raises(idempotency.InProgress):
        claim(dev)
    kept(taken, status=200)
    assert claim(dev).status == 200


def test_claim__prolonged__not_taken_over(dev):
    long_ago = timezone.now() - timedelta(minutes=3)
    busy = claim(dev, at=long_ago)
    idempotency.prolong(busy, at=timezone.now())
    with pytest.raises(idempotency.InProgress):
        claim(dev)


def test_claim__given_up__carried_out_anew(dev):
    idempotency.give_up(claim(dev))
    assert claim(dev).status is None


def test_give_up__answered_meanwhile__stays(dev):
    claimed = claim(dev)
    kept(claimed)
    idempotency.give_up(claimed)
    assert claim(dev).status == 201


def test_claim__after_a_day__carried_out_anew_also_for_another_call(dev):
    before = timezone.now() - timedelta(hours=25)
    kept(claim(dev, at=before), at=before)
    assert claim(dev, body=b"other").status is None


def test_claim__new_key__takes_old_rows_with_it(dev):
    before = timezone.now() - timedelta(hours=25)
    for number in range(5):
        kept(claim(dev, key=f"old-{number}", at=before), at=before)
    kept(claim(dev, key="young"))
    claim(dev, key="new")
    assert set(KeptAnswer.objects.values_list("key", flat=True)) == {"young", "new"}


@pytest.mark.parametrize("key", ["", "k" * 201, "a\tb", "schlüssel", "a\n", "\x00"])
def test_claim__malformed_key__invalid(dev, key):
    with pytest.raises(Invalid):
        claim(dev, key=key)
    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize("key", [" ", "k" * 200, "~!", "7f8a-1"])
def test_claim__printable_key__fine(dev, key):
    assert claim(dev, key=key).status is None


def test_fingerprint__method_address_body__each_counts():
    calls = [("POST", "/a", b"b"), ("PUT", "/a", b"b"), ("POST", "/a?b", b"b"), ("POST", "/a", b"")]
    assert len({idempotency.fingerprint_of(*call) for call in calls}) == len(calls)
