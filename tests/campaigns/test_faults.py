"""Faults: a portal as it runs, on servers of its own, is asked and decided while its processes are killed and stopped and
everything it stands on goes away and comes back. In the end the clusters have what was approved, and never had anything
else; and the same onlooker finds what is wrong once the fence or the poll is off."""

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from dulwich.repo import Repo

from script.local import ROOT
from tests.chaos import oracle, watching
from tests.chaos.asking import Asking
from tests.chaos.weather import Chaos
from tests.plugins.cluster import TestCluster
from tests.plugins.portal import RunningPortal
from tests.plugins.proxy import ApiProxy
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(2400)
# Approvals, kills, people who ask at once.
SIZE = {True: (500, 100, 4), False: (15, 6, 3)}
# However the dice fall: after this the chaos ends, and the counts that were aimed at are missed and said.
LONGEST_SECONDS = {True: 1500, False: 120}
# From the end of all disturbances until everything is as approved, at most: a try may wait for five minutes at most
# (claims.RETRY_MOST_SECONDS), and what a late worker brought back is swept away when its bundle is looked at again.
BOUND_SECONDS = 420


class Field:
    """A portal on servers of its own, and everybody around it."""

    def __init__(self, tmp_path: Path, plane: TestCluster, proxy: ApiProxy, broker: Any, database: Any, dice: Any):
        assert plane.plane is not None
        self.database, self.repository = database, tmp_path / "fleet.git"
        Repo.init_bare(str(self.repository), mkdir=True).close()
        self.portal = RunningPortal(tmp_path, database.url)
        self.watch = watching.Watch(plane.plane)
        apiserver = next(one for one in plane.plane.running if one.name == "kube-apiserver")
        self.chaos = Chaos(
            portal=self.portal,
            proxy=proxy,
            broker=broker,
            database=database,
            apiserver=apiserver,
            folder=tmp_path,
            dice=random.Random(dice.random()),
        )
        common = {"flavour": "kubernetes", "environments": ["test"], **oracle.LABELS}
        real = {"name": "real", "driver": "kubernetes", "address": proxy.address, "ca": proxy.ca, "token": plane.token}
        git = {"name": "git", "driver": "gitops", "address": str(self.repository), "token": ""}
        tokens = self._seed({"clusters": [real | common, git | common]})
        # One project in five is on Git.
        self.asking = Asking(
            address=self.portal.url,
            tokens=tokens,
            clusters=["real"] * 4 + ["git"],
            dice=random.Random(dice.random()),
            finish_soon=self._end_grace,
        )

    def _seed(self, asked: dict[str, Any]) -> dict[str, str]:
        command = [sys.executable, "-m", "tests.chaos.seeding"]
        done = subprocess.run(
            command, input=json.dumps(asked), env=self.portal.environment, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        return told

    def _end_grace(self, number: int) -> None:
        """The days in which a removal can be called off are over."""
        sql = (
            "UPDATE tenants_deletion SET due_from = now(), due_at = now() WHERE request_id = %s AND started_at IS NULL"
        )

        def ended() -> bool:
            try:
                self.rows(sql, number)
            except psycopg2.Error:
                return False
            return True

        eventually(ended, 60, "the database is back")

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the portal's database answers."""
        with psycopg2.connect(self.database.url) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def unsettled(self) -> list[tuple[Any, ...]]:
        """Bundles that are not as approved yet, by the portal's own word, and removals that are not done."""
        return self.rows(
            "SELECT namespace, generation, observed_generation, blocked, attempts, due_at - now(), message"
            " FROM clusters_bundle WHERE observed_generation < generation OR blocked"
        ) + self.rows("SELECT request_id, due_at - now(), message FROM tenants_deletion WHERE done_at IS NULL")


@pytest.fixture
def field(directory, control_plane, api_proxy, redis_server, postgres_server, static_files, tmp_path, dice):
    if control_plane.plane is None:
        pytest.skip("The campaign stops and watches the API server, so it needs one of its own (no TEST_KUBECONFIG).")
    made = Field(tmp_path, control_plane, api_proxy, redis_server, postgres_server, dice)
    yield made
    made.portal.stop()


@pytest.fixture
def report(is_full: bool, capsys) -> Iterator[Callable[[str], None]]:
    """Prints what the campaign is to tell, in full always."""

    def say(line: str) -> None:
        if is_full or os.environ.get("CAMPAIGN_REPORT"):
            with capsys.disabled():
                print(line)

    yield say


def ask_and_disturb(field: Field, approvals: int, kills: int, people: int, longest: float) -> None:
    """People ask and approve while processes are killed, neither far ahead of the other."""
    over = time.monotonic() + longest
    each = approvals / kills

    def goes_on(count: int) -> bool:
        # Those who are ahead of the chaos wait for it.
        while count < approvals and count > (field.chaos.kills + 2) * each and time.monotonic() < over:
            time.sleep(0.1)
        return count < approvals and time.monotonic() < over

    threads = [threading.Thread(target=field.asking.run, args=(goes_on,)) for _ in range(people)]
    for thread in threads:
        thread.start()
    while time.monotonic() < over and (field.chaos.kills < kills or any(one.is_alive() for one in threads)):
        field.chaos.disturb()
    field.chaos.calm()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()


def settle(field: Field) -> float:
    """Seconds until the portal says that everything is as approved, and nothing is in the cluster that nobody wants."""
    began = time.monotonic()
    wanted = [key for one in field.asking.projects if one.cluster == "real" and one.approved for key in one.forms()[-1]]

    def is_settled() -> bool:
        return not field.unsettled() and not [
            key for key in field.watch.live().keys() - set(wanted) if key.namespace.startswith("claims-p")
        ]

    deadline = began + BOUND_SECONDS
    while not is_settled() and time.monotonic() < deadline:
        time.sleep(0.5)
    return time.monotonic() - began


def test_faults__everything_goes_wrong__clusters_have_what_was_approved(field, is_full, report):
    approvals, kills, people = SIZE[is_full]
    began = time.monotonic()
    field.watch.start()
    field.chaos.start()
    ask_and_disturb(field, approvals, kills, people, LONGEST_SECONDS[is_full])
    field.asking.clear_up()
    settled_in = settle(field)
    stuck = field.unsettled()
    live, versions = field.watch.live(), list(field.watch.versions)
    field.watch.stop()
    of_git = watching.history(field.repository)
    projects = [one for one in field.asking.projects if one.approved]
    real = oracle.judge([one for one in projects if one.cluster == "real"], versions, live)
    git = oracle.judge([one for one in projects if one.cluster == "git"], of_git, watching.last(of_git))
    tell(field, real, git, stuck, settled_in, time.monotonic() - began, report)
    assert field.asking.broken == []
    assert stuck == []
    for found in (real, git):
        assert found.lost == []
        assert found.unapproved == []
        assert found.older_over_newer == []
        assert found.resurrected == []
    # Nothing is shown by a watch that saw nothing.
    assert {one.uid for one in live.values() if one.key.namespace.startswith("claims-p")} <= {v.uid for v in versions}
    assert field.asking.count >= approvals and field.chaos.kills >= kills


def tell(field, real, git, stuck, settled_in, seconds, report) -> None:
    took = sorted(real.took + git.took)
    asking, chaos = field.asking, field.chaos
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(asking.by_kind.items()))
    report(
        f"\napproved {asking.count} ({kinds}) of {len(asking.projects)} projects, {chaos.kills} kills, {seconds:.0f} s"
    )
    for name, count in sorted(chaos.done.items()):
        report(f"    {count:4}  {name}")
    report("stopped or killed at: " + ", ".join(f"{name} {count}" for name, count in sorted(chaos.places.items())))
    report(f"versions of objects seen: {real.versions} in the API server, {git.versions} in Git")
    for name in ("lost", "unapproved", "older_over_newer", "resurrected"):
        sentences = getattr(real, name) + getattr(git, name)
        words = {"unapproved": "applied in a form nobody approved", "resurrected": "resurrected after delete"}
        report(f"{words.get(name, name.replace('_', ' '))} {len(sentences)}")
        for sentence in sentences[:20]:
            report(f"    {sentence}")
    report(f"stuck {len(stuck)}")
    for row in stuck[:20]:
        report(f"    {row}")
    for sentence in asking.broken[:20]:
        report(f"refused: {sentence}")
    longest = max((seconds for _key, seconds in real.swept), default=0.0)
    report(f"brought back by late workers and swept away: {len(real.swept)} (longest {longest:.1f} s)")
    if len(took) > 1:
        cuts = statistics.quantiles(took, n=20)
        report(
            f"approval to the cluster having it, amid all this: p50 {cuts[9]:.1f} s, p95 {cuts[18]:.1f} s, most {took[-1]:.1f} s"
        )
    report(f"after the last disturbance all was as approved within {settled_in:.1f} s")
