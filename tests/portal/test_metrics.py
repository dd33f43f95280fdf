"""What /metrics says, who may read it, and that rules and board name nothing else."""

import atexit
import json
import re
import time
from datetime import timedelta
from ipaddress import ip_network

import pytest
import yaml
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts import directory as live
from accounts import emergency
from audit import sealing, services
from clusters.models import Cluster, Health
from portal import measuring, metrics
from portal.models import Measure
from script.local import ROOT
from tests.builders import a_bundle, a_cluster, a_user, wish
from tests.portal import promql
from tests.waiting import eventually
from web import measures
from workflow import queries
from workflow.services import decide, submit

pytestmark = pytest.mark.django_db
MONITORING = ROOT / "deploy" / "monitoring"
TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def fresh(db, monkeypatch):
    """Nothing measured, and no text of an earlier test."""
    measures.take()
    Measure.objects.all().delete()
    monkeypatch.setattr(metrics, "_kept", (float("-inf"), b""))


def _samples():
    """{(name, labels as sorted pairs): value} of a fresh answer."""
    text = metrics.collected(timezone.now()).decode()
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def _of(samples, name, **labels):
    return samples[name, tuple(sorted(labels.items()))]


def _decide(world, request, verdict="approve"):
    digest = queries.newest_plan(request).digest
    by = world.people["platform"]
    decide(number=request.number, verdict=verdict, note="n", plan_digest=digest, by=by, at=timezone.now())


def test_metrics__requests_and_decisions__counted_by_kind_state_and_verdict(world):
    samples = _samples()
    assert _of(samples, "portal_requests", kind="new-project", state="submitted") == 1
    assert _of(samples, "portal_requests", kind="new-project", state="approved") == 1
    later = timezone.now() + timedelta(hours=2)
    made = submit(kind="new-project", values=wish(name="late", environment="test"), by=world.people["dev"], at=later)
    _decide(world, world.request)
    type(made).objects.filter(pk=made.pk).update(submitted_at=timezone.now() - timedelta(minutes=5))
    _decide(world, made, "reject")
    samples = _samples()
    assert _of(samples, "portal_decisions_total", verdict="approve") == 1
    assert _of(samples, "portal_decisions_total", verdict="reject") == 1
    name, labels = "portal_request_decision_duration_seconds", {"kind": "new-project", "outcome": "rejected"}
    assert _of(samples, f"{name}_count", **labels) == 1
    assert _of(samples, f"{name}_bucket", le="60.0", **labels) == 0
    assert _of(samples, f"{name}_bucket", le="600.0", **labels) == 1
    assert _of(samples, f"{name}_bucket", le="+Inf", **labels) == 1
    assert 300 <= _of(samples, f"{name}_sum", **labels) < 330


def test_metrics__a_cluster_has_what_was_approved__how_long_that_took(world):
    revision = world.project.bundle.revisions.get()
    closed_at = world.project.bundle.outcomes.get().request.closed_at
    type(revision).objects.filter(pk=revision.pk).update(agreed_at=closed_at + timedelta(seconds=7))
    samples = _samples()
    name = "portal_request_apply_duration_seconds"
    assert _of(samples, f"{name}_bucket", kind="new-project", le="5.0") == 0
    assert _of(samples, f"{name}_bucket", kind="new-project", le="10.0") == 1
    assert _of(samples, f"{name}_sum", kind="new-project") == 7


def test_metrics__work__what_is_due_how_old_and_held():
    now = timezone.now()
    a_bundle(due_at=now - timedelta(seconds=100))
    a_bundle(due_at=now - timedelta(seconds=20), attempts=3)
    held = {"lease_until": now + timedelta(minutes=1), "lease_owner": "9b9d8f7e-3c1a-4c3e-8f3f-0d8a3b1c2d4e"}
    a_bundle(due_at=now - timedelta(seconds=500), **held)
    a_bundle(due_at=now + timedelta(hours=1))
    samples = _samples()
    model = {"model": "clusters.Bundle"}
    assert _of(samples, "portal_work_items_due", **model) == 2
    assert 100 <= _of(samples, "portal_work_oldest_due_seconds", **model) < 110
    assert _of(samples, "portal_work_items_leased", **model) == 1
    assert _of(samples, "portal_work_items_failing", **model) == 1
    assert _of(samples, "portal_work_oldest_due_seconds", model="tenants.Deletion") == 0


def test_metrics__work_behind_an_open_circuit__is_not_called_due():
    now = timezone.now()
    bundle = a_bundle(due_at=now - timedelta(seconds=100))
    Health.objects.create(cluster=bundle.cluster, lane="probe", open_since=now, reason={"text": "gone"})
    samples = _samples()
    assert _of(samples, "portal_work_items_due", model="clusters.Bundle") == 0
    assert _of(samples, "portal_work_oldest_due_seconds", model="clusters.Bundle") == 0


def test_metrics__clusters__up_circuit_and_bundles_by_state():
    now = timezone.now()
    for name, fields in (("good", {"checked_at": now}), ("dead", {"open_since": now, "reason": {"text": "gone"}})):
        Health.objects.create(cluster=a_cluster(name), lane=name, **fields)
    a_bundle(cluster=Cluster.objects.get(name="good"), blocked=True, generation=1)
    samples = _samples()
    assert _of(samples, "portal_cluster_up", cluster="good") == 1
    assert _of(samples, "portal_cluster_up", cluster="dead") == 0
    assert _of(samples, "portal_cluster_circuit_open", cluster="dead") == 1
    assert _of(samples, "portal_bundles", cluster="good", state="blocked") == 1
    assert _of(samples, "portal_bundles", cluster="dead", state="blocked") == 0


def test_metrics__audit_and_emergency_access__what_waits_and_what_is_open():
    services.record(actor=None, action="thing.do", subject="thing:1", at=timezone.now())
    assert _of(_samples(), "portal_audit_events_unsealed") == 1
    seal = sealing.seal_waiting(at=timezone.now())
    samples = _samples()
    assert _of(samples, "portal_audit_events_unsealed") == 0
    assert _of(samples, "portal_audit_seal_number") == seal.number
    assert _of(samples, "portal_audit_seal_timestamp_seconds") == pytest.approx(seal.at.timestamp())
    assert _of(samples, "portal_emergency_accounts_open") == 0
    emergency.open_access(person="boss", reason="The directory is down", hours=1, at=timezone.now())
    assert _of(_samples(), "portal_emergency_accounts_open") == 1


def test_measured__by_several_processes__added_up():
    for _process in range(3):
        measures.observe("portal_http_request_duration_seconds", 0.03, route="home")
        measures.observe("portal_http_request_duration_seconds", 99, route="home")
        measures.count("portal_http_requests_total", route="home", method="GET", code="200")
        measuring.flush()
    samples = _samples()
    name = "portal_http_request_duration_seconds"
    assert _of(samples, f"{name}_bucket", route="home", le="0.025") == 0
    assert _of(samples, f"{name}_bucket", route="home", le="0.05") == 3
    assert _of(samples, f"{name}_bucket", route="home", le="30.0") == 3
    assert _of(samples, f"{name}_bucket", route="home", le="+Inf") == 6
    assert _of(samples, f"{name}_sum", route="home") == pytest.approx(297.09)
    assert _of(samples, "portal_http_requests_total", route="home", method="GET", code="200") == 3


def test_measured__the_database_is_away__kept_for_later(monkeypatch):
    measures.count("portal_http_requests_total", route="home", method="GET", code="200")
    with monkeypatch.context() as patched:
        patched.setattr(measuring, "_UPSERT", "SELECT 1 / 0 -- {rows}")
        with transaction.atomic():
            measuring.flush()
            transaction.set_rollback(True)
    measuring.flush()
    assert Measure.objects.get().count == 1


def test_measured__answers__by_route_and_not_by_address(world):
    client = world.person("dev")
    client.get(f"/requests/{world.request.number}")
    client.get("/nothing/here")
    client.generic("BREW", "/login")
    measuring.flush()
    samples = _samples()
    name = "portal_http_requests_total"
    assert _of(samples, name, route="request-detail", method="GET", code="200") == 1
    assert _of(samples, name, route="none", method="GET", code="404") == 1
    assert _of(samples, name, route="login", method="other", code="405") == 1
    assert _of(samples, "portal_http_request_duration_seconds_count", route="request-detail") == 1


def test_measured__directory__how_long_and_whether_it_answered(directory):
    assert live.person_exists("dev")
    with directory.down(), pytest.raises(live.DirectoryUnavailable):
        live.person_exists("dev")
    measuring.flush()
    samples = _samples()
    name = "portal_directory_request_duration_seconds_count"
    assert _of(samples, name, operation="search", outcome="ok") == 1
    assert _of(samples, name, operation="bind", outcome="error") == 1


def test_thread__of_a_process__carries_along_what_was_measured_every_few_moments(transactional_db):
    measures.count("portal_http_requests_total", route="home", method="GET", code="200")
    end = measuring.start(every=0.05)
    try:
        eventually(lambda: Measure.objects.filter(count=1).exists(), 10)
    finally:
        end()
        atexit.unregister(end)


def test_metrics__ten_times_the_rows__the_same_statements(world):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            metrics.collected(timezone.now())
        return len(captured)

    few = statements()
    for number in range(5):
        Health.objects.create(cluster=a_cluster(f"more-{number}"), lane=f"more-{number}")
        a_bundle(cluster=a_cluster(f"more-{number}"))
    assert statements() == few
    # One for each sort of work, and what is counted of each room.
    assert few <= 21


def test_metrics__asked_again_at_once__the_text_of_before(monkeypatch):
    now = timezone.now()
    first = metrics.text(now)
    with CaptureQueriesContext(connection) as captured:
        assert metrics.text(now) == first
    assert len(captured) == 0
    monkeypatch.setattr(metrics, "_kept", (time.monotonic() - metrics.KEPT_SECONDS - 1, b"old"))
    assert metrics.text(now) != b"old"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": "Bearer t\xff"}, 401),
        ({}, 401),
    ],
)
def test_access__by_token__only_the_right_one(settings, sent, status):
    settings.METRICS_TOKEN = TOKEN
    response = Client().get("/metrics", headers=sent)
    assert response.status_code == status
    assert (b"portal_requests" in response.content) == (status == 200)


def test_access__no_token_set__an_empty_one_opens_nothing():
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


@pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("11.1.2.3", 401), ("nonsense", 401)])
def test_access__by_network__only_from_there(settings, address, status):
    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8")]
    assert Client().get("/metrics", REMOTE_ADDR=address).status_code == status


@pytest.mark.parametrize(("roles", "status"), [(["administrator"], 200), (["auditor"], 200), ([], 401)])
def test_access__by_session__auditors_and_administrators(roles, status):
    client = Client()
    client.force_login(a_user("somebody", *roles), backend="accounts.backends.DirectoryBackend")
    response = client.get("/metrics")
    assert response.status_code == status
    if status == 200:
        assert response["Content-Type"].startswith("text/plain; version=")


def _told():
    """Every metric that /metrics tells of, with its labels."""
    found = {}
    for family in metrics._Everything(timezone.now()).collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        labels = set(family._labelnames)
        for suffix in suffixes:
            found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def _expressions():
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    board = json.loads((MONITORING / "dashboard.json").read_text())
    alerts = [(rule["alert"], rule["expr"]) for group in rules["groups"] for rule in group["rules"]]
    return alerts + [(panel["title"], one["expr"]) for panel in board["panels"] for one in panel["targets"]]


@pytest.mark.parametrize(("where", "expression"), _expressions())
def test_monitoring__rules_and_board__name_metrics_and_labels_that_there_are(where, expression):
    told = _told() | {"up": {"job"}}
    for name, labels in promql.read(expression).metrics.items():
        assert name in told, where
        assert labels <= told[name], where


def test_monitoring__every_rule__says_what_it_means_and_how_bad():
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
        told = {label for labels in promql.read(rule["expr"]).metrics.values() for label in labels}
        asked = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        metric = next(iter(promql.read(rule["expr"]).metrics))
        assert asked <= told | (_told() | {"up": {"job"}})[metric]


def test_monitoring__every_metric__is_explained_in_the_operations_handbook():
    text = (ROOT / "docs" / "operations.md").read_text()
    families = [family.name for family in metrics._Everything(timezone.now()).collect()]
    assert [name for name in families if f"`{name}" not in text] == []


NO_PROMQL = ["sum(", "rate(a)", "a[5m]", "a b", "sum by () (a)", 'a{b="c}', "a > ", "topk(a)", "a[5]", "a and 1"]


@pytest.mark.parametrize("expression", NO_PROMQL)
def test_promql__what_prometheus_refuses__refused_here_too(expression):
    with pytest.raises(ValueError):
        promql.read(expression)


def test_conventions__names_and_units__as_prometheus_wants_them():
    for name in _told():
        assert re.fullmatch(r"portal_[a-z_]+", name)
        assert not re.search(r"_(ms|minutes|hours|milliseconds)(_|$)", name)
