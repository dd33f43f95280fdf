"""Waiting for a condition: asked again and again, never slept for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(question: Callable[[], Answer], seconds: float = 30, what: str = "") -> Answer:
    """The first true answer; AssertionError with the last one when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or question} (last answer: {answer!r})")
        time.sleep(0.05)
