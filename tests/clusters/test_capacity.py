"""How much a cluster has to give: read from its nodes on a real API server, or stated by hand and left alone."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from clusters.access import driver_for
from clusters.capacity import REFRESH_EVERY, effective, refresh
from clusters.drivers import base
from clusters.drivers.gitops import GitOpsDriver
from clusters.models import Capacity, Cluster
from tests.builders import a_cluster
from web.sentences import shown
from work import claims
from work.tasks import Pass, attempt, give_back

pytestmark = pytest.mark.django_db


def a_capacity(cluster: Cluster, source: str = "nodes", **fields: object) -> Capacity:
    due = {"generation": 1, "due_at": timezone.now(), "lane": cluster.name}
    # A cluster may be registered with a capacity already.
    return Capacity.objects.update_or_create(cluster=cluster, defaults={"source": source, **due, **fields})[0]


def refreshed(capacity: Capacity) -> Pass:
    """One pass as a worker makes it."""
    lease = claims.claim(Capacity, capacity.pk, timezone.now())
    outcome = attempt(refresh, lease)
    give_back(lease, outcome, timezone.now())
    capacity.refresh_from_db()
    return outcome


@pytest.fixture
def node(kubectl, unique):
    """A large compute node, so that what other tests add and remove meanwhile is small beside it."""
    name = unique("capacity")
    made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    kubectl("create", "-f", "-", stdin=json.dumps(made))
    given = {"cpu": "100000", "memory": "1Pi", "pods": "1000000"}
    status = {"status": {"allocatable": given, "conditions": [{"type": "Ready", "status": "True"}]}}
    kubectl("patch", "node", name, "--subresource=status", f"--patch={json.dumps(status)}")
    yield name
    kubectl("delete", "node", name)


def test_refresh__nodes_of_a_real_cluster__written_down_and_looked_at_again(real_cluster, node):
    capacity = a_capacity(real_cluster, problem={"text": "as before"})
    assert refreshed(capacity) == Pass(observed=1, after=REFRESH_EVERY)
    assert 100_000_000 <= capacity.cpu_millicores < 2_000_000_000
    assert 2**50 <= capacity.memory_bytes < 64 * 2**50
    assert capacity.pods >= 1_000_000 and capacity.nodes >= 1 and capacity.storage_bytes is None
    assert capacity.problem is None and capacity.observed_at
    assert timedelta(minutes=9) < capacity.due_at - timezone.now() <= timedelta(minutes=10)
    assert (capacity.observed_generation, capacity.attempts, capacity.lease_owner) == (1, 0, None)
    assert driver_for(real_cluster, 10).capacity().nodes >= 1


@pytest.mark.parametrize("reason", ["reached", "lost"])
def test_refresh__cluster_cannot_be_asked__the_reason_beside_the_last_figures(reason):
    cluster = a_cluster(token_sealed="lost:00" if reason == "lost" else "")
    seen_at = timezone.now() - timedelta(hours=1)
    capacity = a_capacity(cluster, cpu_millicores=8000, memory_bytes=2**34, pods=110, nodes=2, observed_at=seen_at)
    assert refreshed(capacity).after == REFRESH_EVERY
    assert reason in shown(capacity.problem)
    figures = (capacity.cpu_millicores, capacity.memory_bytes, capacity.pods, capacity.nodes, capacity.observed_at)
    assert figures == (8000, 2**34, 110, 2, seen_at)


def test_refresh__git__has_to_be_stated_by_hand(gitops_cluster):
    capacity = a_capacity(gitops_cluster)
    refreshed(capacity)
    assert "by hand" in shown(capacity.problem) and capacity.cpu_millicores is None and capacity.observed_at is None


def test_refresh__no_node_ready__unknown_instead_of_nothing(monkeypatch):
    monkeypatch.setattr(GitOpsDriver, "capacity", lambda self: base.Capacity(0, 0, 0, 3, 0))
    capacity = a_capacity(a_cluster(driver="gitops"), cpu_millicores=8000)
    refreshed(capacity)
    assert shown(capacity.problem) == "None of 3 compute nodes is ready."
    assert capacity.cpu_millicores == 8000 and capacity.pods is None


def test_refresh__stated_by_hand__left_alone_and_never_looked_at_again():
    capacity = a_capacity(a_cluster(), "stated", cpu_millicores=64000)
    assert refreshed(capacity) == Pass(observed=1)
    assert (capacity.cpu_millicores, capacity.problem, capacity.due_at) == (64000, None, None)


def test_refresh__stated_by_hand_meanwhile__what_was_read_is_not_written(monkeypatch):
    capacity = a_capacity(a_cluster(driver="gitops"))

    def slow(self):
        Capacity.objects.update(source="stated", cpu_millicores=64000, generation=2)
        return base.Capacity(1000, 2**30, 10, 1, 1)

    monkeypatch.setattr(GitOpsDriver, "capacity", slow)
    refreshed(capacity)
    assert (capacity.cpu_millicores, capacity.pods) == (64000, None)
    assert capacity.due_at <= timezone.now() and capacity.observed_generation == 1


def test_refresh__lease_lost_while_the_cluster_was_asked__nothing_written(monkeypatch):
    capacity = a_capacity(a_cluster(driver="gitops"))

    def slow(self):
        Capacity.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        return base.Capacity(1000, 2**30, 10, 1, 1)

    monkeypatch.setattr(GitOpsDriver, "capacity", slow)
    lease = claims.claim(Capacity, capacity.pk, timezone.now())
    with pytest.raises(claims.LeaseLost):
        refresh(lease)
    capacity.refresh_from_db()
    assert capacity.cpu_millicores is None


@pytest.mark.parametrize(
    ("cpu", "memory", "factors", "expected"),
    [
        (8000, 2**34, ("1", "1"), (8000, 2**34)),
        (8000, 2**34, ("2.5", "1.25"), (20000, 5 * 2**32)),
        (1001, 3, ("1.01", "0.5"), (1011, 1)),
        (None, None, ("2", "2"), (None, None)),
        (0, 2**62, ("4", "1.01"), (0, 2**62 + 2**62 // 100)),
    ],
)
def test_effective__figures_times_overcommit__exact_and_rounded_down(cpu, memory, factors, expected):
    capacity = Capacity(
        cpu_millicores=cpu,
        memory_bytes=memory,
        pods=110,
        storage_bytes=None,
        cpu_overcommit=Decimal(factors[0]),
        memory_overcommit=Decimal(factors[1]),
    )
    assert effective(capacity) == {"cpu": expected[0], "memory": expected[1], "storage": None, "pods": 110}


def test_effective__nothing_known__nothing_promised():
    assert effective(Capacity()) == {"cpu": None, "memory": None, "storage": None, "pods": None}
