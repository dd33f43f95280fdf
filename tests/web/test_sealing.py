"""Credentials at rest."""

import pytest

from web import sealing

PLACE = "clusters.Cluster:token:1"


def test_seal__and_unseal__gives_the_text_back():
    sealed = sealing.seal("secret", PLACE)
    assert "secret" not in sealed
    assert sealing.unseal(sealed, PLACE) == "secret"


def test_seal__twice__differs():
    assert sealing.seal("secret", PLACE) != sealing.seal("secret", PLACE)


def test_unseal__moved_to_another_row__refused():
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealing.seal("secret", PLACE), "clusters.Cluster:token:2")


def test_unseal__changed_by_one_bit__refused():
    sealed = sealing.seal("secret", PLACE)
    changed = sealed[:-1] + ("0" if sealed[-1] != "0" else "1")
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(changed, PLACE)


def test_unseal__second_key__still_read(settings):
    old = dict(settings.ENCRYPTION_KEYS)
    sealed = sealing.seal("secret", PLACE)
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32, **old}
    assert sealing.unseal(sealed, PLACE) == "secret"
    assert sealing.seal("secret", PLACE).startswith("new:")


def test_unseal__key_gone__says_which(settings):
    sealed = sealing.seal("secret", PLACE)
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32}
    with pytest.raises(sealing.Unreadable, match=sealed.partition(":")[0]):
        sealing.unseal(sealed, PLACE)
