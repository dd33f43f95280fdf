"""Ten clusters, one of them dead and one slow: the other eight go on as if nothing were.

All ten are the same real API server by ten names. bench/neighbours.py runs this with more projects and keeps the times.
"""

import os
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from clusters.models import Bundle, BundleRevision, BundleRun, Cluster, Health
from clusters.services import register_cluster
from tenants.models import Project
from tests.builders import a_user, wish
from tests.faults.lines import Line
from tests.plugins.cluster import TestCluster
from tests.waiting import eventually
from workflow.services import submit

pytestmark = pytest.mark.django_db(transaction=True)
PROJECTS = int(os.environ.get("NEIGHBOURS_PROJECTS", "2"))
# Of every call to the slow one.
DELAY_SECONDS = 0.4
# Changes that wait on each of the bad ones: more than may be worked on at once.
WAITING = 6
GOOD = [f"good{number}" for number in range(1, 9)]


@pytest.fixture
def line(control_plane: TestCluster) -> Iterator[Line]:
    carries = Line(control_plane.server)
    yield carries
    carries.close()


@pytest.fixture
def slow(control_plane: TestCluster) -> Iterator[Line]:
    carries = Line(control_plane.server)
    yield carries
    carries.close()


def register(plane: TestCluster, name: str, address: str) -> Cluster:
    said = {"driver": "kubernetes", "flavour": "kubernetes", "environments": ["dev"]}
    return register_cluster(
        name=name, address=address, ca=plane.ca, token=plane.token, by=None, at=timezone.now(), **said
    )


def ask(by: User, cluster: str, name: str) -> tuple[int, datetime]:
    """(id of the bundle, when it was approved) of a project in development, which the policy approves at once."""
    values = wish(environment="dev", cluster=cluster, name=name)
    made = submit(kind="new-project", values=values, by=by, at=timezone.now())
    assert made.state == "approved"
    return Project.objects.get(uid=made.uid).bundle_id, timezone.now()


def is_ready(pk: int) -> bool:
    bundle = Bundle.objects.get(pk=pk)
    return bundle.observed_generation == bundle.generation


def most_at_once(runs: list[BundleRun]) -> int:
    """How many of the passes went on at the same time."""
    return max(sum(one.began_at <= run.began_at < one.ended_at for one in runs) for run in runs)


def told(what: str, approved: dict[int, datetime], since: datetime) -> None:
    """Prints the time from approval to ready of these bundles."""
    rows = BundleRevision.objects.filter(bundle__in=approved).values_list("bundle_id", "agreed_at")
    seconds = sorted((agreed - approved[pk]).total_seconds() for pk, agreed in rows)
    p50, p95 = seconds[len(seconds) // 2], seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]
    last = (max(agreed for _pk, agreed in rows) - since).total_seconds()
    print(
        f"neighbours: {what}: {len(seconds)} projects on {len(GOOD)} clusters, approval to ready "
        f"p50 {p50:.2f} s, p95 {p95:.2f} s, longest {seconds[-1]:.2f} s; all ready after {last:.1f} s"
    )


def start_all(portal) -> None:
    """A worker with four slots and the dispatcher, once they have probed the good ones."""
    portal.start("pool", "dispatch")
    probed = Health.objects.filter(cluster__name__in=GOOD, checked_at__isnull=False)
    eventually(lambda: probed.count() == len(GOOD), 60, "the good clusters are probed")


@pytest.fixture
def good(portal, control_plane) -> None:
    for name in GOOD:
        register(control_plane, name, control_plane.server)


def asked_for_all(by: User, unique) -> dict[int, datetime]:
    return dict(ask(by, name, unique(name)) for _turn in range(PROJECTS) for name in GOOD)


def test_eight__without_bad_neighbours__become_ready(portal, good, unique):
    start_all(portal)
    since = timezone.now()
    approved = asked_for_all(a_user("dev"), unique)
    eventually(lambda: all(map(is_ready, approved)), 120, "all are ready")
    told("without bad neighbours", approved, since)


def test_eight__beside_a_dead_and_a_slow_one__become_ready_before_them(portal, good, unique, control_plane, line, slow):
    dev = a_user("dev")
    register(control_plane, "dead", line.address)
    register(control_plane, "slow", slow.address)
    start_all(portal)
    probed = Health.objects.filter(cluster__name__in=["dead", "slow"], checked_at__isnull=False)
    eventually(lambda: probed.count() == 2, 60, "both were well once")
    # Held, so that all of it waits when they turn bad.
    both = Cluster.objects.filter(name__in=["dead", "slow"])
    both.update(held_since=timezone.now())
    bad = {name: [ask(dev, name, unique(name))[0] for _turn in range(WAITING)] for name in ("dead", "slow")}
    line.die()
    slow.delay = DELAY_SECONDS
    since, clock = timezone.now(), time.monotonic()
    both.update(held_since=None)
    Bundle.objects.filter(cluster__in=both).update(due_at=since)
    approved = asked_for_all(dev, unique)
    eventually(lambda: all(map(is_ready, approved)), 120, "the eight are ready")
    told("one dead, one slow", approved, since)
    assert not any(map(is_ready, bad["dead"]))
    assert not all(map(is_ready, bad["slow"])), "the slow one was not slow: nothing is shown here"
    opened = eventually(lambda: Event.objects.filter(action="cluster.circuit-open").first(), 60, "the circuit opens")
    assert opened.subject == "cluster:dead"
    runs = runs_of("dead")
    assert 1 <= most_at_once(runs) <= settings.WORK_LANE_LIMIT
    said = ", ".join(f"{(run.ended_at - run.began_at).total_seconds():.1f}" for run in runs)
    print(
        f"neighbours: circuit of the dead one opened {(opened.at - since).total_seconds():.1f} s after it died; "
        f"in the first {time.monotonic() - clock:.0f} s it cost {line.calls} calls, "
        f"at most {most_at_once(runs)} at once, passes of {said} s"
    )
    line.revive()
    slow.delay = 0.0
    eventually(lambda: all(map(is_ready, bad["dead"] + bad["slow"])), 120, "what waited arrives once they are well")
    assert Health.objects.get(cluster__name="dead").open_since is None


def runs_of(name: str) -> list[BundleRun]:
    return list(BundleRun.objects.filter(bundle__cluster__name=name, outcome="retrying").order_by("began_at"))
