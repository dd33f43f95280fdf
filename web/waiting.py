"""Waiting for news with a call open (?wait=): few at once, and without a database connection in between."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import connection

T = TypeVar("T")
MOST_SECONDS = 10
# The first looks come soon, as most changes take a second or two.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_lock = threading.Lock()
_waiting = 0


def until(look: Callable[[], T], is_news: Callable[[T], bool], seconds: int) -> tuple[T, int]:
    """(what `look` found last, whole seconds waited): looks again until `is_news` or `seconds` are over.

    Where API_WAITERS calls of this process wait already it looks once: threads are kept for who does not wait.
    """
    found, began = look(), time.monotonic()
    if seconds <= 0 or is_news(found) or not _enter():
        return found, 0
    try:
        pause = _FIRST_PAUSE
        while (left := began + seconds - time.monotonic()) > 0:
            _release_connection()
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            found = look()
            if is_news(found):
                break
    finally:
        _leave()
    return found, int(time.monotonic() - began)


def _enter() -> bool:
    global _waiting
    with _lock:
        if _waiting >= settings.API_WAITERS:
            return False
        _waiting += 1
        return True


def _leave() -> None:
    global _waiting
    with _lock:
        _waiting -= 1


def _release_connection() -> None:
    """A server has a hundred connections; who waits needs none."""
    if not connection.in_atomic_block:
        connection.close()
