"""Workers killed or stopped, and the broker gone: the change arrives, once, in its final form."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from clusters.drivers.base import REVISION_ANNOTATION
from clusters.models import Bundle, BundleRevision
from clusters.services import set_desired
from tenants import manifests
from tenants.models import Project
from tests.builders import a_user, wish
from tests.waiting import eventually
from workflow import queries
from workflow.models import Request
from workflow.services import decide, submit

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = {"PORTAL_WORK_LEASE_SECONDS": "3", "PORTAL_WORK_OFFER_SECONDS": "2", "PORTAL_WORK_POLL_SECONDS": "0.5"}


class Failpoints:
    """Orders to stop at named places; `variables` are for the processes that shall follow them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.variables = QUICK | {"PORTAL_FAILPOINT_FOLDER": str(folder)}

    def order(self, name: str) -> Callable[[], bool]:
        """The answer says whether a process has stopped there."""
        (self._folder / name).touch()
        return (self._folder / f"{name}.reached").exists


@pytest.fixture
def failpoints(tmp_path: Path) -> Failpoints:
    (tmp_path / "failpoints").mkdir()
    return Failpoints(tmp_path / "failpoints")


def ask_and_approve(name: str) -> Request:
    dev, platform = a_user("dev"), a_user("platform", "approver:platform")
    made = submit(kind="new-project", values=wish(name=name, cluster="real"), by=dev, at=timezone.now())
    digest = queries.newest_plan(made).digest
    return decide(number=made.number, verdict="approve", note="", plan_digest=digest, by=platform, at=timezone.now())


def ready(bundle_id: int, revision: int):
    def look() -> bool:
        bundle = Bundle.objects.get(pk=bundle_id)
        return bundle.observed_generation == revision and bundle.lease_owner is None

    return look


def quota_of(kubectl, namespace: str) -> dict:
    return json.loads(kubectl("get", "resourcequota", "portal-quota", "-n", namespace, "-o", "json"))


def names_in(kubectl, namespace: str) -> set[str]:
    listed = kubectl("get", "resourcequota,limitrange,networkpolicy,rolebinding", "-n", namespace, "-o", "name")
    return set(listed.split())


def assert_as_planned(kubectl, request: Request) -> None:
    revision = BundleRevision.objects.get(bundle=request.outcomes.get().bundle_id)
    wanted = {
        e["manifest"]["metadata"]["name"] for e in revision.objects_wanted if e["manifest"]["kind"] != "Namespace"
    }
    live = {name.partition("/")[2] for name in names_in(kubectl, request.title)}
    assert wanted == live
    assert Project.objects.filter(bundle=request.outcomes.get().bundle_id).count() == 1


@pytest.mark.parametrize(
    "place", ["after-claim", "after-read-LimitRange", "after-apply-ResourceQuota", "before-finish"]
)
def test_worker__killed_in_the_middle__change_arrives_once(portal, real_cluster, kubectl, unique, failpoints, place):
    reached = failpoints.order(place)
    portal.start("worker", "dispatch", **failpoints.variables)
    request = ask_and_approve(unique("kill"))
    eventually(reached, 60, f"the worker is at {place}")
    portal.kill("worker", signal.SIGKILL)
    assert not ready(request.outcomes.get().bundle_id, 1)()
    portal.start("second-worker", **failpoints.variables)
    eventually(ready(request.outcomes.get().bundle_id, 1), 60, "the second worker ends it")
    assert_as_planned(kubectl, request)


def test_broker__stopped_while_asking_and_approving__change_arrives(
    portal, real_cluster, kubectl, unique, redis_server
):
    broker = QUICK | {"PORTAL_REDIS_URL": redis_server.url}
    portal.start("worker", "dispatch", **broker)
    redis_server.stop()
    request = ask_and_approve(unique("redis"))
    eventually(lambda: "broker" in portal.log("dispatch"), 60, "the dispatcher meets the stopped broker")
    assert Bundle.objects.get(pk=request.outcomes.get().bundle_id).observed_generation == 0
    redis_server.start()
    eventually(ready(request.outcomes.get().bundle_id, 1), 90, "the change arrives once the broker is back")
    assert_as_planned(kubectl, request)


@pytest.mark.parametrize("place", ["after-read-ResourceQuota", "after-apply-Namespace"])
def test_worker__stopped_beyond_its_lease__nothing_old_over_new(
    portal, real_cluster, kubectl, unique, failpoints, place
):
    reached = failpoints.order(place)
    portal.start("worker", "dispatch", **failpoints.variables)
    request = ask_and_approve(unique("stop"))
    eventually(reached, 60, f"the first worker is at {place}")

    bundle = Bundle.objects.get(pk=request.outcomes.get().bundle_id)
    state = bundle.revisions.get().state
    state["quota"]["cpu"] = 7000
    set_desired(
        bundle=bundle, manifests=manifests.project(state), state=state, provenance={}, by=None, at=timezone.now()
    )
    portal.start("second-worker", **failpoints.variables)
    eventually(ready(bundle.pk, 2), 90, "the second worker takes over and ends the newer revision")
    newer = quota_of(kubectl, request.title)
    assert newer["spec"]["hard"]["limits.cpu"] == "7"
    assert newer["metadata"]["annotations"][REVISION_ANNOTATION] == f"{bundle.uid}/2"

    portal.kill("worker", signal.SIGCONT)
    eventually(lambda: "was lost" in portal.log("worker"), 60, "the first worker wakes up and sees that it lost")
    older = quota_of(kubectl, request.title)
    assert older["spec"] == newer["spec"]
    assert older["metadata"]["annotations"] == newer["metadata"]["annotations"]
    assert Bundle.objects.get(pk=bundle.pk).observed_generation == 2


def test_worker__wakes_up_before_creating_what_was_removed__swept_away(
    portal, real_cluster, kubectl, unique, failpoints
):
    reached = failpoints.order("after-read-RoleBinding")
    # Both at once: who stands still for longer than a call may take (10 s) does not create anything any more.
    portal.start("worker", "second-worker", "dispatch", **failpoints.variables)
    request = ask_and_approve(unique("sweep"))
    eventually(reached, 60, "one worker has read that there is no binding")
    late = eventually(portal.stopped, 5, "it stands still")

    bundle = Bundle.objects.get(pk=request.outcomes.get().bundle_id)
    state = bundle.revisions.get().state
    eventually(ready(bundle.pk, 1), 90, "the other one takes over")
    state["members"] = []
    set_desired(
        bundle=bundle, manifests=manifests.project(state), state=state, provenance={}, by=None, at=timezone.now()
    )
    eventually(ready(bundle.pk, 2), 60, "nobody is a member any more")
    binding = "rolebinding.rbac.authorization.k8s.io/portal-developer"
    assert binding not in names_in(kubectl, request.title)

    portal.kill(late, signal.SIGCONT)
    eventually(lambda: "was lost" in portal.log(late), 60, "the late worker wakes up and sees that it lost")
    assert binding in names_in(kubectl, request.title), "the late worker did not create it: nothing is shown here"
    Bundle.objects.filter(pk=bundle.pk).update(due_at=timezone.now())
    eventually(lambda: binding not in names_in(kubectl, request.title), 60, "the next look sweeps it away")
