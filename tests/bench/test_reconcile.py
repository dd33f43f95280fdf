"""What bench/reconcile.py measures, with few bundles: one worker process over real projects on the real API server.

What was measured is printed as lines that begin with "reconcile: "; RECONCILE_BUNDLES says how many bundles.
"""

import os
import statistics
import time
import uuid
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from clusters import rules
from clusters.access import driver_for
from clusters.drivers.base import Desired, ObjectRef
from clusters.drivers.fence import stamped
from clusters.drivers.kubernetes.client import Client, bounded
from clusters.models import Bundle, BundleRevision, Cluster
from clusters.services import create_bundles, set_desired, set_desired_many
from clusters.services.desired import Aim
from tenants import manifests
from tenants.rules import PARTS
from tests.builders import a_tenant
from tests.waiting import eventually

BUNDLES = int(os.environ.get("RECONCILE_BUNDLES", "4"))
CLAIMS = min(200, 4 * BUNDLES)
# What is measured without the portal is measured on part of it: half before, half after, because the server slows down.
SAMPLE = max(2, min(100, BUNDLES // 2))
# Slower than this for one bundle is not slow but stuck.
SECONDS_EACH = 3.0
GI = 1024**3
SOURCE = {"request": 1, "asker": "dev", "approvers": ["platform"]}


def state_of(namespace: str) -> dict:
    subjects = [{"kind": "User", "name": "dev"}, {"kind": "Group", "name": "claims"}]
    return {
        "namespace": namespace,
        "tenant": "claims",
        "project": str(uuid.uuid4()),
        "environment": "test",
        "display_name": "Claims imaging",
        "owner": "dev",
        "cost_centre": "4711",
        "quota": {"cpu": 2000, "memory": 4 * GI, "storage": 20 * GI, "pods": 20},
        "members": [{"subject": s, "role": r} for s, r in zip(subjects, ("developer", "viewer"), strict=True)],
        "parts": list(PARTS),
        "ingress_labels": {"network.openshift.io/policy-group": "ingress"},
        "monitoring_labels": {"kubernetes.io/metadata.name": "monitoring"},
        "flavour": "kubernetes",
    }


def say(text: str) -> None:
    print(f"reconcile: {text}", flush=True)


def projects(prefix: str, number: int) -> list[list[dict]]:
    mark = uuid.uuid4().hex[:6]
    return [manifests.project(state_of(f"{prefix}-{mark}-{index}")) for index in range(number)]


def ref_of(manifest: dict) -> ObjectRef:
    return ObjectRef(*rules.reference(manifest))


def by_post(client: Client, project: list[dict]) -> None:
    """One call per object: the least with which an object can come to be."""
    for manifest in project:
        client.create(stamped(Desired(manifest, str(uuid.uuid4()), 1, "")))


def by_apply(client: Client, project: list[dict]) -> None:
    """One server-side apply per object: what a plain `kubectl apply --server-side` sends."""
    for manifest in project:
        client.apply(stamped(Desired(manifest, str(uuid.uuid4()), 1, "")), ref_of(manifest))


def rate(seconds: float, number: int) -> float:
    return number / seconds


class Raw:
    """Rates in bundles per second without the portal: measured twice, the mean counts."""

    def __init__(self, cluster: Cluster) -> None:
        self._driver = driver_for(cluster, 30.0)
        self.rates: dict[str, list[float]] = {"post": [], "apply": [], "driver": []}

    def measure(self) -> None:
        number = max(1, SAMPLE // 2)
        for name in self.rates:
            work = projects(f"raw-{name}", number)
            begun = time.perf_counter()
            for project in work:
                self._one(name, project)
            self.rates[name].append(rate(time.perf_counter() - begun, number))

    def _one(self, name: str, project: list[dict]) -> None:
        if name == "driver":
            bundle = str(uuid.uuid4())
            for manifest in project:
                self._driver.apply(Desired(manifest, bundle, 1, ""))
            self._driver.observe([ref_of(manifest) for manifest in project])
            return
        with bounded(60):
            (by_post if name == "post" else by_apply)(self._driver._client, project)

    def of(self, name: str) -> float:
        return statistics.mean(self.rates[name])


@pytest.fixture
def claims_noted(transactional_db):
    """A trigger writes when a bundle was claimed, by the database's clock: the portal's code knows nothing of it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_claim (bundle bigint, at timestamptz)")
        cursor.execute(
            """
            CREATE FUNCTION bench_claimed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO bench_claim VALUES (NEW.id, clock_timestamp()); RETURN NULL; END $$;
            CREATE TRIGGER bench_claimed AFTER UPDATE OF lease_owner ON clusters_bundle FOR EACH ROW
                WHEN (NEW.lease_owner IS NOT NULL AND OLD.lease_owner IS DISTINCT FROM NEW.lease_owner)
                EXECUTE FUNCTION bench_claimed();
            """
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER bench_claimed ON clusters_bundle; DROP FUNCTION bench_claimed()")
        cursor.execute("DROP TABLE bench_claim")


@pytest.mark.timeout(int(600 + 8 * SECONDS_EACH * BUNDLES))
def test_one_worker__real_projects__all_ready(portal, real_cluster, claims_noted):
    raw = Raw(real_cluster)
    raw.measure()
    work = projects("bench", BUNDLES)
    bundles = wanted(real_cluster, work)
    portal.start("worker", "dispatch")
    eventually(lambda: not behind(bundles), SECONDS_EACH * BUNDLES + 60, "all bundles agree")
    raw.measure()
    tell_rates(raw, bundles, len(work[0]))
    tell_drift(bundles)
    tell_claims(real_cluster)
    portal.start("web")
    tell_memory(portal)


def wanted(cluster: Cluster, work: list[list[dict]], kind: str = "") -> list[Bundle]:
    tenant = a_tenant()
    owners = [(tenant.pk, f"project:{kind}{n}", project[0]["metadata"]["name"]) for n, project in enumerate(work)]
    bundles = create_bundles(cluster=cluster, owners=owners)
    aims = [Aim(bundle, project, {}) for bundle, project in zip(bundles, work, strict=True)]
    set_desired_many(aims=aims, provenance=SOURCE, by=None, at=timezone.now())
    return bundles


def behind(bundles: list[Bundle]) -> bool:
    pks = [bundle.pk for bundle in bundles]
    blocked = Bundle.objects.filter(pk__in=pks, blocked=True).first()
    assert blocked is None, blocked and blocked.message
    time.sleep(0.2)  # asked less often, because the question costs time of the same processors
    return BundleRevision.objects.filter(bundle__in=pks, agreed_at__isnull=True).exists()


def tell_rates(raw: Raw, bundles: list[Bundle], objects: int) -> None:
    """The portal's time goes from the first claim to the last bundle that is ready."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(at) FROM bench_claim")
        (first,) = cursor.fetchone()
    last = BundleRevision.objects.filter(bundle__in=bundles).aggregate(last=Max("agreed_at"))["last"]
    ours = rate((last - first).total_seconds(), len(bundles))
    say(f"{len(bundles)} bundles of {objects} objects, one worker process, first claim to last one ready")
    say(f"portal                                   {ours:7.2f} bundles/s  {ours * objects:7.1f} objects/s")
    for name, what in (
        ("post", "raw, one POST per object"),
        ("apply", "raw, one server-side apply per object"),
        ("driver", "driver alone (apply and look)"),
    ):
        other = raw.of(name)
        say(f"{what:<44}{other:4.2f} bundles/s  {other * objects:7.1f} objects/s  portal/this {ours / other:.2f}")
    spread = {name: f"{min(v):.2f}-{max(v):.2f}" for name, v in raw.rates.items()}
    say(f"raw rates before and after: {spread}")


def tell_drift(bundles: list[Bundle]) -> None:
    """A sweep over all bundles, where drift is looked for at all."""
    if "clusters.DriftCheck" not in dict(settings.WORK_ITEMS):
        say("drift sweep: not available")
        return
    model = apps.get_model("clusters.DriftCheck")
    begun = timezone.now()
    checks = model.objects.filter(bundle__in=bundles)
    assert checks.count() == len(bundles)
    checks.update(due_at=begun)
    fresh = checks.filter(checked_at__gt=begun)
    eventually(lambda: fresh.count() == len(bundles), SECONDS_EACH * len(bundles) + 60, "all are checked")
    assert not fresh.exclude(found=[]).exists()
    times = fresh.aggregate(first=Min("checked_at"), last=Max("checked_at"))
    say(f"drift sweep of {len(bundles)}: {(times['last'] - begun).total_seconds():.1f} s")


def tell_claims(cluster: Cluster) -> None:
    """One approval at a time, of bundles with one object each; the clock starts right before the commit, which so
    counts too."""
    waits = []
    # The lane limit would make an approval wait behind others' observing; what is measured is the way to the worker.
    Bundle.objects.update(due_at=None)
    work = [project[:1] for project in projects("claims", 4)]
    bundles = wanted(cluster, work, "small")
    eventually(lambda: not behind(bundles), 60, "the small ones agree")
    for number in range(CLAIMS):
        bundle = bundles[number % len(bundles)]
        # While a worker looks at it anyway it could be claimed for that.
        eventually(lambda pk=bundle.pk: Bundle.objects.filter(pk=pk, lease_owner=None).exists(), 60)
        with transaction.atomic():
            set_desired(
                bundle=bundle,
                manifests=work[number % len(bundles)],
                state={},
                provenance=SOURCE,
                by=None,
                at=timezone.now(),
            )
            committed = now_of_the_database()
        waits.append(eventually(lambda pk=bundle.pk, since=committed: claimed_after(pk, since), 60))
        eventually(lambda pk=bundle.pk: agreed(pk), 60, "it is ready")
    waits.sort()
    p95 = waits[min(len(waits) - 1, round(0.95 * len(waits)))]
    say(
        f"commit to claim, {len(waits)} one by one: median {1000 * statistics.median(waits):.1f} ms, "
        f"p95 {1000 * p95:.1f} ms, most {1000 * waits[-1]:.1f} ms"
    )


def agreed(pk: int) -> bool:
    return not BundleRevision.objects.filter(bundle=pk, agreed_at__isnull=True).exists()


def now_of_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def claimed_after(pk: int, since) -> float | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(at) FROM bench_claim WHERE bundle = %s AND at > %s", [pk, since])
        (at,) = cursor.fetchone()
    return (at - since).total_seconds() if at else None


def tell_memory(portal) -> None:
    """Of each process with its children: PSS shares what several have, RSS counts it for each."""
    for name in ("web", "worker", "dispatch"):
        pids = family(portal._running[name].popen.pid)
        rss, pss = (sum(_kib(pid, field) for pid in pids) / 1024 for field in ("Rss:", "Pss:"))
        assert rss > 0
        say(f"memory of {name:<9}{len(pids)} process(es), RSS {rss:6.1f} MiB, PSS {pss:6.1f} MiB")


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def _kib(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return 0
