"""The portal as it runs: web, worker and dispatch as processes on the test's database, and a browser for it."""

import os
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from clusters.models import Cluster
from clusters.services import register_cluster
from script.local import ROOT, ports, processes
from tests.builders import a_tenant, ready_portal
from tests.plugins.cluster import TestCluster
from tests.plugins.directory import PASSWORD, Directory

# Playwright keeps an event loop in this thread; the ORM calls of tests are none of its business.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def worker_command(name: str, app: str = "portal", pool: Sequence[str] = ("solo",)) -> list[str]:
    """A worker, of one process unless the `pool` is another, so that a signal reaches whoever does the work; `app` is
    the Celery app's module."""
    celery = [sys.executable, "-m", "celery", "-A", app, "worker", "--loglevel", "INFO", "--pool"]
    return [*celery, *pool, "--hostname", f"{name}@%h"]


class RunningPortal:
    """Processes of one portal; `url` is its address, `start(name)` and `kill(name)` act on one of them.

    They work on the test's own database unless another `database` (URL) is named. What is in `commands` can be
    started; a test may add to it.
    """

    def __init__(self, folder: Path, database: str = "") -> None:
        self._folder = folder
        port = ports.free_port()
        self.url = f"http://127.0.0.1:{port}"
        own = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}"
        address = database or own.format(**connection.settings_dict)
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
        self.environment = {**inherited, "PORTAL_DATABASE_URL": address, "PORTAL_EXTERNAL_URL": self.url}
        python = sys.executable
        granian = [python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        self.commands = {
            "web": [*granian, "--workers", "1", "--blocking-threads", "4", "portal.wsgi:application"],
            "worker": worker_command("first"),
            "second-worker": worker_command("second"),
            # Four slots, as where several clusters are worked on at once.
            "pool": worker_command("pool", pool=("prefork", "--concurrency", "4")),
            "dispatch": [python, "manage.py", "dispatch"],
        }
        self._running: dict[str, processes.Process] = {}

    def start(self, *names: str, **variables: str) -> None:
        """Starts processes by name with extra environment variables; returns once web answers."""
        for name in names:
            log = self._folder / f"{name}.log"
            environment = self.environment | variables
            self._running[name] = processes.start(name, self.commands[name], log=log, env=environment, cwd=ROOT)
        if "web" in names:
            processes.wait_until(self._running["web"], self.answers, 60)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Sends a signal, to the children too (web answers from one); after SIGKILL waits until the process is gone."""
        process = self._running[name]
        os.killpg(process.popen.pid, number)
        if number == signal.SIGKILL:
            process.popen.wait(30)

    def pid(self, name: str) -> int:
        """The process id."""
        return self._running[name].popen.pid

    def stopped(self, but: Collection[str] = ()) -> str:
        """The name of a process that stands still (SIGSTOP), `but` for some; "" if none does."""
        found = (name for name, one in self._running.items() if name not in but and _stands_still(one))
        return next(found, "")

    def log(self, name: str) -> str:
        """What the process wrote so far."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """Ends all of them, stopped ones too."""
        for process in self._running.values():
            if process.is_alive:
                os.killpg(process.popen.pid, signal.SIGCONT)
        processes.stop(self._running.values())

    def answers(self) -> bool:
        """Whether web does."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _stands_still(process: processes.Process) -> bool:
    try:
        stat = Path(f"/proc/{process.popen.pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


@pytest.fixture(scope="session")
def static_files() -> None:
    """What pages load. Where script/test has built it, it was collected before there were several processes: two that
    collect at once take each other's files away."""
    if not Path(settings.STATIC_ROOT, "staticfiles.json").exists():
        call_command("collectstatic", "--noinput", verbosity=0)


@pytest.fixture
def portal(transactional_db: None, directory: Directory, static_files: None, tmp_path: Path) -> Iterator[RunningPortal]:
    """A portal with tenants, groups and policies whose processes are not started yet."""
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner")
    a_tenant("motor", stranger="developer")
    running = RunningPortal(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def real_cluster(transactional_db: None, control_plane: TestCluster) -> Cluster:
    """The real API server as a registered cluster for all environments."""
    return register_cluster(
        name="real",
        driver="kubernetes",
        flavour="kubernetes",
        address=control_plane.server,
        ca=control_plane.ca,
        token=control_plane.token,
        environments=["dev", "test", "prod"],
        ingress_labels={"network.openshift.io/policy-group": "ingress"},
        monitoring_labels={"kubernetes.io/metadata.name": "monitoring"},
        by=None,
        at=timezone.now(),
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: CHROMIUM names it, else the one on the PATH."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.fail("Chromium is missing; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def sign_in(browser: Browser, portal: RunningPortal) -> Iterator[Callable[..., Page]]:
    """Signs a person in with a browser profile of their own: `sign_in("dev")` answers the page after the login.
    `options` are Playwright's for the profile."""
    contexts = []

    def enter(username: str, locale: str = "en", **options: Any) -> Page:
        size: ViewportSize = {"width": 1440, "height": 900}
        context = browser.new_context(base_url=portal.url, locale=locale, viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto("/login")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        # Named with what the page says instead, should the login fail.
        assert page.url == f"{portal.url}/", page.inner_text("body")
        return page

    yield enter
    for context in contexts:
        context.close()
