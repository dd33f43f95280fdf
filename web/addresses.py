"""Which addresses the portal connects to: what somebody types, and what its name resolves to, is held against a
policy, so that nobody makes the portal speak to its own machine or to a cloud's metadata service."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

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
# All that is given out of IPv6 for everybody (RFC 4291); what else Python calls global is of no server on the internet.
_GLOBAL = ipaddress.ip_network("2000::/3")
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(\.{_LABEL})*\.?", re.I)
# An IPv4 address in one of the ways that only resolvers read: 2130706433, 0x7f.1, 0177.0.0.1.
_ODD = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.I)
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


@dataclass(frozen=True)
class Policy:
    """`allowed` limits all connections. Where `is_public_only`, what it does not name must be an address that the
    whole internet knows, written as such: for what anybody of a tenant may type."""

    allowed: Allowed = Allowed()
    is_public_only: bool = False


def resolved(host: str, port: int, policy: Policy) -> list[str]:
    """The host's IP addresses, each within the policy; who connects to one of these is not fooled by a name that
    answers differently the second time. Raises AddressRefused, also where the name is not known."""
    if not _is_literal(host) and not _NAME.fullmatch(host):
        raise AddressRefused(gettext_noop("%(host)s is no host name."), host=host[:100])
    if policy.is_public_only and _ODD.fullmatch(host) and not _is_literal(host):
        raise AddressRefused(gettext_noop("%(host)s is no host name."), host=host[:100])
    try:
        answers = socket.getaddrinfo(host, port or None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnknown(gettext_noop("The name %(host)s is not known."), host=host[:100]) from None
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    for text in found:
        _check(host, text, policy)
    return found


def _check(host: str, text: str, policy: Policy) -> None:
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
        if not _is_within(host, ipaddress.ip_address(text), address, policy):
            text = gettext_noop("%(host)s (%(address)s) is not among the addresses that the portal may connect to.")
            raise AddressRefused(text, **words)


def _is_within(host: str, written: Address, address: Address, policy: Policy) -> bool:
    """Whether the policy lets the portal connect to `address`, which a name or somebody has `written` so."""
    allowed = policy.allowed
    if allowed.names(host) or any(address in network for network in allowed.networks):
        return True
    if policy.is_public_only:
        # One written in another's guise is no address that anybody has by honest means.
        return address == written and address.is_global and (address.version == 4 or address in _GLOBAL)
    return allowed == Allowed()


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


def split(text: str) -> SplitResult:
    """The parts of an address with scheme. Raises AddressRefused."""
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise AddressRefused(gettext_noop("This is no address."))
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise AddressRefused(gettext_noop("This is no address.")) from None
    return parts


def host_of(host: str | None) -> str:
    """The host, which must be there. Raises AddressRefused."""
    if not host:
        raise AddressRefused(gettext_noop("This is no address."))
    return host
