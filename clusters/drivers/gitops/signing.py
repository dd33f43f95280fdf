"""Signatures of commits with an SSH key, as `git commit -S` makes them and `git verify-commit` checks them.

The format is SSHSIG: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
"""

import base64
import hashlib
import textwrap

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from django.utils.translation import gettext_noop

from clusters.drivers.base import DriverError
from web.sentences import Sentence

_MAGIC, _VERSION, _NAMESPACE, _HASH = b"SSHSIG", (1).to_bytes(4, "big"), b"git", b"sha512"


def signature(data: bytes, key: str) -> bytes:
    """The armoured signature of a commit's bytes with an OpenSSH private key (Ed25519 or RSA, without passphrase).

    Raises DriverError (operator) for any other key.
    """
    private = _loaded(key)
    signed = _MAGIC + _text(_NAMESPACE) + _text(b"") + _text(_HASH) + _text(hashlib.sha512(data).digest())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        made = _text(b"ssh-ed25519") + _text(private.sign(signed))
    else:
        made = _text(b"rsa-sha2-512") + _text(private.sign(signed, padding.PKCS1v15(), hashes.SHA512()))
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    blob = _MAGIC + _VERSION + _text(base64.b64decode(public.split()[1]))
    blob += _text(_NAMESPACE) + _text(b"") + _text(_HASH) + _text(made)
    lines = textwrap.wrap(base64.b64encode(blob).decode(), 70)
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"]).encode()


def _loaded(key: str) -> ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    try:
        # What was pasted into a form has lost its last line break, without which it is not read.
        private = load_ssh_private_key(key.strip().replace("\r\n", "\n").encode() + b"\n", None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if isinstance(private, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        return private
    text = gettext_noop(
        "Commits are signed with an OpenSSH private key without passphrase (Ed25519 or RSA); this is none."
    )
    raise DriverError(Sentence(text), transient=False, operator=True)


def _text(data: bytes) -> bytes:
    """A string as SSH writes it: its length, then itself."""
    return len(data).to_bytes(4, "big") + data
