"""A planned removal driven to its end: the grace period, what blocks it, calling it off, and the namespace gone."""

import json
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from audit.models import Event
from clusters.models import BundleObject, Cluster
from tenants import ledger, queries
from tenants.blockers import running_pods
from tenants.deletion_rows import deletion_row
from tenants.kinds.delete_project import DeleteProject
from tenants.models import Claim, Deletion, Project
from tenants.services.deletion import TooLate, call_off
from tests.builders import a_tenant, a_user
from tests.tenants.doing import approved, arrived, asked, drive_now, everybody, made
from tests.waiting import eventually
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.sentences import shown
from work.tasks import drive
from workflow.queries import newest_plan

pytestmark = pytest.mark.django_db
KIND = DeleteProject()


@pytest.fixture
def people(gitops_cluster, directory) -> dict[str, User]:
    return everybody()


@pytest.fixture
def project(people) -> Project:
    return made(people["dev"], name="imaging")


def planned(people: dict[str, User], project: Project, by: str = "owner", **more: str) -> Deletion:
    """A removal whose request was approved; its grace period lasts."""
    values = {"project": str(project.uid), "confirm": project.namespace}
    request = approved(asked("delete-project", people[by], **values | more), people["platform"])
    return Deletion.objects.get(request=request)


def over(deletion: Deletion) -> Deletion:
    """Its grace period is over."""
    Deletion.objects.filter(pk=deletion.pk).update(due_from=timezone.now() - timedelta(seconds=1))
    return deletion


def off(project: Project, by: User) -> Deletion:
    return call_off(project=project.uid, by=by, at=timezone.now())


def is_gone(project: Project, deletion: Deletion) -> bool:
    """Drives both once; whether the removal is done."""
    arrived(project.bundle)
    drive_now(deletion)
    return deletion.done_at is not None


def test_proceed__grace_period_lasts__comes_back_when_it_is_over(people, project):
    deletion = planned(people, project)
    drive_now(deletion)
    assert abs(deletion.due_at - deletion.due_from) < timedelta(seconds=5)
    project.bundle.refresh_from_db()
    assert (deletion.started_at, deletion.message, project.bundle.generation) == (None, None, 1)


def test_proceed__over__committed_files_gone_and_the_name_free(people, project, committed):
    tenant = project.tenant
    assert ledger.pools_of_tenant(tenant)["cpu"].promised == 2000
    deletion = over(planned(people, project))
    drive_now(deletion)
    project.bundle.refresh_from_db()
    assert deletion.started_at is not None and project.bundle.generation == 2
    assert ledger.pools_of_tenant(tenant)["cpu"].promised == 2000
    assert is_gone(project, deletion)
    assert committed() == {}
    assert (deletion.due_at, deletion.message) == (None, None)
    project.refresh_from_db()
    assert project.gone_at == deletion.done_at
    assert {pool.promised for pool in ledger.pools_of_tenant(tenant).values()} == {0}
    assert not queries.projects_visible_to(people["admin"]).exists()
    actions = list(
        Event.objects.filter(subject=f"project:{project.uid}").order_by("id").values_list("action", flat=True)
    )
    assert actions == ["project.create", "project.plan-deletion", "project.begin-deletion", "project.delete"]
    again = made(people["dev"], name="imaging")
    assert again.namespace == project.namespace and again.pk != project.pk
    assert ledger.pools_of_tenant(tenant)["cpu"].promised == 2000


def test_proceed__repeated_at_every_point__harmless(people, project):
    deletion = over(planned(people, project))
    for _time in range(3):
        drive_now(deletion)
        drive("tenants.Deletion", deletion.pk)
    project.bundle.refresh_from_db()
    assert project.bundle.generation == 2 and deletion.request.outcomes.count() == 1
    assert is_gone(project, deletion)
    Deletion.objects.update(due_at=timezone.now())
    drive("tenants.Deletion", deletion.pk)
    assert Event.objects.filter(action="project.delete").count() == 1


def test_proceed__another_worker_has_it__nothing_happens(people, project):
    deletion = over(planned(people, project))
    Deletion.objects.update(
        due_at=timezone.now(), lease_owner=uuid.uuid4(), lease_until=timezone.now() + timedelta(seconds=60)
    )
    drive("tenants.Deletion", deletion.pk)
    deletion.refresh_from_db()
    assert deletion.started_at is None


def test_proceed__cluster_does_not_answer__said_and_tried_again_soon(people, project):
    deletion = over(planned(people, project))
    address = project.bundle.cluster.address
    Cluster.objects.update(address=f"{address}-moved")
    drive_now(deletion)
    assert "no Git repository" in shown(deletion.message) and deletion.started_at is None
    assert timedelta(0) < deletion.due_at - timezone.now() < timedelta(minutes=6)
    Cluster.objects.update(address=address)
    drive_now(deletion)
    assert deletion.started_at is not None and deletion.message is None


def test_proceed__blocked_by_two_things__both_said_and_tried_again_in_an_hour(people, project, settings):
    deletion = over(planned(people, project))
    settings.PROJECT_BLOCKERS = ["tests.tenants.test_deletion.in_the_way"] * 2
    drive_now(deletion)
    sentence = "3 pods run in claims-imaging-dev; stop them first."
    assert shown(deletion.message) == f"{sentence} {sentence}"
    assert timedelta(minutes=59) < deletion.due_at - timezone.now() < timedelta(minutes=61)
    row = deletion_row(project, people["owner"], timezone.now())
    assert row["hindered"] == [shown(deletion.message)] and row["call_off_url"]


def in_the_way(project, usage):
    return running_pods(project, {"pods": "3"})


def test_proceed__bundle_cannot_go_on__its_reason_is_shown(people, project):
    deletion = over(planned(people, project))
    drive_now(deletion)
    Cluster.objects.update(address="/nowhere.git")
    project.bundle.refresh_from_db()
    drive_now(project.bundle)
    drive_now(deletion)
    assert "no Git repository" in shown(deletion.message) and deletion.due_at > timezone.now()
    row = deletion_row(project, people["owner"], timezone.now())
    assert (row["tone"], row["call_off_url"], row["hindered"]) == ("danger", "", [shown(deletion.message)])


def test_moments__to_the_end__one_after_the_other(people, project):
    deletion = over(planned(people, project))
    drive_now(deletion)
    assert [row["state"] for row in KIND.moments(deletion.request)] == ["done", "done", "todo"]
    assert is_gone(project, deletion)
    rows = KIND.moments(deletion.request)
    assert [row["state"] for row in rows] == ["done", "done", "done"] and rows[2]["at"] == deletion.done_at
    assert KIND.result_url(deletion.request) == ""


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_call_off__owner_or_administrator__project_stays(people, project, who):
    deletion = planned(people, project)
    off(project, people[who])
    deletion.refresh_from_db()
    assert (deletion.called_off_by, deletion.due_at) == (people[who], None)
    Deletion.objects.update(due_at=timezone.now(), due_from=timezone.now())
    drive("tenants.Deletion", deletion.pk)
    deletion.refresh_from_db()
    project.bundle.refresh_from_db()
    assert (deletion.started_at, deletion.due_at, project.bundle.generation) == (None, None, 1)
    event = Event.objects.get(action="project.call-off-deletion")
    assert (event.actor, event.tenant) == (who, "claims")
    assert [row["title"] for row in KIND.moments(deletion.request)] == ["Called off"]
    assert queries.pending_deletion(project) is None
    assert planned(people, project).pk != deletion.pk


def test_call_off__who_asked_and_is_no_owner_any_more__may(people, project):
    deletion = planned(people, project)
    project.tenant.memberships.filter(subject="user:owner").update(role="viewer")
    assert off(project, people["owner"]).pk == deletion.pk


def test_call_off__owner_of_the_service_account_that_asked__may(people, project):
    people["robot"] = a_user("robot", owner=people["guest"])
    a_tenant("claims", robot="owner")
    planned(people, project, by="robot")
    assert off(project, people["guest"]).called_off_by == people["guest"]


@pytest.mark.parametrize(
    ("who", "error"),
    [("dev", Forbidden), ("guest", Forbidden), ("auditor", Forbidden), ("platform", Forbidden), ("stranger", NotFound)],
)
def test_call_off__wrong_role__refused(people, project, who, error):
    deletion = planned(people, project)
    with pytest.raises(error):
        off(project, people[who])
    deletion.refresh_from_db()
    assert deletion.called_off_at is None


def test_call_off__nothing_planned_or_twice__said(people, project):
    with pytest.raises(Conflict):
        off(project, people["owner"])
    planned(people, project)
    off(project, people["owner"])
    with pytest.raises(Conflict):
        off(project, people["owner"])
    assert Event.objects.filter(action="project.call-off-deletion").count() == 1


def test_call_off__begun__too_late(people, project):
    deletion = over(planned(people, project))
    drive_now(deletion)
    with pytest.raises(TooLate):
        off(project, people["owner"])
    assert is_gone(project, deletion)
    with pytest.raises(NotFound):
        off(project, people["owner"])


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user, backend="accounts.backends.DirectoryBackend")
    return client


def test_page__called_off_by_button__said_and_once_more_harmless(people, project):
    planned(people, project)
    address = f"/projects/{project.uid}/deletion/call-off"
    client = signed_in(people["owner"])
    assert client.get(address).status_code == 405
    for said in ("The deletion is called off.", "No deletion of claims-imaging-dev is planned."):
        answer = client.post(address)
        assert (answer.status_code, answer.url) == (302, f"/projects/{project.uid}")
        assert said in client.get(answer.url).content.decode()
    assert signed_in(people["guest"]).post(address).status_code == 403
    assert signed_in(people["stranger"]).post(address).status_code == 404


def test_pages__planned_then_called_off__the_request_is_listed_and_says_so(people, project):
    deletion = planned(people, project)
    client = signed_in(people["owner"])
    address, page = f"/requests/{deletion.request_id}", f"/projects/{project.uid}"
    # Beside the banner's link there is the list's.
    assert f'id="request-{deletion.request_id}"' in client.get(page).content.decode()
    before = client.get(address).content.decode()
    assert 'data-state="Approved"' in before
    assert f'pf-m-secondary" href="{page}"' in before and f'pf-m-primary" href="{page}"' not in before
    off(project, people["owner"])
    assert 'data-state="Called off"' in client.get(address).content.decode()
    assert f'id="request-{deletion.request_id}"' not in client.get(page).content.decode()


def test_rest__called_off__204_then_409(people, project):
    planned(people, project)
    now = timezone.now()
    _token, text = issue_token(user=people["owner"], name="t", scopes=["request"], days=1, by=people["owner"], at=now)
    client = Client(headers={"Authorization": f"Bearer {text}"})
    address = f"/api/v1/projects/{project.uid}/deletion/call-off"
    assert client.post(address).status_code == 204
    answer = client.post(address)
    assert answer.status_code == 409 and "No deletion" in answer.json()["detail"]


def test_deletion_row__planned__when_why_and_what_would_block_it(people, project):
    assert deletion_row(project, people["owner"], timezone.now()) is None
    deletion = planned(people, project, reason="<b>Not needed</b>")
    BundleObject.objects.filter(kind="ResourceQuota").update(usage={"used": {"pods": "2"}})
    row = deletion_row(project, people["owner"], timezone.now())
    assert row["hindered"] == ["2 pods run in claims-imaging-dev; stop them first."]
    assert (row["due_from"], row["number"]) == (deletion.due_from, deletion.request_id)
    page = render_to_string("projects/_deletion.html", {"deletion": row})
    assert f"/projects/{project.uid}/deletion/call-off" in page and "&lt;b&gt;Not needed" in page
    assert f"#{deletion.request_id}" in page and "2 pods run" in page
    assert deletion_row(project, people["guest"], timezone.now())["call_off_url"] == ""


@pytest.mark.django_db(transaction=True)
def test_call_off__while_the_worker_begins__one_outcome(people):
    """Both at once, several times: whoever is second is told, and the bundle is emptied only where it began."""
    seen = set()
    for round_number in range(8):
        project = made(people["dev"], name=f"race{round_number}")
        deletion = over(planned(people, project))
        Deletion.objects.filter(pk=deletion.pk).update(due_at=timezone.now())
        told = together(lambda p=project: off(p, people["owner"]), lambda d=deletion: drive("tenants.Deletion", d.pk))
        deletion.refresh_from_db()
        project.bundle.refresh_from_db()
        began, called_off = deletion.started_at is not None, deletion.called_off_at is not None
        assert began != called_off
        assert project.bundle.generation == (2 if began else 1)
        assert told == ([TooLate] if began else [])
        seen.add(began)
    assert seen  # which of them wins is chance


def together(*deeds) -> list[type]:
    """The errors of deeds done at the same time."""
    start, errors = threading.Barrier(len(deeds)), []

    def run(deed) -> None:
        start.wait()
        try:
            deed()
        except Conflict as error:
            errors.append(type(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.django_db(transaction=True)
def test_approve__a_change_of_members_and_the_deletion_at_once__never_both(people):
    """A change that slipped in while the deletion was still open must not bring the namespace back."""
    project = made(people["dev"], name="both")
    values = {"project": str(project.uid), "developers": ["dev"], "viewers": ["architect"]}
    change = asked("change-members", people["dev"], **values)
    # As if it had been sent in the moment in which the deletion was approved.
    change.open_targets.all().delete()
    values = {"project": str(project.uid), "confirm": project.namespace}
    removal = asked("delete-project", people["owner"], **values)
    second = a_user("second", "approver:platform")
    told = together(lambda: approved(change, people["platform"]), lambda: approved(removal, second))
    change.refresh_from_db()
    removal.refresh_from_db()
    assert [change.state, removal.state].count("approved") == 1 and len(told) == 1


# Against a real API server

POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "web", "image": "web"}]}}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def create(kubectl, namespace: str, manifest: dict, name: str) -> None:
    named = manifest | {"metadata": {"name": name, "namespace": namespace}}
    # The service account of a new namespace comes a moment after it.
    eventually(lambda: kubectl("get", "serviceaccount", "default", "-n", namespace, "--ignore-not-found"))
    kubectl("create", "-f", "-", stdin=json.dumps(named))


def remove(kubectl, namespace: str, kind: str, name: str) -> None:
    kubectl("delete", kind, name, f"-n={namespace}", "--force", "--grace-period=0", "--wait=false")


def used(kubectl, namespace: str, resource: str) -> str:
    quota = json.loads(kubectl("get", "resourcequota", "portal-quota", f"-n={namespace}", "-o=json"))
    return quota["status"].get("used", {}).get(resource, "")


def refused(people, project) -> str:
    values = {"project": str(project.uid), "confirm": project.namespace}
    with pytest.raises(Invalid) as error:
        asked("delete-project", people["owner"], **values)
    return error.value.fields["/project"]


def test_deletion__on_the_api_server__blocked_then_gone_and_the_name_used_again(
    real_cluster, directory, kubectl, unique
):
    people = everybody()
    project = made(people["dev"], name=unique("bye"))
    space = project.namespace
    eventually(lambda: used(kubectl, space, "pods") == "0", what="the quota is counted")
    create(kubectl, space, POD, "web")
    create(kubectl, space, VOLUME, "data")
    eventually(lambda: used(kubectl, space, "persistentvolumeclaims") == "1", what="the volume is counted")
    said = refused(people, project)
    assert f"1 pods run in {space}" in said and f"1 volumes are kept in {space}" in said
    remove(kubectl, space, "pod", "web")
    remove(kubectl, space, "pvc", "data")
    eventually(lambda: used(kubectl, space, "pods") == used(kubectl, space, "persistentvolumeclaims") == "0")

    deletion = over(planned(people, project))
    plan = newest_plan(deletion.request)
    ours = "-l=app.kubernetes.io/managed-by=cloud-portal"
    live = kubectl("get", "quota,limits,netpol,rolebindings", f"-n={space}", ours, "-o=name").split()
    assert {change["action"] for change in plan.changes} == {"remove"} and plan.problem is None
    assert len(plan.changes) == len(live) + 1 and plan.usage["pods"] == "0"
    assert risks_of(KIND, deletion.request, plan) == []

    create(kubectl, space, POD, "late")
    drive_now(deletion)
    assert deletion.started_at is None and "1 pods run" in shown(deletion.message)
    assert deletion.due_at - timezone.now() > timedelta(minutes=50)
    remove(kubectl, space, "pod", "late")
    eventually(lambda: used(kubectl, space, "pods") == "0")
    drive_now(deletion)
    assert deletion.started_at is not None and deletion.message is None
    assert Claim.objects.exists() and ledger.pools_of_cluster(real_cluster)["pods"].promised == 20
    eventually(lambda: is_gone(project, deletion), 90, "the namespace is gone")
    assert kubectl("get", "namespace", space, "--ignore-not-found") == ""
    for pools in (ledger.pools_of_tenant(project.tenant), ledger.pools_of_cluster(real_cluster)):
        assert {standing.promised for standing in pools.values()} == {0}

    again = made(people["dev"], name=project.name)
    assert again.namespace == space
    uid = json.loads(kubectl("get", "namespace", space, "-o=json"))["metadata"]["labels"]["portal.cloud/project"]
    assert uid == str(again.uid) != str(project.uid)


def test_deletion__on_the_api_server_called_off__nothing_was_touched(real_cluster, directory, kubectl, unique):
    people = everybody()
    project = made(people["dev"], name=unique("stay"))
    before = kubectl("get", "ns", project.namespace, "-o=jsonpath={.metadata.resourceVersion}")
    deletion = planned(people, project)
    off(project, people["owner"])
    over(deletion)
    drive_now(deletion)
    assert kubectl("get", "ns", project.namespace, "-o=jsonpath={.metadata.resourceVersion}") == before
    values = {"project": str(project.uid), "developers": [], "viewers": ["architect"]}
    assert asked("change-members", people["owner"], **values).state == "approved"


def test_deletion__on_the_api_server_quota_removed_by_hand__waits_for_what_cannot_be_seen(
    real_cluster, directory, kubectl, unique
):
    people = everybody()
    project = made(people["dev"], name=unique("blind"))
    space = project.namespace
    eventually(lambda: used(kubectl, space, "pods") == "0", what="the quota is counted")
    deletion = over(planned(people, project))
    create(kubectl, space, POD, "web")
    kubectl("delete", "resourcequota", "--all", "-n", space)
    drive_now(deletion)
    assert deletion.started_at is None and "could not be seen" in shown(deletion.message)
    assert "web" in kubectl("get", "pods", "-n", space, "-o", "name")


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))
