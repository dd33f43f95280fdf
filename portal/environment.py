"""Reading settings from the environment: a missing or malformed variable stops the start and is named.

Secrets may come from a file: NAME_FILE.
"""

import base64
import binascii
import json
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()
N = TypeVar("N", int, float)


def _number(name: str, default: str, kind: Callable[[str], N]) -> N:
    """The variable NAME as a number; a malformed one is named."""
    text = env.str(name, default)
    try:
        return kind(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {text!r}.") from None


def integer(name: str, default: int) -> int:
    """The variable as a whole number."""
    return _number(name, str(default), int)


def decimal(name: str, default: float) -> float:
    """The variable as a number."""
    return _number(name, str(default), float)


def boolean(name: str, default: bool) -> bool:
    """The variable as true or false, and nothing else."""
    text = env.str(name, str(default)).lower()
    if text not in ("true", "false"):
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return text == "true"


def secret(name: str, least: int = 16) -> str:
    """The secret in NAME or the file NAME_FILE; the demo's own secrets are refused outside of it."""
    value: str = env.str(name).strip()
    if len(value) < least:
        raise ImproperlyConfigured(f"{name} must have at least {least} characters.")
    if value.startswith("demo-") and not _DEMO:
        raise ImproperlyConfigured(f"{name} holds a secret of the demo; set one of your own.")
    return value


def optional_secret(name: str, least: int = 16) -> str:
    """As `secret`, but "" where the variable is not set or empty."""
    return secret(name, least) if env.str(name, "").strip() else ""


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """IP networks from "10.0.0.0/8,fd00::/8"; none where the variable is not set."""
    try:
        return [ip_network(part.strip()) for part in env.str(name, "").split(",") if part.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def keys(name: str) -> dict[str, bytes]:
    """Encryption keys by id from "id:base64,id:base64"; the first encrypts, all decrypt."""
    found: dict[str, bytes] = {}
    for part in env.str(name).strip().split(","):
        key_id, _, text = part.strip().partition(":")
        try:
            found[key_id] = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ImproperlyConfigured(f"{name}: key {key_id!r} is not base64.") from None
        if len(found[key_id]) != 32:
            raise ImproperlyConfigured(f"{name}: key {key_id!r} must be 32 bytes long.")
        if key_id.startswith("demo-") and not _DEMO:
            raise ImproperlyConfigured(f"{name} holds a key of the demo; set one of your own.")
    return found


def texts(name: str) -> dict[str, str]:
    """The variable as a JSON object of texts."""
    try:
        value = json.loads(env.str(name))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not JSON: {error}") from None
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ImproperlyConfigured(f"{name} must be a JSON object of texts.")
    return value


_DEMO = boolean("PORTAL_DEMO", False)
