"""A proxy of the tests in front of an API server: it ends TLS itself, so it can hold back, refuse and lose what it
carries. It listens on loopback only."""

import contextlib
import http.client
import random
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from script.local import certificates, ports
from tests.plugins.cluster import TestCluster

# Nobody is held longer than this, whatever the weather: all callers have shorter limits of their own.
_LONGEST_SECONDS = 30.0
# What belongs to one connection and is not carried over to the other one.
_OWN_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"}


@dataclass(frozen=True)
class Weather:
    """What becomes of a share (0 to 1) of the calls: `delay` seconds of waiting, then nothing at all (`hangs`), an
    answer with this `status` instead of the server's, or the server's work done and its answer lost (`loses`)."""

    name: str = "calm"
    share: float = 1.0
    delay: float = 0.0
    hangs: bool = False
    status: int = 0
    retry_after: int = 0
    loses: bool = False


CALM = Weather(share=0.0)


class ApiProxy:
    """`address` and `ca` are what a client is told; `weather` may be changed at any moment; `told` counts calls by what
    became of them. Which calls are hit follows from the seed."""

    def __init__(self, server: str, server_ca: str, folder: Path, seed: int = 0) -> None:
        certificates.create(folder)
        self.ca = (folder / "ca.pem").read_text()
        self.told: Counter[str] = Counter()
        self.weather = CALM
        self.changed = threading.Event()
        self._dice, self._lock = random.Random(seed), threading.Lock()
        self._upstream = urlsplit(server)
        self._trust = ssl.create_default_context(cadata=server_ca)
        self._own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._own.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._port = ports.free_port()
        self.address = f"https://127.0.0.1:{self._port}"
        self._server: _Server | None = None

    def start(self) -> None:
        """Listens; harmless if it does already."""
        if self._server is None:
            self._server = _Server(self._port, self, self._own)
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """New connections are refused from now on, and the open ones are cut."""
        if self._server is not None:
            server, self._server = self._server, None
            server.shutdown()
            server.server_close()
            server.cut()
            self.set(self.weather)

    def set(self, weather: Weather) -> None:
        """From now on; who hangs is let go of."""
        self.weather = weather
        self.changed.set()
        self.changed = threading.Event()

    def calm(self) -> None:
        """Everything is carried, at once."""
        self.start()
        self.set(CALM)

    @contextlib.contextmanager
    def during(self, weather: Weather) -> Iterator[None]:
        """In between the weather is this."""
        self.set(weather)
        try:
            yield
        finally:
            self.set(CALM)

    def fate(self) -> Weather:
        """What becomes of the next call; counted."""
        weather = self.weather
        with self._lock:
            hit = weather is not CALM and self._dice.random() < weather.share
            chosen = weather if hit else CALM
            self.told[chosen.name] += 1
        return chosen

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to the server behind."""
        assert self._upstream.hostname is not None
        return http.client.HTTPSConnection(
            self._upstream.hostname, self._upstream.port, timeout=_LONGEST_SECONDS, context=self._trust
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, proxy: ApiProxy, trust: ssl.SSLContext) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        # The handshake is made by the thread of the connection: one that makes none must not hold up the others.
        self.socket = trust.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that went away, and the server behind that did, are what this is for."""

    def cut(self) -> None:
        """Ends all connections that are open."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _LONGEST_SECONDS
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._behind = self.server.proxy.connect()

    def finish(self) -> None:
        self._behind.close()
        with contextlib.suppress(OSError):
            super().finish()

    def _carry(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.server.proxy
        changed, fate = proxy.changed, proxy.fate()
        if fate.delay:
            changed.wait(min(fate.delay, _LONGEST_SECONDS))
        if fate.hangs:
            changed.wait(_LONGEST_SECONDS)
            self.close_connection = True
            return
        if fate.status:
            headers = {"Retry-After": str(fate.retry_after)} if fate.retry_after else {}
            self._tell(fate.status, headers, b"")
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN_HEADERS}
        self._behind.request(self.command, self.path, body or None, headers)
        answer = self._behind.getresponse()
        said = answer.read()
        if fate.loses:
            self.close_connection = True
            return
        self._tell(answer.status, dict(answer.getheaders()), said)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _carry

    def _tell(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `told` says it."""


@pytest.fixture
def api_proxy(control_plane: TestCluster, tmp_path: Path) -> Iterator[ApiProxy]:
    """A proxy in front of the test's API server that carries everything until it is told otherwise."""
    proxy = ApiProxy(control_plane.server, control_plane.ca, tmp_path / "proxy")
    proxy.start()
    yield proxy
    proxy.stop()
