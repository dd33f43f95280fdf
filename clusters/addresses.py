"""Which addresses the portal connects to: what an administrator types, and what its name resolves to, is held against
one policy, so that nobody makes the portal speak to its own machine or to a cloud's metadata service."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop

from web.sentences import Sentence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds answer who asks with credentials of the machine, as far as that is no link-local address already:
# AWS over IPv6, Alibaba, Oracle, Azure's agent.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
# IPv4 within IPv6: a translator passes the last 32 bits on (RFC 6052, RFC 8215 is local and says nothing).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(\.{_LABEL})*\.?", re.I)
_SSH_SHORT = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<path>[^:].*)")
_LONGEST = 500


class AddressRefused(Exception):
    """The portal does not connect there; the sentence says why. As text it is in English."""

    def __init__(self, text: str, **words: str) -> None:
        self.sentence = Sentence(text, words)
        super().__init__(self.sentence.english)


class NameUnknown(AddressRefused):
    """The host's name resolves to nothing, at least now."""


@dataclass(frozen=True)
class Allowed:
    """Networks and suffixes of host names (".corp.example", or a whole name) to which all connections are limited."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def read(cls, entries: list[str]) -> "Allowed":
        """From "10.0.0.0/8" and ".corp.example"; raises ValueError naming the entry that is neither."""
        networks, suffixes = [], []
        for entry in (entry.strip().lower() for entry in entries if entry.strip()):
            if "/" in entry or ":" in entry or re.fullmatch(r"[0-9.]+", entry):
                networks.append(ipaddress.ip_network(entry))
            elif _NAME.fullmatch(entry.removeprefix(".")):
                suffixes.append(entry)
            else:
                raise ValueError(f"{entry!r} is neither a network nor the end of a host name")
        return cls(tuple(networks), tuple(suffixes))

    def names(self, host: str) -> bool:
        """Whether the host's name itself is allowed, whatever it resolves to."""
        host = host.lower().rstrip(".")
        return any(host == suffix or (suffix[0] == "." and host.endswith(suffix)) for suffix in self.suffixes)


def check_server(text: str) -> None:
    """Raises AddressRefused unless `text` is an https:// address of an API server within the policy; resolves it."""
    parts = _split(text)
    if parts.scheme != "https":
        raise AddressRefused(gettext_noop("The address must start with https://."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(gettext_noop("The address must hold neither a name nor a password."))
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise AddressRefused(gettext_noop("The address must hold neither a query nor a fragment."))
    check_host(_host(parts.hostname))


def check_remote(text: str) -> None:
    """Raises AddressRefused unless `text` names a Git repository by https or ssh within the policy; resolves it.

    A path or a file:// address is for the demo only.
    """
    short = _SSH_SHORT.fullmatch(text) if "://" not in text else None
    if short:
        return check_host(_host(short["host"].strip("[]")))
    parts = _split(text)
    if parts.scheme in ("", "file"):
        if settings.DEMO and not parts.netloc and unquote(parts.path).startswith("/"):
            return None
        raise AddressRefused(gettext_noop("A Git repository is named by https:// or ssh://."))
    if parts.scheme not in ("https", "ssh"):
        raise AddressRefused(gettext_noop("A Git repository is named by https:// or ssh://."))
    if parts.password is not None or (parts.scheme == "https" and parts.username is not None):
        raise AddressRefused(gettext_noop("The address must hold neither a name nor a password."))
    if parts.query or parts.fragment:
        raise AddressRefused(gettext_noop("The address must hold neither a query nor a fragment."))
    return check_host(_host(parts.hostname))


def check_host(host: str) -> None:
    """Raises AddressRefused unless every address of the host (a name or an IP address) is within the policy."""
    resolved(host, 0)


def resolved(host: str, port: int) -> list[str]:
    """The host's IP addresses, each within the policy; who connects to one of these is not fooled by a name that
    answers differently the second time. Raises AddressRefused, also where the name is not known."""
    if not _is_literal(host) and not _NAME.fullmatch(host):
        raise AddressRefused(gettext_noop("%(host)s is no host name."), host=host[:100])
    try:
        answers = socket.getaddrinfo(host, port or None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnknown(gettext_noop("The name %(host)s is not known."), host=host[:100]) from None
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    for text in found:
        _check(host, text)
    return found


def _check(host: str, text: str) -> None:
    words = {"host": host[:100], "address": text}
    for address in _meant(ipaddress.ip_address(text)):
        if address.is_loopback and settings.DEMO:
            continue
        if address.is_loopback:
            raise AddressRefused(gettext_noop("%(host)s is this machine itself (%(address)s)."), **words)
        if address in _METADATA or address.is_link_local:
            text = gettext_noop("%(host)s is a link-local or metadata address (%(address)s).")
            raise AddressRefused(text, **words)
        if address.is_unspecified or address.is_multicast or address.is_reserved:
            raise AddressRefused(gettext_noop("%(host)s is no address of a server (%(address)s)."), **words)
        allowed: Allowed = settings.CLUSTER_ADDRESSES
        if allowed == Allowed() or allowed.names(host):
            continue
        if not any(address in network for network in allowed.networks):
            text = gettext_noop("%(host)s (%(address)s) is not among the addresses that the portal may connect to.")
            raise AddressRefused(text, **words)


def _meant(address: Address) -> Iterator[Address]:
    """The IPv4 address that is written as IPv6 (mapped, translated, tunnelled), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.scope_id:
        # A zone makes the same address a different one to Python; only link-local ones have zones.
        address = ipaddress.IPv6Address(int(address))
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    # ::a.b.c.d, long deprecated; ::1 and :: are themselves.
    if 1 < int(address) < 2**32:
        inner.append(ipaddress.IPv4Address(int(address)))
    meant = [found for found in inner if found is not None]
    yield from meant or [address]


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split(text: str) -> SplitResult:
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise AddressRefused(gettext_noop("This is no address."))
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise AddressRefused(gettext_noop("This is no address.")) from None
    return parts


def _host(host: str | None) -> str:
    if not host:
        raise AddressRefused(gettext_noop("This is no address."))
    return host
