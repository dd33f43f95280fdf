"""Use cases of telling, one file each: telling people, reading."""

from notify.services.reading import read, read_all
from notify.services.telling import Notice, close, tell

__all__ = ["Notice", "close", "read", "read_all", "tell"]
