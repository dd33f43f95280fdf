"""What bench/http.py measures, with few rows: lists and details, beside the same rows by the bare framework.

What was measured is printed as lines that begin with "http: "; HTTP_PROJECTS says how many projects there are at the
end, HTTP_ROUNDS and HTTP_TIMES how often everything is measured. The time is printed and never asserted.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from accounts.services import issue_token
from bench import rows
from script.local import ROOT, ports, processes
from tenants.models import Project
from tests.bench.test_reconcile import _kib, family
from tests.builders import a_user
from tests.waiting import eventually
from workflow import queries
from workflow.models import Request

PROJECTS = int(os.environ.get("HTTP_PROJECTS", "60"))
ROUNDS = int(os.environ.get("HTTP_ROUNDS", "1"))
TIMES = int(os.environ.get("HTTP_TIMES", "2"))
# Of the rows of the end there are so many in the beginning.
FEWER = 10
# As tests/portal/test_queries.py has them.
SESSION, TOKEN = 3, 1
TICKS = os.sysconf("SC_CLK_TCK")
SERVERS = {"portal": "portal.settings", "bare": "bench.bare.settings"}


class Case(NamedTuple):
    """An address, who calls it, how many queries it may cost, and whether the bare framework has the same."""

    path: str
    who: str
    queries: int
    has_bare: bool

    @property
    def name(self) -> str:
        kind = "API " if self.path.startswith("/api/") else "page"
        short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9]+", "…", self.path.removeprefix("/api/v1"))
        return f"{kind} {short} ({self.who})"


def cases() -> list[Case]:
    project = Project.objects.order_by("-pk")[0].uid
    waiting = queries.inbox_of(a_user("platform"), timezone.now()).order_by("-pk")[0].pk
    closed = Request.objects.filter(state="approved", kind="new-project").order_by("-pk")[0].pk
    return [
        *(Case(f"/{name}", "platform", 5 + 1, True) for name in ("requests", "projects", "tenants")),
        *(Case(f"/api/v1/{name}", "platform", 5, True) for name in ("requests", "projects", "tenants")),
        Case("/requests", "dev", 5, False),
        Case("/projects", "dev", 5, False),
        Case("/api/v1/requests", "dev", 5, False),
        Case("/api/v1/projects", "dev", 5, False),
        Case("/", "platform", 8, False),
        Case("/inbox", "platform", 5, False),
        Case(f"/requests/{waiting}", "platform", 14, False),
        Case(f"/requests/{closed}", "platform", 10, False),
        Case(f"/projects/{project}", "platform", 10, False),
        Case("/tenants/unit000", "platform", 10, False),
        Case(f"/api/v1/requests/{closed}", "platform", 10, False),
        Case(f"/api/v1/projects/{project}", "platform", 10, False),
    ]


def say(text: str) -> None:
    print(f"http: {text}", flush=True)


class Called:
    """An application of a process of its own, called without a server; see bench.in_process."""

    def __init__(self, environment: dict[str, str], module: str) -> None:
        command = [sys.executable, "-m", "bench.in_process"]
        own = environment | {"DJANGO_SETTINGS_MODULE": module}
        pipe = subprocess.PIPE
        self._popen = subprocess.Popen(command, cwd=ROOT, env=own, stdin=pipe, stdout=pipe, text=True)
        assert self._read()["ready"]

    def call(self, path: str, headers: dict[str, str], times: int) -> dict:
        self._popen.stdin.write(json.dumps({"path": path, "headers": headers, "times": times}) + "\n")
        self._popen.stdin.flush()
        return self._read()

    def _read(self) -> dict:
        line = self._popen.stdout.readline()
        assert line, "the application ended"
        return json.loads(line)

    def stop(self) -> None:
        self._popen.stdin.close()
        self._popen.wait(30)
        self._popen.stdout.close()


class Served:
    """The server as the image starts it, on a port of its own."""

    def __init__(self, environment: dict[str, str], module: str, folder: Path) -> None:
        self.port = ports.free_port()
        own = environment | {"DJANGO_SETTINGS_MODULE": module}
        log = folder / f"{module}.log"
        self._process = processes.start("web", _command(self.port), log=log, env=own, cwd=ROOT)

    def wait(self, path: str, headers: dict[str, str]) -> None:
        eventually(lambda: self._answers(path, headers), 60, "the server answers")

    def _answers(self, path: str, headers: dict[str, str]) -> bool:
        try:
            return fetched(HTTPConnection("127.0.0.1", self.port, timeout=10), path, headers)[0] == 200
        except OSError:
            return False

    @property
    def pids(self) -> list[int]:
        return family(self._process.popen.pid)

    def cpu(self) -> float:
        """Seconds of user and system time until now."""
        return sum(_ticks(pid) for pid in self.pids) / TICKS

    def mebibytes(self) -> tuple[float, float]:
        """(RSS, PSS)."""
        return tuple(sum(_kib(pid, field) for pid in self.pids) / 1024 for field in ("Rss:", "Pss:"))

    def stop(self) -> None:
        os.killpg(self._process.popen.pid, signal.SIGTERM)
        processes.stop([self._process])


def _command(port: int) -> list[str]:
    """The image's command with another port; the Python is ours."""
    line = next(line for line in reversed((ROOT / "Dockerfile").read_text().splitlines()) if line.startswith("CMD "))
    words = json.loads(line.removeprefix("CMD "))
    words[words.index("--port") + 1], words[words.index("--host") + 1] = str(port), "127.0.0.1"
    return [sys.executable, *words[1:]]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def fetched(connection: HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.fixture
def environment(portal) -> dict[str, str]:
    # What the directory says is asked for once and not while something is measured.
    return portal.environment | {"PORTAL_ROLES_FRESH_SECONDS": "86400", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def called(environment) -> Iterator[dict[str, Called]]:
    running = {name: Called(environment, module) for name, module in SERVERS.items()}
    yield running
    for one in running.values():
        one.stop()


@pytest.fixture
def served(environment, tmp_path) -> Iterator[dict[str, Served]]:
    running = {name: Served(environment, module, tmp_path) for name, module in SERVERS.items()}
    yield running
    for one in running.values():
        one.stop()


@pytest.fixture
def world(portal) -> dict[tuple[str, str], dict[str, str]]:
    """Headers by server and kind of address and person; a portal with the fewer rows."""
    now = timezone.now()
    people = {"dev": a_user("dev"), "platform": a_user("platform", "approver:platform")}
    rows.prepare()
    rows.grow(max(PROJECTS // FEWER, 20))
    headers = {}
    for name, user in people.items():
        _token, text = issue_token(user=user, name="bench", scopes=["read"], days=1, by=user, at=now)
        common = {"Accept-Language": "en", "Accept-Encoding": "identity"}
        for server, module in SERVERS.items():
            backends = import_module(module).AUTHENTICATION_BACKENDS
            headers[server, "page", name] = common | {"Cookie": f"session={_session(user, backends[-1])}"}
            headers[server, "API", name] = common | {"Authorization": f"Bearer {text}"}
    return headers


def _session(user, backend: str) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), backend
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(timedelta(days=1))
    store.create()
    return store.session_key


def headers_of(world, server: str, case: Case) -> dict[str, str]:
    return world[server, "API" if case.path.startswith("/api/") else "page", case.who]


@pytest.mark.timeout(3600)
def test_lists_and_details__beside_the_bare_framework__same_rows_and_few_queries(world, called, served):
    addresses = cases()
    few = measured(world, called, addresses)
    rows.grow(max(PROJECTS, 40))
    same_rows(world, called)
    many = measured(world, called, addresses)
    for case, told in many.items():
        before = few[case]
        assert told["portal"]["queries"] == before["portal"]["queries"], case.name
        tell(case, before, told)
    tell_served(world, served, [case for case in many if case.has_bare])


def same_rows(world, called) -> None:
    """What is compared is about the same rows, in the same order."""
    for name, key, bare_key in (("requests", "number", "id"), ("projects", "uid", "uid"), ("tenants", "code", "code")):
        case = Case(f"/api/v1/{name}", "platform", 5, True)
        answers = {
            server: json.loads(one.call(case.path, headers_of(world, server, case), 0)["body"])
            for server, one in called.items()
        }
        ours, bare = answers["portal"], answers["bare"]
        ours = ours["items"] if isinstance(ours, dict) else ours
        bare = bare["results"]
        keys = [row[bare_key] for row in bare]
        assert keys and [row[key] for row in ours][: len(keys)] == keys


def measured(world, called, addresses: list[Case]) -> dict[Case, dict[str, dict]]:
    """Medians over the rounds by case and server; servers and cases take turns."""
    found: dict[Case, dict[str, list]] = {case: {"portal": [], "bare": []} for case in addresses}
    for _round in range(ROUNDS):
        for case, told in found.items():
            for server in ("portal", "bare") if case.has_bare else ("portal",):
                told[server].append(called[server].call(case.path, headers_of(world, server, case), TIMES))
                assert told[server][-1]["status"] == 200, (case, server)
    return {case: {server: summed(one) for server, one in told.items() if one} for case, told in found.items()}


def summed(told: list[dict]) -> dict:
    wall = sorted(ms for one in told for ms in one["wall"])
    return {
        "queries": told[0]["queries"],
        "bytes": told[0]["bytes"],
        "cpu": statistics.median(statistics.mean(one["cpu"]) for one in told),
        "p50": statistics.median(wall),
        "p95": wall[min(len(wall) - 1, round(0.95 * len(wall)))],
    }


def tell(case: Case, few: dict, many: dict) -> None:
    ours, before = many["portal"], few["portal"]
    lookup = TOKEN if case.path.startswith("/api/") else SESSION
    over = ours["queries"] - lookup - case.queries
    line = (
        f"{case.name:<34}{ours['queries'] - lookup:>3} queries  {ours['cpu']:6.2f} ms CPU  "
        f"p50 {ours['p50']:6.2f}  p95 {ours['p95']:6.2f} ms  {ours['bytes'] / 1000:6.1f} kB  "
        f"x10 rows: CPU {ours['cpu'] / before['cpu']:4.2f}, p50 {ours['p50'] / before['p50']:4.2f}"
    )
    if "bare" in many:
        line += f"  bare {many['bare']['cpu']:6.2f} ms CPU, ratio {ours['cpu'] / many['bare']['cpu']:4.2f}"
    say(line + (f"  {over} queries over the aim" if over > 0 else ""))


def tell_served(world, served, compared: list[Case]) -> None:
    """Through the real servers, two connections at once: requests a second and the servers' own CPU time."""
    for server, one in served.items():
        one.wait(compared[0].path, headers_of(world, server, compared[0]))
    for case in compared:
        found: dict[str, list[tuple[float, float]]] = {"portal": [], "bare": []}
        for _round in range(ROUNDS + 1):
            for server, one in served.items():
                found[server].append(driven(one, case.path, headers_of(world, server, case)))
        # The first round warms up.
        rate, cpu = ({s: statistics.median(told[n] for told in all_[1:]) for s, all_ in found.items()} for n in (0, 1))
        say(
            f"served {case.name:<27} {rate['portal']:7.1f} requests/s, {cpu['portal']:6.2f} ms CPU each; "
            f"bare {rate['bare']:7.1f} requests/s, {cpu['bare']:6.2f} ms CPU each; "
            f"rate {rate['portal'] / rate['bare']:4.2f}, CPU {cpu['portal'] / cpu['bare']:4.2f}"
        )
    for server, one in served.items():
        rss, pss = one.mebibytes()
        assert pss > 0
        say(f"memory of {server:<7}{len(one.pids)} process(es), RSS {rss:6.1f} MiB, PSS {pss:6.1f} MiB")


def driven(one: Served, path: str, headers: dict[str, str]) -> tuple[float, float]:
    """(requests a second, milliseconds of the server's CPU for each) of two connections that ask without a pause."""
    number = max(2, TIMES * 2)
    statuses: list[int] = []

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", one.port, timeout=60)
        statuses.extend(fetched(connection, path, headers)[0] for _turn in range(number))
        connection.close()

    threads = [threading.Thread(target=ask) for _one in range(2)]
    began, worked = time.perf_counter(), one.cpu()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    assert statuses == [200] * (2 * number)
    return 2 * number / seconds, 1000 * (one.cpu() - worked) / (2 * number)
