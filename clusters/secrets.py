"""Secrets: declared by how they are made, never written down; what a difference may say about one. Pure."""

import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]

# {"<key>": {"length": 32, "alphabet": "abc..."}, ...} as JSON; the alphabet may be left out.
GENERATE_ANNOTATION = "portal.cloud/generate"
REDACTED = "redacted"

_KIND = ("v1", "Secret")
_VALUES = ("data", "stringData")
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MOST_KEYS, _SHORTEST, _LONGEST, _FEWEST_LETTERS = 20, 16, 512, 10
_LETTERS = string.ascii_letters + string.digits
# Annotations that the portal writes itself and that therefore cannot hold a value.
_OURS = "metadata.annotations.portal.cloud/"


class SecretInPlain(ValueError):
    """A manifest holds a Secret's values, or does not say in a usable way how they are made."""


@dataclass(frozen=True)
class Recipe:
    """How one value is made: `length` characters, each drawn from `alphabet`."""

    length: int
    alphabet: str


def is_secret(manifest: Mapping[str, Any]) -> bool:
    """Whether it is a Secret of Kubernetes' own."""
    return (manifest.get("apiVersion"), manifest.get("kind")) == _KIND


def check_none_in_plain(manifests: Sequence[Manifest]) -> None:
    """Raises SecretInPlain unless every Secret among the manifests is declared by a generator and holds no values."""
    for manifest in manifests:
        if is_secret(manifest):
            recipes_of(manifest)


def recipes_of(manifest: Manifest) -> dict[str, Recipe]:
    """How each value of a declared Secret is made, by key. Raises SecretInPlain; no value is ever part of its text."""
    meta = manifest["metadata"]
    name = meta["name"]
    if any(part in manifest for part in _VALUES):
        raise SecretInPlain(f"Secret {name} holds values: declare it with the annotation {GENERATE_ANNOTATION}")
    text = (meta.get("annotations") or {}).get(GENERATE_ANNOTATION)
    if not isinstance(text, str):
        raise SecretInPlain(f"Secret {name} has no annotation {GENERATE_ANNOTATION}, which says how it is made")
    try:
        wanted = json.loads(text)
    except ValueError:
        raise SecretInPlain(f"Secret {name}: the annotation {GENERATE_ANNOTATION} is not JSON") from None
    if not isinstance(wanted, dict) or not 1 <= len(wanted) <= _MOST_KEYS:
        raise SecretInPlain(f"Secret {name}: {GENERATE_ANNOTATION} names 1 to {_MOST_KEYS} keys")
    return {key: _recipe(name, key, one) for key, one in wanted.items()}


def _recipe(name: str, key: str, one: Any) -> Recipe:
    if not _KEY.fullmatch(key):
        raise SecretInPlain(f"Secret {name}: {GENERATE_ANNOTATION} has a key that no Secret can have")
    if not isinstance(one, dict) or one.keys() - {"length", "alphabet"}:
        raise SecretInPlain(f"Secret {name}, key {key}: only length and alphabet can be said")
    length, alphabet = one.get("length"), one.get("alphabet", _LETTERS)
    if type(length) is not int or not _SHORTEST <= length <= _LONGEST:
        raise SecretInPlain(f"Secret {name}, key {key}: the length is {_SHORTEST} to {_LONGEST}")
    if not isinstance(alphabet, str) or not (alphabet.isascii() and alphabet.isprintable()):
        raise SecretInPlain(f"Secret {name}, key {key}: the alphabet is printable ASCII")
    if not _FEWEST_LETTERS <= len(alphabet) == len(set(alphabet)):
        raise SecretInPlain(
            f"Secret {name}, key {key}: the alphabet has {_FEWEST_LETTERS} or more different characters"
        )
    return Recipe(length, alphabet)


def redacted(path: str, value: Any) -> Any:
    """What may be shown of a leaf of a Secret at this dotted path: its values never, nor annotations of others, which
    may quote them (kubectl's last-applied-configuration does); None, for no leaf, stays None."""
    hidden = path.split(".", 1)[0] in _VALUES or (
        path.startswith("metadata.annotations") and not path.startswith(_OURS) and value != {}
    )
    return REDACTED if hidden and value is not None else value
