"""Entity tags: what a caller has seen, so that nothing is sent twice and nobody writes over what they have not seen."""

import hashlib
import json
from dataclasses import dataclass

from django.utils.http import parse_etags
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from web.errors import UserError


class MatchMissing(UserError):
    """A change that does not say which state it changes."""

    status = 428
    code = "if-match-missing"

    def __init__(self) -> None:
        super().__init__(_("Say by If-Match which state you change: the ETag that was answered when you read it."))


class Stale(UserError):
    """The thing is no longer what the caller saw; `etag` names what it is now."""

    status = 412
    code = "stale"

    def __init__(self, current: str) -> None:
        super().__init__(
            _("Somebody changed this since you read it. Read it again before you change it."), etag=current
        )
        self.headers = {"ETag": current}


@dataclass(frozen=True)
class IfMatch:
    """Which states a caller is ready to change; `*` is any."""

    tags: tuple[str, ...]

    def check(self, current: str) -> None:
        """Raises Stale unless the thing is in one of them; to be called under the lock of its row."""
        if current not in self.tags and "*" not in self.tags:
            raise Stale(current)


def etag(*parts: object) -> str:
    """A strong tag (RFC 9110, 8.8.3) of what is answered, from all that it depends on: versions, states, times.

    The language is part of it, since sentences are.
    """
    text = json.dumps([get_language(), *parts], default=str)
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def read_if_match(header: str | None) -> IfMatch:
    """What the header If-Match says. Raises MatchMissing where there is none."""
    if header is None:
        raise MatchMissing
    return IfMatch(tuple(parse_etags(header)))


def is_known(header: str | None, current: str) -> bool:
    """Whether If-None-Match names the tag (compared weakly, RFC 9110, 13.1.2)."""
    tags = parse_etags(header or "")
    return "*" in tags or current in [tag.removeprefix("W/") for tag in tags]
