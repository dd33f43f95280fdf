"""Real Git servers on the loopback: `git http-backend` behind TLS and basic authentication, and OpenSSH's sshd."""

import base64
import os
import pwd
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from script.local import certificates, ports, processes

_SSHD = "/usr/sbin/sshd"
# No password of anybody; it is only ever accepted on the loopback.
TOKEN = "s3cret/t0ken+of:the@portal"


@dataclass
class HttpsServer:
    """Serves the bare repositories below `root`. `users`: {name: (token, may write)}; `hooked`: what is answered
    instead, as (status, headers), for requests whose path and query contain the key."""

    root: Path
    port: int
    ca: str
    users: dict[str, tuple[str, bool]]
    hooked: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    # Method and path of every request that was let in, in order.
    seen: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"https://127.0.0.1:{self.port}/{name}"


@dataclass
class SshServer:
    """Lets the owner of `key` (OpenSSH, private) in as `user`; `known_hosts` has its host key."""

    port: int
    user: str
    key: str
    known_hosts: str
    log: Path

    def url(self, folder: Path) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{folder}"


@pytest.fixture
def https_server(tmp_path: Path) -> Iterator[HttpsServer]:
    """A Git server by https:// whose repositories lie in tmp_path."""
    folder = tmp_path / "tls"
    certificates.create(folder)
    served = HttpsServer(
        tmp_path, 0, (folder / "ca.pem").read_text(), {"portal": (TOKEN, True), "reader": (TOKEN, False)}
    )

    class Handler(_Backend):
        git = served

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    # The handshake in the request's own thread: one client that refuses our certificate must not stop the others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def ssh_server(tmp_path: Path) -> Iterator[SshServer]:
    """A Git server by ssh:// for every repository that this account can read; skips where there is no sshd."""
    if not os.path.exists(_SSHD):
        pytest.skip("There is no sshd to test with: apt-get install openssh-server.")
    folder = tmp_path / "sshd"
    folder.mkdir(mode=0o700)
    for name in ("host", "portal"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port, user = ports.free_port(), pwd.getpwuid(os.geteuid()).pw_name
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "portal.pub",
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    if os.geteuid() == 0:
        # Where sshd locks itself in; made at boot elsewhere.
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    log = folder / "log"
    process = processes.start("sshd", [_SSHD, "-D", "-e", "-f", folder / "config"], log=log)
    try:
        processes.wait_until(process, lambda: _answers(port), 20)
        known = f"[127.0.0.1]:{port} {' '.join((folder / 'host.pub').read_text().split()[:2])}\n"
        yield SshServer(port, user, (folder / "portal").read_text(), known, log)
    finally:
        processes.stop([process])


class _Backend(BaseHTTPRequestHandler):
    """CGI for `git http-backend`, as much as Git needs."""

    git: HttpsServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        body = self._body()
        user = self._user()
        if user is None:
            return self._send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        self.git.seen.append(f"{self.command} {self.path}")
        for part, (status, headers) in self.git.hooked.items():
            if part in self.path:
                return self._send(status, headers, b"")
        if "git-receive-pack" in self.path and not self.git.users[user][1]:
            return self._send(403, {}, b"")
        path, _mark, query = self.path.partition("?")
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], env=variables, input=body, capture_output=True, check=False)
        head, _blank, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        return self._send(int(headers.pop("Status", "200 OK").split()[0]), headers, content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().strip(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _user(self) -> str | None:
        scheme, _space, text = self.headers.get("Authorization", "").partition(" ")
        name, _colon, token = base64.b64decode(text).decode().partition(":") if scheme == "Basic" else ("", "", "")
        known = self.git.users.get(name)
        return name if known and known[0] == token else None

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
