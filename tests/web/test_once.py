"""Questions that are asked once while one thing is done."""

import pytest

from web.once import answers_kept, keep, once


class Counter:
    def __init__(self):
        self.asked = 0

    def ask(self):
        self.asked += 1
        return self.asked


def test_once__within_and_without__asked_once_and_every_time():
    counter = Counter()
    assert [once("q", counter.ask) for _turn in range(2)] == [1, 2]
    with answers_kept():
        assert [once("q", counter.ask) for _turn in range(2)] == [3, 3]
        assert once("another", counter.ask) == 4
    assert once("q", counter.ask) == 5


def test_keep__within__is_the_answer():
    keep("q", "before")
    with answers_kept():
        keep("q", None)
        assert once("q", lambda: "asked") is None
    assert once("q", lambda: "asked") == "asked"


def test_answers_kept__an_error__nothing_is_kept_beyond_it():
    with pytest.raises(ValueError, match="x"), answers_kept():
        keep("q", "old")
        raise ValueError("x")
    assert once("q", lambda: "asked") == "asked"
