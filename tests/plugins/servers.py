"""PostgreSQL and Redis for a test run: started once, before the settings are read, and gone with it."""

import atexit
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import django
import pytest
from django.core.management import call_command

from script.local import ROOT, messages, ports, postgres, processes, redis, variables

# Set in the process that started the servers; its children (xdist's workers, portal processes) use them.
_STARTED = "PORTAL_TEST_FOLDER"
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_running: list[processes.Process] = []


class RedisServer:
    """A Redis of a test's own on a fixed port, to be stopped and started again at will."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = ports.free_port()
        self._password = secrets.token_urlsafe(16)
        self._process: processes.Process | None = None
        self.url = redis.url(self._port, self._password)

    def start(self) -> None:
        """Starts it and returns once it answers."""
        self._process = redis.start(self._folder, self._port, self._password, self._folder.parent / "redis.log")
        processes.wait_until(self._process, lambda: redis.is_ready(self._port, self._password), 20)

    def stop(self) -> None:
        """Stops it and returns once it is gone; harmless if it does not run."""
        if self._process is not None:
            processes.stop([self._process])
            self._process = None


class PostgresServer:
    """A PostgreSQL of a test's own on a fixed port, to be stopped, broken off and started again at will.

    Nothing is forced to the disk, but every commit reaches the kernel: it survives the end of the server.
    """

    def __init__(self, folder: Path) -> None:
        self._data, self._log = folder / "postgres", folder / "postgres.log"
        self._port, password = ports.free_port(), secrets.token_urlsafe(16)
        self._process: processes.Process | None = None
        self.url = postgres.url(self._port, password)
        postgres.initialise(self._data, password)

    def start(self) -> None:
        """Starts it and returns once it answers; harmless if it runs."""
        if self._process is None:
            self._process = postgres.start(self._data, self._port, self._log, ["fsync=off", "full_page_writes=off"])
            processes.wait_until(self._process, lambda: postgres.is_ready(self._data, self._port), 60)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Ends it, by SIGQUIT without order; returns once it is gone; harmless if it does not run."""
        if self._process is not None:
            self._process.popen.send_signal(number)
            self._process.popen.wait(30)
            processes.stop([self._process])
            self._process = None


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running Redis that no other test uses, with `url`, `stop()` and `start()`."""
    folder = open_folder("portal-redis-")
    server = RedisServer(folder / "redis")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL that no other test uses and whose database is empty."""
    folder = open_folder("portal-postgres-")
    server = PostgresServer(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Finds a port of 127.0.0.1 on which nobody listens, a new one at every call."""
    return ports.free_port


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Where xdist is about to start its workers, they shall read the settings after `_prepare` below, not before."""
    if session.config.getoption("tx", None) and not _WORKER:
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    """The end of the run, also after Ctrl-C."""
    _stop()


def _prepare() -> None:
    starts = _STARTED not in os.environ
    if starts:
        atexit.register(_stop)
        _start()
        # Before Django, which reads translations when it starts.
        messages.compile_catalogues()
    # Nobody listens there unless a test starts a directory and says so.
    os.environ |= variables.directory(ports.free_port(), Path(os.environ[_STARTED], "no-ca.pem"))
    if _WORKER:
        os.environ["PORTAL_REDIS_URL"] = _own_redis(os.environ["PORTAL_REDIS_URL"])
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    # Now, so that plugins and conftest files may import models.
    django.setup()
    if starts and (ROOT / "static" / "dist" / ".stamp").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def _start() -> None:
    folder = open_folder("portal-tests-")
    os.environ |= variables.demo_secrets()
    os.environ |= {
        _STARTED: str(folder),
        "PORTAL_EXTERNAL_URL": "http://localhost:8000",
        # testserver: what Django's test client calls itself.
        "PORTAL_ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "PORTAL_STATIC_ROOT": str(folder / "static"),
        "PORTAL_LOG_LEVEL": "WARNING",
        # Tests call faster than anybody; those about limits set their own.
        "PORTAL_API_READS_PER_MINUTE": "0",
        "PORTAL_API_WRITES_PER_MINUTE": "0",
    }
    os.environ["PORTAL_DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or _start_postgres(folder)
    os.environ["PORTAL_REDIS_URL"] = os.environ.get("TEST_REDIS_URL") or _start_redis(folder)


def _start_postgres(folder: Path) -> str:
    data, port, password = folder / "postgres", ports.free_port(), secrets.token_urlsafe(16)
    postgres.initialise(data, password)
    server = postgres.start(data, port, folder / "postgres.log", postgres.CARELESS)
    _running.append(server)
    processes.wait_until(server, lambda: postgres.is_ready(data, port), 60)
    return postgres.url(port, password)


def _start_redis(folder: Path) -> str:
    port, password = ports.free_port(), secrets.token_urlsafe(16)
    server = redis.start(folder / "redis", port, password, folder / "redis.log")
    _running.append(server)
    processes.wait_until(server, lambda: redis.is_ready(port, password), 20)
    return redis.url(port, password)


def _own_redis(address: str) -> str:
    """The same server with a database for this worker: gw0 has number 1, a run without xdist 0."""
    return f"{address.rpartition('/')[0]}/{int(_WORKER.removeprefix('gw')) + 1}"


def open_folder(prefix: str) -> Path:
    """A temporary folder that the account of the servers can pass through, but not list."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder


def _stop() -> None:
    if not _running:
        return
    processes.stop(_running)
    _running.clear()
    shutil.rmtree(os.environ.pop(_STARTED), ignore_errors=True)


_prepare()
