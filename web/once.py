"""Questions to the database that are asked once while one thing is done, however many ask them."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

_Answer = TypeVar("_Answer")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def answers_kept() -> Iterator[None]:
    """Within this, `once` asks each question once. Only for questions whose answer may be as old as the beginning of
    what is done: what must be true under a lock is read under it and told by `keep`."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(question: Hashable, ask: Callable[[], _Answer]) -> _Answer:
    """The answer to the question, asked now unless it was asked within the same `answers_kept`."""
    answers = _answers.get()
    if answers is None:
        return ask()
    if question not in answers:
        answers[question] = ask()
    return cast(_Answer, answers[question])


def keep(question: Hashable, answer: object) -> None:
    """Tells `once` the answer to a question; outside of `answers_kept` nothing is kept."""
    answers = _answers.get()
    if answers is not None:
        answers[question] = answer
