"""Credentials at rest: AES-256-GCM, the key's id in front, bound to the row and field they belong to."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.translation import gettext_noop

from web.sentences import Sentence

NONCE_BYTES = 12


class Unreadable(Exception):
    """The stored text cannot be decrypted: unknown key id, wrong key, or moved from another row or field."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.english)
        self.sentence = sentence


def seal(plain: str, place: str) -> str:
    """Encrypts `plain` for `place` ("clusters.Cluster:token:<uuid>") with the first configured key; "" stays ""."""
    if not plain:
        return ""
    key_id, key = next(iter(settings.ENCRYPTION_KEYS.items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain.encode(), place.encode())
    return f"{key_id}:{(nonce + sealed).hex()}"


def key_of(sealed: str) -> str:
    """The id of the key that encrypted `sealed`, which is not ""."""
    return sealed.partition(":")[0]


def unseal(sealed: str, place: str) -> str:
    """Decrypts what `seal` made for the same `place`; raises Unreadable."""
    if not sealed:
        return ""
    key_id, _, text = sealed.partition(":")
    try:
        raw = bytes.fromhex(text)
        plain = AESGCM(settings.ENCRYPTION_KEYS[key_id]).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode())
    except KeyError:
        text = gettext_noop("No key with the id %(key)s is configured.")
        raise Unreadable(Sentence(text, {"key": repr(key_id)})) from None
    except (InvalidTag, ValueError):
        text = gettext_noop("What is stored for %(place)s cannot be decrypted.")
        raise Unreadable(Sentence(text, {"place": place})) from None
    return plain.decode()
