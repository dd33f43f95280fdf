"""Waiting for news: until they come, until the time is over, and few at once."""

import threading

import pytest
from django.db import connection

from tests.waiting import eventually
from web import waiting


def counting(news_at: int):
    """(look, how often it was looked): the n-th look brings the news."""
    looks: list[int] = []

    def look() -> int:
        looks.append(1)
        return len(looks)

    return look, looks, lambda found: found >= news_at


def test_until__no_seconds__one_look():
    look, looks, is_news = counting(9)
    assert waiting.until(look, is_news, 0) == (1, 0)
    assert len(looks) == 1


def test_until__news_at_once__one_look():
    look, _looks, is_news = counting(1)
    assert waiting.until(look, is_news, 10) == (1, 0)


def test_until__news_later__found_soon():
    look, _looks, is_news = counting(3)
    found, spent = waiting.until(look, is_news, 10)
    assert found == 3 and spent < 3


def test_until__no_news__what_is_there_when_the_time_is_over():
    look, looks, _never = counting(0)
    found, spent = waiting.until(look, lambda _found: False, 1)
    assert found == len(looks) >= 2 and spent == 1


def test_until__too_many_wait__one_look(settings):
    settings.API_WAITERS = 1
    is_over = threading.Event()
    first = threading.Thread(target=waiting.until, args=(lambda: None, lambda _found: is_over.is_set(), 10))
    first.start()
    try:
        eventually(lambda: waiting._waiting == 1)
        look, _looks, _never = counting(0)
        assert waiting.until(look, lambda _found: False, 10) == (1, 0)
    finally:
        is_over.set()
        first.join(10)
    assert waiting._waiting == 0


def test_until__a_look_fails__the_place_is_free_again():
    looks = iter([1])
    with pytest.raises(StopIteration):
        waiting.until(lambda: next(looks), lambda _found: False, 5)
    assert waiting._waiting == 0


@pytest.mark.django_db(transaction=True)
def test_until__between_two_looks__no_connection_is_held():
    held = []

    def look() -> int:
        held.append(connection.connection is not None)
        connection.ensure_connection()
        return len(held)

    assert waiting.until(look, lambda found: found == 3, 10)[0] == 3
    assert held[1:] == [False, False]
