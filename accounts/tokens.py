"""API tokens as text: cp_<prefix>_<secret>; the prefix finds the row, the secret is kept as keyed hash only."""

import hashlib
import hmac
import secrets

_MARK = "cp"


def new_token() -> tuple[str, str]:
    """A prefix (12 hexadecimal digits) and the whole token it begins (32 random bytes)."""
    prefix = secrets.token_hex(6)
    return prefix, f"{_MARK}_{prefix}_{secrets.token_urlsafe(32)}"


def prefix_of(text: str) -> str | None:
    """The prefix of a token, or None where `text` is not in the form of one."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != _MARK or not parts[1].isalnum() or len(parts[1]) > 16 or not parts[2]:
        return None
    return parts[1]


def digest_of(text: str, pepper: str) -> str:
    """HMAC-SHA256 of the whole token under `pepper`, 64 hexadecimal digits.

    A keyed hash without stretching is enough: a token has 256 random bits, unlike a password.
    """
    return hmac.new(pepper.encode(), text.encode(), hashlib.sha256).hexdigest()


def same_digest(one: str, other: str) -> bool:
    """Whether two digests are equal, in a time that does not tell how far they are."""
    return hmac.compare_digest(one, other)
