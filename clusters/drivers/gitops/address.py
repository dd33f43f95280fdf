"""Where a Git repository is: which addresses are taken, and which parts of them."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop

from clusters import addresses
from clusters.drivers.base import DriverError
from web.sentences import Sentence

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
# What a URL is written with; no quotes, backslashes, spaces or control characters.
_TEXT = re.compile(r"[A-Za-z0-9._~:/@%+,=!()\[\]-]+")
_SSH_USER = "git"


@dataclass(frozen=True)
class Address:
    """A checked address. `url` holds no password; `path` is a folder of this machine for "file"."""

    scheme: Literal["file", "https", "ssh"]
    url: str
    host: str = ""
    path: str = ""


def parse(address: str) -> Address:
    """Takes an https:// or ssh:// URL, and in the demo a path or a file:// URL of this machine.

    Raises DriverError (operator) with what is wrong about anything else.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _refused(gettext_noop('"%(address)s" is not the address of a Git repository.'), address) from None
    if parts.scheme in ("", "file"):
        return _local(address)
    if parts.scheme not in ("https", "ssh"):
        raise _refused(gettext_noop("A Git repository is reached by https:// or ssh://, not by %(address)s."), address)
    host, user = parts.hostname or "", parts.username or ""
    # Not repeated in the sentence: that would put the password into logs and pages.
    if parts.password is not None or (user and parts.scheme == "https"):
        raise _refused(gettext_noop("User name and password do not belong into the address of the Git repository."))
    is_written_well = _TEXT.fullmatch(address) and _HOST.fullmatch(host) and parts.path.strip("/")
    if not is_written_well or parts.query or parts.fragment or (user and not _USER.fullmatch(user)):
        raise _refused(gettext_noop('"%(address)s" is not the address of a Git repository.'), address)
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    if parts.scheme == "https":
        return Address("https", f"https://{place}{parts.path}", host, parts.path)
    return Address("ssh", f"ssh://{user or _SSH_USER}@{place}{parts.path}", host, parts.path)


def check_host(host: str) -> None:
    """Raises DriverError (operator) unless the policy for clusters' addresses lets the portal speak to the host."""
    try:
        addresses.check_host(host)
    except addresses.AddressRefused as error:
        # A name that is not known may be so again in a moment.
        again = isinstance(error, addresses.NameUnknown)
        raise DriverError(error.sentence, transient=again, operator=not again) from None


def _local(address: str) -> Address:
    parts = urlsplit(address)
    is_here = parts.netloc in ("", "localhost") if parts.scheme else address.startswith("/")
    if not settings.DEMO or not is_here:
        text = gettext_noop("A Git repository is reached by https:// or ssh://; one on this machine only in the demo.")
        raise _refused(text)
    return Address("file", address, "", unquote(parts.path) if parts.scheme else address)


def _refused(text: str, address: str = "") -> DriverError:
    return DriverError(Sentence(text, {"address": address}), transient=False, operator=True)
