"""Sending one webhook: to an address that was checked, once, without following anybody, and within bounds."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult

from django.conf import settings
from django.utils.translation import gettext_noop

from web import addresses
from web.addresses import AddressRefused, Policy
from web.sentences import Sentence

# The whole of it, however slowly an answer drips.
SECONDS = 15
CONNECT_SECONDS = 5
# As much of an answer as is read, and as is kept.
MOST_READ, MOST_KEPT = 16 * 1024, 500


@dataclass(frozen=True)
class Answer:
    """What came of it: the HTTP status, or a sentence where nobody answered; `retry_after` in seconds, if they said."""

    status: int | None
    milliseconds: int
    excerpt: str = ""
    problem: Sentence | None = None
    retry_after: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


def check_url(url: str) -> SplitResult:
    """Its parts. Raises AddressRefused unless it may be sent to: https (in the demo also http), a port that is open, no
    name or password in it. Resolves nothing."""
    parts = addresses.split(url)
    if parts.scheme != "https" and not (settings.DEMO and parts.scheme == "http"):
        raise AddressRefused(gettext_noop("The address must start with https://."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(gettext_noop("The address must hold neither a name nor a password."))
    if parts.fragment or "#" in url:
        raise AddressRefused(gettext_noop("The address must not hold a fragment."))
    addresses.host_of(parts.hostname)
    if port_of(parts) not in settings.WEBHOOK_PORTS and not settings.DEMO:
        raise AddressRefused(gettext_noop("Webhooks do not go to port %(port)s."), port=str(port_of(parts)))
    return parts


def port_of(parts: SplitResult) -> int:
    """The port that is meant."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def resolved(parts: SplitResult) -> list[str]:
    """IP addresses of the host, each within the policy of webhooks. Raises AddressRefused."""
    policy = Policy(settings.WEBHOOK_ADDRESSES, is_public_only=True)
    return addresses.resolved(addresses.host_of(parts.hostname), port_of(parts), policy)


def post(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Sends it; never raises for what the other side does."""
    began = time.monotonic()

    def spent() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        parts = check_url(url)
        with _connected(parts) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, dict(headers))
            answer = connection.getresponse()
            status, retry_after = answer.status, _seconds(answer.headers.get("Retry-After"))
            excerpt = _begin_of(answer)
    except AddressRefused as error:
        return Answer(None, spent(), problem=error.sentence)
    except ssl.SSLError as error:
        text = gettext_noop("The connection is not secure: %(reason)s")
        return Answer(None, spent(), problem=Sentence(text, {"reason": str(error.reason or error)[:200]}))
    except (OSError, http.client.HTTPException, ValueError) as error:
        if spent() >= SECONDS * 1000 - 100 or isinstance(error, TimeoutError):
            return Answer(None, spent(), problem=Sentence(gettext_noop("No answer in time.")))
        text = gettext_noop("Nobody answered as they should: %(reason)s")
        return Answer(None, spent(), problem=Sentence(text, {"reason": (str(error) or type(error).__name__)[:200]}))
    return Answer(status, spent(), excerpt, retry_after=retry_after)


@contextlib.contextmanager
def _connected(parts: SplitResult) -> Iterator[http.client.HTTPConnection]:
    """A connection to the first of the checked addresses that answers; cut when the time is over. The name is resolved
    once: what it answers a second time does not matter."""
    found, port = resolved(parts), port_of(parts)
    raw = _open(found, port)
    guard = threading.Timer(SECONDS, _cut, [raw])
    guard.daemon = True
    guard.start()
    try:
        wrapped = _secured(raw, addresses.host_of(parts.hostname)) if parts.scheme == "https" else raw
        guard.args = [wrapped]
        connection = http.client.HTTPConnection(addresses.host_of(parts.hostname), port, timeout=SECONDS)
        # Makes it write Host as the scheme has it, without a port that goes without saying.
        connection.default_port = 443 if parts.scheme == "https" else 80
        connection.sock = wrapped
        try:
            yield connection
        finally:
            connection.close()
    finally:
        guard.cancel()
        raw.close()


def _open(found: list[str], port: int) -> socket.socket:
    last: OSError = OSError("no address")
    for address in found[:4]:
        try:
            opened = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
            opened.settimeout(SECONDS)
            return opened
        except OSError as error:
            last = error
    raise last


def _secured(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=settings.WEBHOOK_CA_FILE or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(raw, server_hostname=host)


def _cut(opened: socket.socket) -> None:
    """Ends a conversation from outside; not by SSLSocket's own shutdown, after which it would go on in the clear."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _begin_of(answer: http.client.HTTPResponse) -> str:
    text = answer.read(MOST_READ).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text[:MOST_KEPT])


def _seconds(text: str | None) -> int | None:
    """Retry-After as seconds from now: a number, or a date; None for anything else."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, round((at - datetime.now(UTC)).total_seconds()))
