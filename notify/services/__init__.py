"""Use cases of telling, one file each: telling people, reading; endpoints of webhooks, what they are told."""

from notify.services.endpoints import (
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    register_endpoint,
    remove_endpoint,
    replay,
    rotate_secret,
    send_test,
)
from notify.services.preferences import prefer
from notify.services.publishing import publish
from notify.services.reading import read, read_all
from notify.services.telling import Notice, close, tell

__all__ = [
    "Notice",
    "change_endpoint",
    "close",
    "disable_endpoint",
    "enable_endpoint",
    "prefer",
    "publish",
    "read",
    "read_all",
    "register_endpoint",
    "remove_endpoint",
    "replay",
    "rotate_secret",
    "send_test",
    "tell",
]
