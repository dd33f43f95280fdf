"""How many calls a caller has left in this minute, counted in Redis for all web processes together."""

import logging
import time
from functools import cache
from typing import NamedTuple

import redis
from django.conf import settings
from django.utils.translation import gettext as _

from web.errors import UserError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
# A Redis that does not answer must not slow every call down: it costs this much, and is then left alone for a while.
_PATIENCE_SECONDS = 0.25
_SPARED_SECONDS = 5.0
_spared_until = 0.0


class Standing(NamedTuple):
    """What a caller has of one sort of calls: `left` of `limit`, which are all there again in `resets_in` seconds."""

    sort: str
    limit: int
    left: int
    resets_in: int

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft on RateLimit header fields writes it (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "RateLimit-Policy": f'"{self.sort}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.sort}";r={max(self.left, 0)};t={self.resets_in}',
        }


class TooMany(UserError):
    """The caller has used up this minute's calls."""

    status = 429
    code = "too-many-calls"

    def __init__(self, standing: Standing) -> None:
        words = {"limit": standing.limit, "seconds": standing.resets_in}
        super().__init__(
            _("There are %(limit)s such calls a minute. Wait %(seconds)s seconds, and ask less often.") % words
        )
        self.headers = standing.headers | {"Retry-After": str(standing.resets_in)}


def count(caller: str, sort: str, limit: int) -> Standing | None:
    """Counts one call of `caller`; None where there is no limit (0), or nobody can count: Redis being down stops no
    one. Raises TooMany beyond the limit."""
    if limit <= 0:
        return None
    now = time.time()
    window, gone = divmod(int(now), WINDOW_SECONDS)
    used = _counted(f"portal:calls:{caller}:{sort}:{window}")
    if used is None:
        return None
    standing = Standing(sort, limit, limit - used, WINDOW_SECONDS - gone)
    if standing.left < 0:
        raise TooMany(standing)
    return standing


def _counted(key: str) -> int | None:
    global _spared_until
    if time.monotonic() < _spared_until:
        return None
    try:
        with _client(settings.CELERY_BROKER_URL).pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * WINDOW_SECONDS)
            return int(pipeline.execute()[0])
    except redis.RedisError as error:
        _spared_until = time.monotonic() + _SPARED_SECONDS
        logger.warning("calls are not counted, as Redis does not answer: %s", error)
        return None


@cache
def _client(url: str) -> redis.Redis:
    """One pool of connections per process."""
    return redis.Redis.from_url(url, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS)
