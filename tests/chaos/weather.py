"""What goes wrong, one disturbance after the other, chosen by dice. For the main thread, which starts processes."""

import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg2
from celery import Celery

from script.local import processes
from tests.plugins.portal import RunningPortal, worker_command
from tests.plugins.proxy import ApiProxy, Weather
from tests.plugins.servers import PostgresServer, RedisServer
from tests.waiting import eventually

LEASE_SECONDS = 3
QUICK = {
    "PORTAL_WORK_LEASE_SECONDS": str(LEASE_SECONDS),
    "PORTAL_WORK_OFFER_SECONDS": "2",
    "PORTAL_WORK_POLL_SECONDS": "0.5",
    "PORTAL_ROLES_FRESH_SECONDS": "86400",
}
_OBJECTS = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding")
PLACES = [
    "after-claim",
    *(f"after-read-{kind}" for kind in _OBJECTS),
    *(f"after-apply-{kind}" for kind in _OBJECTS),
    "before-commit",
    "before-finish",
    "after-finish",
]
WEATHERS = [
    Weather("slow", delay=0.3),
    Weather("hanging", share=0.5, hangs=True),
    Weather("429", share=0.5, status=429, retry_after=1),
    Weather("500", share=0.3, status=500),
    Weather("503", share=0.5, status=503),
    Weather("answers lost", share=0.3, loses=True),
]
WORKERS = 2
_PLACE_SECONDS = 8.0
_MOST_ASLEEP = 3


class Chaos:
    """Keeps a portal's processes running and ends them again and again; `done` counts what happened."""

    def __init__(
        self,
        *,
        portal: RunningPortal,
        proxy: ApiProxy,
        broker: RedisServer,
        database: PostgresServer,
        apiserver: processes.Process,
        folder: Path,
        dice: random.Random,
        places: Sequence[str],
    ) -> None:
        self._portal, self._proxy, self._broker, self._database = portal, proxy, broker, database
        self._apiserver, self._dice = apiserver, dice
        self._folder = folder / "failpoints"
        self._folder.mkdir()
        self._variables = QUICK | {"PORTAL_FAILPOINT_FOLDER": str(self._folder), "PORTAL_REDIS_URL": broker.url}
        self._celery = Celery(broker=broker.url)
        self._celery.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
        self._number = 0
        self.workers: list[str] = []
        # Somebody has to ask for something, else no worker comes by.
        self.waits_for_work = False
        # Those that stand still, with the moment at which they are woken.
        self._asleep: list[tuple[float, str]] = []
        # Before the dice decide: at each of these places one is killed and one stopped, and every server goes away.
        at_places = (self._kill_at_a_place, self._stop_at_a_place)
        self._first: list[Callable[[], None]] = [partial(act, place) for place in places for act in at_places]
        self._first += [self._broker_away, self._database_away, self._api_away, self._api_frozen, self._doubled]
        dice.shuffle(self._first)
        self.done: Counter[str] = Counter()
        self.places: Counter[str] = Counter()

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(count for name, count in self.done.items() if name.startswith("killed"))

    def start(self) -> None:
        """Everything, in order."""
        self._portal.start("web", "dispatch", **self._variables)
        for _ in range(WORKERS):
            self._another_worker()

    def disturb(self) -> None:
        """One disturbance to its end; those who stand still for longer are woken when their time has come."""
        if self._first:
            self._first.pop()()
            self._wake(time.monotonic())
            return
        often = [
            (self._kill_at_a_place, 7),
            (self._kill_worker, 3),
            (self._stop_at_a_place, 3),
            (self._kill_dispatch, 2),
            (self._kill_web, 2),
            (self._stop_for_a_while, 1),
            (self._broker_away, 1),
            (self._database_away, 1),
            (self._api_away, 1),
            (self._api_frozen, 1),
            (self._weather, 4),
            (self._doubled, 1),
        ]
        acts: list[Callable[[], None]] = [act for act, _weight in often]
        self._dice.choices(acts, [weight for _act, weight in often])[0]()
        self._wake(time.monotonic())

    def calm(self) -> None:
        """Nothing goes wrong any more: everybody is awake and runs."""
        self._proxy.calm()
        for order in self._folder.glob("*"):
            order.unlink(missing_ok=True)
        self._wake(float("inf"))

    def twice(self, rows: list[tuple[str, int]]) -> None:
        """Publishes (label, id) of work items twice, due or not."""
        for row in rows:
            for _ in range(2):
                # The broker may be gone: nothing depends on a message.
                with contextlib.suppress(Exception):
                    self._celery.send_task("work.drive", args=row, retry=False)
                    self.done["task doubled"] += 1

    def _another_worker(self) -> None:
        self._number += 1
        name = f"worker-{self._number}"
        self._portal.commands[name] = worker_command(name)
        self._portal.start(name, **self._variables)
        self.workers.append(name)

    def _kill(self, name: str) -> None:
        self._portal.kill(name)
        self.done[f"killed {'worker' if name.startswith('worker') else name}"] += 1

    def _kill_worker(self) -> None:
        time.sleep(self._dice.uniform(0, 1))
        self._replace(self._dice.choice(self.workers))

    def _replace(self, name: str) -> None:
        self.workers.remove(name)
        self._kill(name)
        self._another_worker()

    def _kill_at_a_place(self, place: str = "") -> None:
        name = self._stopped_at_a_place(place)
        if name is not None:
            self._replace(name)

    def _stop_at_a_place(self, place: str = "") -> None:
        """Another worker takes the place of one that wakes up when its lease is over, and is killed then. Most wake up
        before the ten seconds are over that a call may take (clusters.access.PASS_TIMEOUT), so they still write."""
        if len(self._asleep) >= _MOST_ASLEEP:
            self._wake(float("inf"))
        name = self._stopped_at_a_place(place)
        if name is None:
            return
        self.workers.remove(name)
        self.done["stopped worker beyond its lease"] += 1
        self._asleep.append((time.monotonic() + LEASE_SECONDS + self._dice.uniform(0.5, 6), name))
        self._another_worker()

    def _stopped_at_a_place(self, place: str) -> str | None:
        """The worker that stopped at the named place ("": some place); None if nobody came by."""
        place = place or self._dice.choice(PLACES)
        order, reached = self._folder / place, self._folder / f"{place}.reached"
        reached.unlink(missing_ok=True)
        order.touch()
        deadline, self.waits_for_work = time.monotonic() + _PLACE_SECONDS, True
        while time.monotonic() < deadline and not reached.exists():
            time.sleep(0.02)
        order.unlink(missing_ok=True)
        self.waits_for_work = False
        if reached.exists():
            asleep = [name for _moment, name in self._asleep]
            name = eventually(lambda: self._portal.stopped(but=asleep), 10, f"somebody stands still at {place}")
            self.places[place] += 1
            return name
        self.done["nobody came by a place"] += 1
        return None

    def _wake(self, now: float) -> None:
        for moment, name in [one for one in self._asleep if one[0] <= now]:
            self._asleep.remove((moment, name))
            self._portal.kill(name, signal.SIGCONT)
            # Time to do what it was about to do; that is what it must not be able to.
            time.sleep(1.5)
            self._kill(name)

    def _kill_dispatch(self) -> None:
        self._kill("dispatch")
        time.sleep(self._dice.uniform(0, 1))
        self._portal.start("dispatch", **self._variables)

    def _kill_web(self) -> None:
        time.sleep(self._dice.uniform(0, 1))
        self._kill("web")
        self._portal.start("web", **self._variables)

    def _stop_for_a_while(self) -> None:
        name = self._dice.choice(["dispatch", "web", *self.workers])
        self._portal.kill(name, signal.SIGSTOP)
        time.sleep(LEASE_SECONDS + self._dice.uniform(0.5, 2))
        self._portal.kill(name, signal.SIGCONT)
        self.done[f"stopped {name.partition('-')[0]} for a while"] += 1

    def _broker_away(self) -> None:
        self._broker.stop()
        time.sleep(self._dice.uniform(0.5, 4))
        self._broker.start()
        self.done["Redis away"] += 1

    def _database_away(self) -> None:
        self._database.stop(self._dice.choice([signal.SIGINT, signal.SIGQUIT]))
        time.sleep(self._dice.uniform(0.2, 3))
        self._database.start()
        self.done["PostgreSQL away"] += 1

    def _api_away(self) -> None:
        self._proxy.stop()
        time.sleep(self._dice.uniform(0.5, 4))
        self._proxy.start()
        self.done["API server away"] += 1

    def _api_frozen(self) -> None:
        self._apiserver.popen.send_signal(signal.SIGSTOP)
        try:
            time.sleep(self._dice.uniform(0.5, 4))
        finally:
            self._apiserver.popen.send_signal(signal.SIGCONT)
        self.done["API server frozen"] += 1

    def _weather(self) -> None:
        weather = self._dice.choice(WEATHERS)
        self._proxy.set(weather)
        self.done[f"API server: {weather.name}"] += 1
        # Into it falls something else, half of the time.
        if self._dice.random() < 0.5:
            self._kill_at_a_place()
        time.sleep(self._dice.uniform(1, 4))
        self._proxy.calm()

    def _doubled(self) -> None:
        with contextlib.suppress(psycopg2.Error), psycopg2.connect(self._database.url) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM clusters_bundle WHERE due_at IS NOT NULL ORDER BY random() LIMIT 20")
                rows = [("clusters.Bundle", pk) for (pk,) in cursor.fetchall()]
            self.twice(rows)
