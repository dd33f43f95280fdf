"""Reading settings from the environment: what is malformed stops the start and is named."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()
N = TypeVar("N", int, float)


def integer(name: str, default: int) -> int:
    """The variable as a whole number."""
    return _number(name, str(default), int)


def decimal(name: str, default: float) -> float:
    """The variable as a number."""
    return _number(name, str(default), float)


def _number(name: str, default: str, kind: Callable[[str], N]) -> N:
    text = env.str(name, default)
    try:
        return kind(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {text!r}.") from None


def boolean(name: str, default: bool) -> bool:
    """The variable as true or false."""
    text = env.str(name, str(default)).lower()
    if text not in ("true", "false"):
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return text == "true"


def secret(name: str, least: int = 16) -> str:
    """The secret in NAME or the file NAME_FILE; the demo's own secrets are refused outside of it."""
    value: str = env.str(name).strip()
    if len(value) < least:
        raise ImproperlyConfigured(f"{name} must have at least {least} characters.")
    if value.startswith("demo-") and not _is_demo():
        raise ImproperlyConfigured(f"{name} holds a secret of the demo; set one of your own.")
    return value


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
        if key_id.startswith("demo-") and not _is_demo():
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


def _is_demo() -> bool:
    return boolean("PORTAL_DEMO", False)
