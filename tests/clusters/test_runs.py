"""What a pass leaves behind: its record, the circuit, and the order of what lives in something."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from clusters import circuit, runs
from clusters.drivers.base import DriverError, Unreachable
from clusters.drivers.gitops import GitOpsDriver
from clusters.models import Bundle, BundleRun, Cluster, Health
from clusters.services import NothingToRetry, create_bundle, probe_now, retry, set_desired
from tests.builders import a_tenant, a_user
from tests.clusters.test_reconcile import a_limit, a_namespace, again, want
from web.errors import Forbidden, NotFound
from web.sentences import Sentence, shown
from work import claims
from work.tasks import drive

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(gitops_cluster) -> Bundle:
    tenant = a_tenant("claims", dev="developer", guest="viewer")
    return create_bundle(cluster=gitops_cluster, tenant_id=tenant.pk, owner="project:1", namespace="claims-a-dev")


def outcomes(bundle: Bundle) -> list[str]:
    """Oldest first."""
    return list(bundle.runs.order_by("pk").values_list("outcome", flat=True))


def failing(error: DriverError, method: str = "apply") -> pytest.MonkeyPatch:
    def fail(*_: object) -> None:
        raise error

    patch = pytest.MonkeyPatch()
    patch.setattr(GitOpsDriver, method, fail)
    return patch


def test_run__committed__what_became_of_each_object(bundle):
    want(bundle, a_namespace(), a_limit("1"))
    again(bundle)
    run = bundle.runs.get()
    assert (run.outcome, run.revision, run.message) == ("committed", 1, None)
    assert [(seen["ref"]["kind"], seen["outcome"]) for seen in run.objects_seen] == [
        ("Namespace", "created"),
        ("LimitRange", "created"),
    ]
    assert run.began_at <= run.ended_at


def test_run__refused_and_tried_again_by_hand__both_told(bundle):
    want(bundle, a_namespace())
    patch = failing(DriverError(Sentence("The quota is too large."), transient=False))
    again(bundle)
    patch.undo()
    assert bundle.blocked and bundle.due_at is None
    (run,) = bundle.runs.all()
    assert run.outcome == "blocked" and run.objects_seen[0]["outcome"] == "refused"
    retry(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())
    again(bundle)
    assert (bundle.blocked, bundle.observed_generation) == (False, 1)
    assert outcomes(bundle) == ["blocked", "committed"]
    event = Event.objects.get(action="bundle.retry")
    assert event.actor == "dev" and event.before["message"] is not None


@pytest.mark.parametrize(("name", "roles"), [("guest", []), ("auditor", ["auditor"])])
def test_retry__wrong_role__forbidden(bundle, name, roles):
    Bundle.objects.update(blocked=True)
    with pytest.raises(Forbidden):
        retry(bundle=bundle.uid, by=a_user(name, *roles), at=timezone.now())
    bundle.refresh_from_db()
    assert bundle.blocked


def test_retry__stranger__not_found(bundle):
    Bundle.objects.update(blocked=True)
    with pytest.raises(NotFound):
        retry(bundle=bundle.uid, by=a_user("stranger"), at=timezone.now())


def test_retry__nothing_stopped__conflict(bundle):
    want(bundle, a_namespace())
    again(bundle)
    with pytest.raises(NothingToRetry):
        retry(bundle=bundle.uid, by=a_user("dev"), at=timezone.now())


def test_run__fails_in_the_same_way__one_entry_that_grows(bundle):
    want(bundle, a_namespace())
    patch = failing(DriverError(Sentence("Busy."), transient=True))
    for _attempt in range(3):
        again(bundle)
    patch.undo()
    run = bundle.runs.get()
    assert run.outcome == "retrying" and run.ended_at - run.began_at > timedelta(0)
    assert bundle.attempts == 3


def test_run__very_many__the_last_ones_are_kept(bundle, monkeypatch):
    monkeypatch.setattr(runs, "RUNS_KEPT", 3)
    for cpu in "12345":
        want(bundle, a_namespace(), a_limit(cpu))
        again(bundle)
    assert [run.revision for run in bundle.runs.all()] == [5, 4, 3]


def test_run__lease_lost__said_and_nothing_else_written(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    apply = GitOpsDriver.apply

    def slow(self, desired):
        # As for a process that was stopped beyond its lease: the heartbeat stood still too.
        Bundle.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        monkeypatch.setattr(claims, "check", expired)
        return apply(self, desired)

    def expired(lease):
        raise claims.LeaseLost("bundle")

    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(GitOpsDriver, "apply", slow)
    drive("clusters.Bundle", bundle.pk)
    monkeypatch.undo()
    assert outcomes(bundle) == ["lost"]
    bundle.refresh_from_db()
    assert bundle.observed_generation == 0 and committed() == {}


def test_retry_after__said_by_the_server__awaited_with_jitter(bundle):
    want(bundle, a_namespace())
    patch = failing(DriverError(Sentence("Too many requests."), transient=True, retry_after=40))
    before = timezone.now()
    again(bundle)
    patch.undo()
    assert timedelta(seconds=40) <= bundle.due_at - before <= timedelta(seconds=55)


# The circuit


def test_circuit__three_unreachable_in_a_row__open_and_nothing_offered(bundle):
    want(bundle, a_namespace())
    patch = failing(Unreachable(Sentence("Nobody answers."), transient=True))
    for number in (1, 2, 3):
        assert Health.objects.get().open_since is None
        again(bundle)
        assert Health.objects.get().failures == number
    patch.undo()
    health = Health.objects.get()
    assert shown(health.reason) == "Nobody answers." and health.due_at <= timezone.now()
    Bundle.objects.update(due_at=timezone.now())
    assert claims.offer(Bundle, timezone.now(), 10) == []
    assert claims.offer(Health, timezone.now(), 10) == [health.pk]
    assert Event.objects.filter(action="cluster.circuit-open").count() == 1


def test_circuit__only_its_operator_can_cure_it__open_at_once(bundle):
    want(bundle, a_namespace())
    patch = failing(DriverError(Sentence("Who are you?"), transient=False, operator=True))
    again(bundle)
    patch.undo()
    assert Health.objects.get().open_since is not None and not bundle.blocked


def test_circuit__refusals_of_objects__stays_closed(bundle):
    for _time in range(4):
        circuit.failed(bundle.cluster, DriverError(Sentence("No."), transient=False), timezone.now())
        circuit.failed(bundle.cluster, DriverError(Sentence("Later."), transient=True), timezone.now())
    assert Health.objects.get().failures == 0


def test_circuit__an_answer_between_failures__counted_anew(bundle):
    for _time in range(3):
        circuit.failed(bundle.cluster, Unreachable(Sentence("?"), transient=True), timezone.now())
        circuit.failed(bundle.cluster, Unreachable(Sentence("?"), transient=True), timezone.now())
        circuit.worked(bundle.cluster)
    assert Health.objects.get().open_since is None


def test_health__probe_fails_while_open__backs_off_with_the_newest_reason(bundle, tmp_path):
    now = timezone.now()
    circuit.failed(bundle.cluster, DriverError(Sentence("Old."), transient=False, operator=True), now)
    Cluster.objects.update(address=str(tmp_path / "nowhere.git"))
    health = Health.objects.get()
    drive("clusters.Health", health.pk)
    health.refresh_from_db()
    assert health.open_since == now and health.attempts == 1 and health.due_at > now
    assert "nowhere.git" in shown(health.reason) and health.problems == [health.reason]


def test_health__probe_succeeds__closed_and_what_waited_is_due(bundle):
    want(bundle, a_namespace())
    now = timezone.now()
    circuit.failed(bundle.cluster, DriverError(Sentence("Old."), transient=False, operator=True), now)
    Bundle.objects.update(attempts=2, due_at=now + timedelta(hours=1))
    health = Health.objects.get()
    drive("clusters.Health", health.pk)
    health.refresh_from_db()
    assert (health.open_since, health.reason, health.failures, health.problems) == (None, None, 0, [])
    assert health.checked_at is not None and health.due_at > timezone.now()
    assert claims.offer(Bundle, timezone.now(), 10) == [bundle.pk]
    assert Event.objects.filter(action="cluster.circuit-close").count() == 1


def test_probe_now__administrator__due_at_once(bundle):
    Health.objects.update(due_at=timezone.now() + timedelta(hours=1), attempts=4)
    probe_now(name=bundle.cluster.name, by=a_user("admin", "administrator"), at=timezone.now())
    assert Health.objects.get().due_at <= timezone.now()


@pytest.mark.parametrize("roles", [[], ["auditor"], ["approver:platform"]])
def test_probe_now__anybody_else__forbidden(bundle, roles):
    with pytest.raises(Forbidden):
        probe_now(name=bundle.cluster.name, by=a_user("somebody", *roles), at=timezone.now())


def test_probe_now__no_such_cluster__not_found(db):
    with pytest.raises(NotFound):
        probe_now(name="nowhere", by=a_user("admin", "administrator"), at=timezone.now())


# What lives in something


@pytest.fixture
def child(bundle) -> Bundle:
    made = create_bundle(
        cluster=bundle.cluster, tenant_id=bundle.tenant_id, owner="project:2", namespace="claims-a-dev"
    )
    Bundle.objects.filter(pk=made.pk).update(parent=bundle)
    made.refresh_from_db()
    return made


def test_parent__not_there_yet__child_waits(bundle, child, committed):
    want(child, a_limit("1"))
    again(child)
    assert child.observed_generation == 0 and child.due_at > timezone.now() and committed() == {}
    assert shown(child.message) == "Waits until claims-a-dev is there."
    want(bundle, a_namespace())
    again(bundle)
    again(child)
    assert child.observed_generation == 1


def test_parent__nothing_wanted_any_more__waits_for_what_is_in_it(bundle, child, committed):
    want(bundle, a_namespace())
    again(bundle)
    want(child, a_limit("1"))
    again(child)
    want(bundle)
    again(bundle)
    assert bundle.observed_generation == 1 and "project:2" in shown(bundle.message)
    assert len(committed()) == 2
    set_desired(bundle=child, manifests=[], state={}, provenance={}, by=None, at=timezone.now())
    again(child)
    again(bundle)
    assert bundle.observed_generation == 2 and committed() == {}


def test_run__of_a_bundle__deleted_with_it(bundle):
    want(bundle, a_namespace())
    again(bundle)
    bundle.delete()
    assert not BundleRun.objects.exists()
