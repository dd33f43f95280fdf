"""Bundles a second by one worker, and what it costs; run by bench/reconcile.py."""

import os
import statistics
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bench.measured import MARK
from clusters import rules
from clusters.access import connection_of
from clusters.drivers.base import Desired
from clusters.drivers.fence import stamped
from clusters.drivers.kubernetes.client import Client, bounded
from clusters.models import Bundle, BundleRun, Cluster
from clusters.services import create_bundles
from clusters.services.desired import Aim, set_desired, set_desired_many
from tenants import manifests
from tenants.models import Tenant
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = int(os.environ.get("BENCH_SIZE", "20"))
GI = 1024**3


def say(text: str) -> None:
    """A line that is kept."""
    print(MARK + text)


def state_of(namespace: str, cpu: int = 2000) -> dict[str, Any]:
    """An ordinary project, as tenants.states makes it."""
    subjects = [{"kind": "User", "name": name} for name in ("dev", "owner")]
    return {
        "namespace": namespace,
        "tenant": "claims",
        "project": str(uuid.uuid4()),
        "environment": "dev",
        "display_name": "Claims imaging",
        "owner": "dev",
        "cost_centre": "CC-4711",
        "quota": {"cpu": cpu, "memory": 4 * GI, "storage": 20 * GI, "pods": 20},
        "members": [
            {"subject": one, "role": role} for one, role in zip(subjects, ("developer", "viewer"), strict=True)
        ],
        "parts": ["limits", "members", "names", "network", "quota", "security"],
        "ingress_labels": {"network.openshift.io/policy-group": "ingress"},
        "monitoring_labels": {"kubernetes.io/metadata.name": "monitoring"},
        "flavour": "kubernetes",
        "node_selector": "",
        "security_constraints": "",
        "network": "networkpolicy",
    }


def raw_applies(cluster: Cluster, namespaces: list[str]) -> tuple[int, float]:
    """(objects, seconds) of server-side applies of whole projects, one after the other, with nothing around them."""
    client, count = Client(connection_of(cluster)), 0
    began = time.monotonic()
    for namespace in namespaces:
        with bounded(120):
            for manifest in manifests.project(state_of(namespace)):
                desired = Desired(manifest, str(uuid.uuid4()), 1)
                client.apply(stamped(desired), desired.ref)
                count += 1
    return count, time.monotonic() - began


def memory(pid: int) -> str:
    """Resident and proportional size of a process in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:] if line.startswith(("Rss", "Pss:"))}
    return f"{sizes['Rss'] / 1024:.0f} MB resident, {sizes['Pss'] / 1024:.0f} MB proportional"


def test_reconcile(portal: Any, real_cluster: Cluster, unique: Callable[[str], str]) -> None:
    """All bundles end ready; what it took is printed."""
    half = max(1, min(SIZE, 200) // 2)
    tenant = Tenant.objects.get(code="claims")
    portal.start("web", "worker", "dispatch")
    raw = [raw_applies(real_cluster, [unique("raw") for _number in range(half)])]
    names = [unique("bundle") for _number in range(SIZE)]
    made = create_bundles(cluster=real_cluster, owners=[(tenant.pk, f"project:{uuid.uuid4()}", name) for name in names])
    states = [state_of(name) for name in names]
    aims = [Aim(b, manifests.project(s), s) for b, s in zip(made, states, strict=True)]
    objects = sum(len(aim.manifests) for aim in aims)
    for aim in aims:
        rules.check_confined(aim.manifests, aim.bundle.namespace)
    began = time.monotonic()
    set_desired_many(aims=aims, provenance={}, by=None, at=timezone.now())
    unready = Bundle.objects.filter(observed_generation=0)
    eventually(lambda: not unready.exists(), 3000, "all are ready")
    took = time.monotonic() - began
    raw.append(raw_applies(real_cluster, [unique("raw") for _number in range(half)]))
    raw_rate, rate = sum(n for n, _s in raw) / sum(s for _n, s in raw), objects / took
    say(f"{SIZE} bundles, {objects} objects, one worker: {took:.1f} s from the commit to the last one ready")
    say(f"raw applies one after the other: {raw_rate:.0f} objects/s")
    say(f"the worker: {rate:.0f} objects/s, {rate / raw_rate:.2f} of raw")
    again = BundleRun.objects.filter(bundle__in=made).count() / SIZE
    say(f"passes that did something, per bundle: {again:.2f}")
    _sweep(made)
    _wake(made[: min(SIZE, 200)], names)
    for name in ("web", "worker", "dispatch"):
        say(f"memory of {name}: {memory(portal.pid(name))}")


def _sweep(made: list[Bundle]) -> None:
    """Drift of all of them, asked once."""
    if "clusters.DriftCheck" not in dict(settings.WORK_ITEMS):
        say("drift sweep: not available")
        return
    from clusters.models import DriftCheck

    # Looks that are due meanwhile would be measured too.
    Bundle.objects.update(due_at=None)
    at = timezone.now()
    began = time.monotonic()
    DriftCheck.objects.filter(bundle__in=made).update(due_at=at)
    waiting = DriftCheck.objects.filter(bundle__in=made).exclude(checked_at__gte=at)
    eventually(lambda: not waiting.exists(), 3000, "all are compared")
    took = time.monotonic() - began
    found = DriftCheck.objects.filter(bundle__in=made).exclude(found=[]).count()
    say(f"drift sweep of {len(made)}: {took:.1f} s, {took / len(made) * 1000:.0f} ms each; drifted {found}")


def _wake(made: list[Bundle], names: list[str]) -> None:
    """From the commit of a new revision to the worker's first step, one after the other."""
    waits = []
    for bundle, name in zip(made, names, strict=False):
        state = state_of(name, cpu=3000)
        with transaction.atomic():
            set_desired(
                bundle=bundle,
                manifests=manifests.project(state),
                state=state,
                provenance={},
                by=None,
                at=timezone.now(),
            )
            committed = timezone.now()
        run = eventually(lambda b=bundle: b.runs.filter(revision=2).last(), 60, "a worker took it")
        waits.append((run.began_at - committed).total_seconds() * 1000)
    cuts = statistics.quantiles(waits, n=20) if len(waits) > 1 else waits * 20
    say(f"commit to claimed over {len(waits)}: p50 {statistics.median(waits):.1f} ms, p95 {cuts[18]:.1f} ms")
