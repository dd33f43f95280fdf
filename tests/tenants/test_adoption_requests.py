"""The kind "adopt namespaces" on a real API server: one namespace, a whole batch, and what changes in between."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from audit.models import Event
from clusters.drivers.base import REVISION_ANNOTATION
from clusters.models import Bundle, Cluster
from tenants import ledger
from tenants.kinds.adopt_namespaces import AdoptNamespaces
from tenants.models import Claim, Membership, Project, ProjectMember
from tests.builders import a_tenant, a_user, decided_by, ready_portal, wish
from tests.tenants import doing
from tests.waiting import eventually
from web.errors import Conflict, Forbidden, Invalid
from web.sentences import shown
from work.tasks import drive
from workflow import queries
from workflow.models import OpenTarget, Outcome, Request
from workflow.services import PlanChanged, edit, submit, withdraw
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db(transaction=True)
GOLDEN = Path(__file__).parent / "golden" / "adopt_namespaces.json"
KIND = AdoptNamespaces()
GI = 1024**3
QUOTA = {"limits.cpu": "2", "requests.cpu": "1", "limits.memory": "4Gi", "requests.storage": "20Gi", "pods": "20"}
FIGURES = {"cpu": 2000, "memory": 4 * GI, "storage": 20 * GI, "pods": 20}
# What a batch is measured with; bench/adoption.py says 300 and keeps the figures.
BATCH = int(os.environ.get("ADOPTION_BATCH", "60"))


@pytest.fixture
def admin(real_cluster) -> User:
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor")
    a_user("platform", "approver:platform")
    return a_user("admin", "administrator")


@pytest.fixture
def there(kubectl) -> Callable[..., None]:
    """Makes namespaces of somebody's with a quota, which its controller has counted; opened for the portal."""

    def make(*names: str, hard=QUOTA, opened=True, annotations=None, **labels: str) -> None:
        own = {"portal.cloud/managed": "true"} if opened else {}
        objects = []
        for name in names:
            meta = {"name": name, "labels": {**labels, **own}, "annotations": annotations or {}}
            objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        for name in names if hard else ():
            meta = {"name": "theirs", "namespace": name}
            objects.append({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}})
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        kubectl("create", "-f", "-", stdin=json.dumps(listed))
        if not hard:
            return

        def counted() -> bool:
            found = json.loads(kubectl("get", "quota", "--all-namespaces", "--output=json"))["items"]
            mine = [quota for quota in found if quota["metadata"]["namespace"] in names]
            return len(mine) >= len(names) and all(q.get("status", {}).get("hard") for q in mine)

        eventually(counted, 120, "quotas are counted")

    return make


def ask(by: User, *names: str, **values: object) -> Request:
    listed = [{"namespace": name} for name in names]
    said = {"cluster": "real", "namespaces": listed, "tenant": "claims", "environment": "dev"}
    return submit(kind="adopt-namespaces", values=said | values, by=by, at=timezone.now())


def approve(request: Request, by: str = "platform") -> Request:
    return doing.approved(request, a_user(by))


def read(kubectl, *named: str) -> dict:
    text = kubectl("get", *named, "--ignore-not-found", "--output=json")
    return json.loads(text) if text else {}


def statements(call) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum(not q["sql"].startswith(("SAVEPOINT", "RELEASE")) for q in captured)


# One namespace


def test_adopt__namespace_with_things_in_it__ours_added_and_theirs_untouched(admin, there, kubectl, unique):
    name = unique("theirs")
    labels = {"app.kubernetes.io/managed-by": "Helm", "pod-security.kubernetes.io/enforce": "privileged", "team": "x"}
    there(name, annotations={"openshift.io/requester": "alice", "note": "kept"}, **labels)
    kubectl("create", "deployment", "web", "--image=web", "--replicas=0", f"-n={name}")
    limits = {"limits": [{"type": "Container", "default": {"cpu": "100m"}}]}
    policy = {"podSelector": {}, "policyTypes": ["Ingress"]}
    for version, kind, spec in (("v1", "LimitRange", limits), ("networking.k8s.io/v1", "NetworkPolicy", policy)):
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": "theirs", "namespace": name}, "spec": spec}
        kubectl("create", "-f", "-", stdin=json.dumps(body))
    kubectl("create", "rolebinding", "team", f"-n={name}", "--clusterrole=view", "--user=ada")
    kinds = ("quota/theirs", "limits/theirs", "networkpolicy/theirs", "rolebinding/team", "deployment/web")
    before = read(kubectl, "namespace", name)["metadata"]
    theirs = {kind: read(kubectl, kind, f"-n={name}") for kind in kinds}

    request = ask(admin, name)
    (row,) = request.values["found"]["namespaces"]
    assert row["others"]["NetworkPolicy"] == {"count": 1, "names": ["theirs"]} and row["labels"] == 5
    space, quota = queries.newest_plan(request).changes
    assert (space["action"], quota["action"]) == ("change", "add")
    # Nothing that is there has another value.
    assert all(live is None for _path, live, _wanted in space["fields"])
    added = {path.partition("portal.cloud/")[2] for path, _live, _wanted in space["fields"]}
    assert added == {"tenant", "project", "environment", "display-name", "owner"}
    assert read(kubectl, "namespace", name)["metadata"] == before

    approve(request)
    project = Project.objects.get(namespace=name)
    eventually(lambda: doing.arrived(project.bundle), 60, "the namespace is the portal's")
    live = read(kubectl, "namespace", name)["metadata"]
    assert live["uid"] == before["uid"]
    assert live["labels"] == before["labels"] | {
        "portal.cloud/tenant": "claims",
        "portal.cloud/project": str(project.uid),
        "portal.cloud/environment": "dev",
    }
    ours = {"display-name": project.name, "owner": "admin", "revision": f"{project.bundle.uid}/1"}
    assert live["annotations"] == before["annotations"] | {f"portal.cloud/{key}": text for key, text in ours.items()}
    hard = read(kubectl, "quota/portal-quota", f"-n={name}")["spec"]["hard"]
    assert (hard["limits.cpu"], hard["pods"]) == ("2", "20") and "limits.ephemeral-storage" not in hard
    listed = read(kubectl, "quota,limits,networkpolicies,rolebindings", f"-n={name}")["items"]
    assert sorted(one["metadata"]["name"] for one in listed) == ["portal-quota", "team", *["theirs"] * 3]
    for kind, seen in theirs.items():
        again = read(kubectl, kind, f"-n={name}")
        assert again["metadata"] | {"resourceVersion": ""} == seen["metadata"] | {"resourceVersion": ""}
        assert again.get("spec") == seen.get("spec") and again.get("subjects") == seen.get("subjects")


def test_adopt__everything_taken__members_and_objects_as_golden(admin, there, unique, directory):
    name = unique("golden")
    there(name)
    taken = ["limits", "network", "members", "security", "names"]
    row = {"namespace": name, "name": "golden", "display_name": "Golden", "cpu": "2500m"}
    request = ask(admin, namespaces=[row], take=taken)
    (piece,) = KIND.pieces(request)
    state = piece.state
    text = json.dumps({"state": state, "manifests": KIND.render(state)})
    text = text.replace(state["project"], "uid-of-the-project").replace(name, "golden")
    assert json.loads(text) == json.loads(GOLDEN.read_text())
    approve(request)
    project = Project.objects.get(namespace=name)
    eventually(lambda: doing.arrived(project.bundle), 60, "the namespace is the portal's")
    assert set(project.parts) == {"quota", *taken}
    pairs = set(ProjectMember.objects.filter(project=project).values_list("subject", "role"))
    assert pairs == {("user:dev", "developer"), ("user:guest", "viewer")}


def test_adopt__approved__project_ledger_and_events_as_of_any_other(admin, there, unique):
    name = unique("rows")
    there(name)
    request = ask(admin, namespaces=[{"namespace": name, "name": "shop", "environment": "test"}])
    claims = dict(Claim.objects.filter(request=request, bundle=None).values_list("resource", "amount"))
    assert claims == FIGURES and request.environment == "test" and request.tenant.code == "claims"
    assert request.facts["namespaces"] == 1 and request.facts["delta.cpu"] == 2000
    approve(request)
    project = Project.objects.get(namespace=name)
    assert (project.name, project.environment, project.adopted, project.parts) == ("shop", "test", True, ["quota"])
    assert (project.owner, project.isolation, project.members.count()) == (admin, "shared", 0)
    assert ledger.lasting(project.bundle) == FIGURES
    assert not Claim.objects.filter(request=request, bundle=None).exists()
    assert Outcome.objects.get(request=request).bundle == project.bundle
    actions = Event.objects.filter(actor="platform").values_list("action", "subject")
    assert ("project.adopt", f"project:{project.uid}") in actions
    assert ("bundle.set-desired", f"bundle:{project.bundle.uid}") in actions
    assert not OpenTarget.objects.exists()


def test_adopt__afterwards__quota_is_changed_and_only_what_was_taken_is_kept(admin, there, kubectl, unique):
    name = unique("after")
    there(name)
    approve(ask(admin, name))
    project = Project.objects.get(namespace=name)
    eventually(lambda: doing.arrived(project.bundle), 60, "the namespace is the portal's")
    doing.asked("change-quota", a_user("owner"), project=str(project.uid), cpu="1", memory="2Gi", storage="5Gi", pods=9)
    eventually(lambda: doing.arrived(project.bundle), 60, "the quota is lowered")
    assert Bundle.objects.get(pk=project.bundle_id).generation == 2
    hard = read(kubectl, "quota/portal-quota", f"-n={name}")["spec"]["hard"]
    assert hard["limits.cpu"] == "1" and "limits.ephemeral-storage" not in hard
    labels = read(kubectl, "namespace", name)["metadata"]["labels"]
    assert not [label for label in labels if "pod-security" in label]


def test_adopt__afterwards__not_deleted_while_volumes_of_theirs_are_in_it(admin, there, kubectl, unique):
    name = unique("volume")
    there(name)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": name}}
    kubectl("create", "-f", "-", stdin=json.dumps(body | {"spec": spec}))
    approve(ask(admin, name))
    project = Project.objects.get(namespace=name)
    eventually(lambda: doing.arrived(project.bundle), 60, "the namespace is the portal's")
    with pytest.raises(Invalid) as refused:
        doing.asked("delete-project", a_user("owner"), project=str(project.uid), confirm=name)
    assert refused.value.fields["/project"].startswith("1 volumes are kept")


# Asking


def test_ask__rows_that_cannot_be__each_named_where_it_was_written(admin, there, kubectl, unique):
    closed, bare, fine = unique("closed"), unique("bare"), unique("fine")
    there(closed, opened=False)
    there(bare, hard=None)
    there(fine)
    text = f"namespace,tenant\n{fine},claims\n{bare},claims\nnowhere,claims\n{fine}-x,nobody"
    listed = [{"namespace": closed}, {"namespace": "kube-system"}]
    with pytest.raises(Invalid) as refused:
        ask(admin, namespaces=listed, csv=text)
    errors = refused.value.fields
    assert f"kubectl label namespace {closed} portal.cloud/managed=true" in errors["/namespaces/0/namespace"]
    assert "reserved" in errors["/namespaces/1/namespace"]
    assert errors["/csv/3/cpu"].startswith("Line 3, cpu: No quota says how much")
    assert errors["/csv/4/namespace"].startswith("Line 4, namespace: There is no namespace nowhere")
    assert not [pointer for pointer in errors if pointer.startswith("/csv/2")]
    assert not Request.objects.exists()


def test_ask__selector__what_is_open_and_not_yet_the_portals(admin, there, unique):
    team = unique("team")
    names = [f"{team}-{number}" for number in range(3)]
    there(*names, team=team, **{"portal.cloud/environment": "test"})
    approve(ask(admin, names[1]))
    request = ask(admin, selector=f"team={team}, portal.cloud/managed=true")
    found = request.values["found"]["namespaces"]
    assert [row["namespace"] for row in found] == [names[0], names[2]]
    assert {row["environment"] for row in found} == {"test"} and request.environment == "test"
    assert request.title == f"{names[0]} … {names[2]} (2)"
    with pytest.raises(Invalid) as refused:
        ask(admin, selector=f"team={team}-x")
    assert refused.value.fields == {"/selector": "No namespace is named that could be adopted."}


def test_ask__selector_beside_csv__the_csv_says_more(admin, there, unique):
    team = unique("team")
    names = [f"{team}-{number}" for number in range(2)]
    there(*names, team=team)
    request = ask(admin, selector=f"team={team}", csv=f"namespace,name,tenant\n{names[1]},shop,motor")
    rows = {row["namespace"]: (row["tenant"], row["name"]) for row in request.values["found"]["namespaces"]}
    assert rows == {names[1]: ("motor", "shop"), names[0]: ("claims", names[0])}
    assert request.tenant is None and request.facts["tenant"] == ""
    held = Claim.objects.filter(request=request, resource="pods").values_list("tenant__code", "amount")
    assert set(held) == {("claims", 20), ("motor", 20)}


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({}, "/selector", "No namespace is named"),
        ({"selector": "   "}, "/selector", "No namespace is named"),
        ({"selector": "team in ("}, "/selector", "unable to parse"),
        ({"selector": "a" * 501}, "/selector", "At most 500"),
        ({"cluster": "nowhere"}, "/cluster", "no such cluster"),
        ({"csv": "x" * 200_001}, "/csv", "At most 200000"),
        ({"csv": "namespace\n\u202eweb"}, "/csv", "cannot be shown"),
        ({"csv": "namespace\nweb\0"}, "/csv", "cannot be shown"),
        ({"take": ["quota"]}, "/take/0", "not one of the choices"),
        ({"take": ["limits", "limits"]}, "/take", "twice"),
        ({"namespaces": [{}]}, "/namespaces/0/namespace", "needed"),
        ({"namespaces": [{"namespace": "../nodes"}]}, "/namespaces/0/namespace", "Small letters"),
        ({"namespaces": [{"namespace": "web", "uid": "1"}]}, "/namespaces/0/uid", "no such field"),
        ({"namespaces": [{"namespace": "web"}] * 501}, "/namespaces", "At most 500"),
        ({"namespaces": "web"}, "/namespaces", "wrong type"),
        ({"found": []}, "/found", "wrong type"),
    ],
)
def test_ask__what_makes_no_sense__said_at_the_field(admin, values, field, words):
    with pytest.raises(Invalid) as refused:
        ask(admin, **values)
    assert words in refused.value.fields[field], refused.value.fields


def test_ask__found_is_sent_along__the_portal_looks_itself(admin, there, unique):
    name = unique("found")
    there(name)
    lie = {"namespaces": [{"namespace": "kube-system", "uid": "x"}], "members": {"claims": [["user:x", "developer"]]}}
    request = ask(admin, name, found=lie)
    assert [row["namespace"] for row in request.values["found"]["namespaces"]] == [name]
    assert request.values["found"]["members"] == {}


@pytest.mark.parametrize("who", ["owner", "dev", "platform", "stranger"])
def test_ask__nobody_but_administrators__refused_before_the_cluster_is_asked(admin, monkeypatch, who):
    monkeypatch.setattr("tenants.adoption.driver_for", lambda *_: pytest.fail("the cluster was asked"))
    with pytest.raises(Forbidden):
        ask(a_user(who), "web")
    with pytest.raises(Forbidden):
        ask(a_user(who), selector="a=b")
    assert KIND.options(a_user(who), {}) == {}


def test_ask__service_account_whose_owner_is_no_administrator_any_more__refused(admin):
    robot = a_user("robot", "administrator", owner=a_user("dev"))
    with pytest.raises(Forbidden):
        ask(robot, "web")


def test_ask__cluster_behind_git__its_own_sentence(admin, gitops_cluster):
    with pytest.raises(Invalid, match="written to through Git") as refused:
        ask(admin, "web", cluster="gitops")
    assert list(refused.value.fields) == ["/cluster"]


def test_ask__cluster_that_does_not_answer__said(admin):
    Cluster.objects.update(address="https://127.0.0.1:1")
    with pytest.raises(Invalid, match="cannot be reached") as refused:
        ask(admin, "web")
    assert list(refused.value.fields) == ["/cluster"]


def test_ask__open_request_about_one_of_them__named(admin, there, unique):
    names = [unique("busy"), unique("busy")]
    there(*names)
    first = ask(admin, names[0])
    with pytest.raises(TargetBusy, match=names[0]):
        ask(admin, *names)
    # Another project of the same name would get in the way when this is approved.
    ask(admin, namespaces=[{"namespace": names[1], "name": "shop"}])
    with pytest.raises(TargetBusy):
        submit(kind="new-project", values=wish(name="shop", environment="dev"), by=a_user("dev"), at=timezone.now())
    withdraw(number=first.number, by=admin, at=timezone.now())
    assert not Claim.objects.filter(request=first).exists()


def test_ask__more_than_there_is__nothing_is_held(admin, there, unique):
    names = [unique("budget"), unique("budget")]
    there(*names)
    ledger_of = a_tenant("claims")
    ledger_of.budgets.create(resource="cpu", amount=3000)
    with pytest.raises(ledger.NotEnough):
        ask(admin, *names)
    assert not Request.objects.exists() and not Claim.objects.exists()
    assert ask(admin, names[0]).facts["left.cpu"] == 1000


def test_edit__what_was_asked__looks_again(admin, there, kubectl, unique):
    name, other = unique("edit"), unique("edit")
    there(name, other)
    request = ask(admin, name)
    values = request.values | {"namespaces": [{"namespace": name}, {"namespace": other}]}
    edited = edit(number=request.number, values=values, by=admin, at=timezone.now())
    assert len(edited.values["found"]["namespaces"]) == 2
    assert Claim.objects.get(request=edited, resource="pods").amount == 40


# Deciding


def test_decide__own_request__refused(admin, there, unique):
    name = unique("own")
    there(name)
    decided_by("administrators")
    with pytest.raises(Forbidden):
        approve(ask(admin, name), "admin")


def test_decide__another_label_meanwhile__the_new_plan_first(admin, there, kubectl, unique):
    name = unique("label")
    there(name)
    request = ask(admin, name)
    kubectl("label", "namespace", name, "portal.cloud/tenant=motor")
    with pytest.raises(PlanChanged) as told:
        approve(request)
    fields = told.value.plan.changes[0]["fields"]
    assert ["metadata.labels.portal.cloud/tenant", "motor", "claims"] in fields
    assert approve(request).state == "approved"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["label", "namespace", "{}", "portal.cloud/managed-"], "portal.cloud/managed=true"),
        (["delete", "namespace", "{}"], "does not exist any more"),
        (["replaced"], "is not the portal's"),
        (["used"], "25 of Pods are in use"),
    ],
)
def test_decide__namespace_is_not_what_it_was__refused_with_its_name(admin, there, kubectl, unique, change, words):
    names = [unique("gone"), unique("gone")]
    there(*names)
    request = ask(admin, *names)
    if change == ["replaced"]:
        kubectl("delete", "namespace", names[1])
        there(names[1])
    elif change == ["used"]:
        patch = json.dumps({"status": {"hard": QUOTA, "used": {"pods": "25"}}})
        kubectl(
            "patch", "quota", "theirs", f"-n={names[1]}", "--subresource=status", "--type=merge", f"--patch={patch}"
        )
    else:
        kubectl(*[part.format(names[1]) for part in change])
    with pytest.raises(Conflict) as refused:
        approve(request)
    assert words in refused.value.sentence and names[1] in refused.value.sentence
    assert not Project.objects.exists()


def test_decide__cluster_does_not_answer__nothing_adopted_unseen(admin, there, unique):
    name = unique("blind")
    there(name)
    request = ask(admin, name)
    Cluster.objects.update(address="https://127.0.0.1:1")
    with pytest.raises(Conflict, match="only while the cluster can be looked at"):
        approve(request)


@pytest.mark.parametrize("change", [{"environments": ["test"]}, {"dedicated": True}])
def test_decide__cluster_takes_it_no_longer__refused(admin, there, unique, change):
    name = unique("place")
    there(name)
    request = ask(admin, name)
    Cluster.objects.update(**({"dedicated_to": a_tenant("motor")} if "dedicated" in change else change))
    with pytest.raises(Conflict, match=r"any more|no longer takes"):
        approve(request)
    assert not Project.objects.exists()


def test_apply__namespace_replaced_after_the_approval__left_alone(admin, there, kubectl, unique):
    name = unique("late")
    there(name)
    approve(ask(admin, name))
    kubectl("delete", "namespace", name)
    there(name)
    bundle = Project.objects.get().bundle
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    assert bundle.blocked and "is not the portal's" in shown(bundle.message)
    assert REVISION_ANNOTATION not in read(kubectl, "namespace", name)["metadata"].get("annotations", {})


# People and programs


def test_form__administrator__asks_and_reads_what_was_found(admin, there, unique):
    name = unique("form")
    there(name)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(admin, backend="accounts.backends.DirectoryBackend")
    page = client.get("/requests/new/adopt-namespaces").content.decode()
    assert 'name="csv"' in page and 'name="namespaces"' not in page and 'name="found"' not in page
    posted = {"cluster": "real", "csv": f"namespace\n{name}", "tenant": "nobody", "environment": "dev"}
    answer = client.post("/requests/new/adopt-namespaces", posted)
    assert answer.status_code == 422 and "There is no such tenant." in answer.content.decode()
    answer = client.post("/requests/new/adopt-namespaces", posted | {"tenant": "claims"}, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200 and name in page and "portal-quota" in page and "ResourceQuota 1" in page


def test_rest__batch__201_and_errors_by_pointer(admin, there, unique):
    name = unique("rest")
    there(name)
    scopes = ["read", "request"]
    _token, text = issue_token(user=admin, name="t", scopes=scopes, days=1, by=admin, at=timezone.now())
    client = Client(headers={"Accept-Language": "en", "Authorization": f"Bearer {text}"})
    values = {"cluster": "real", "tenant": "claims", "environment": "dev", "namespaces": [{"namespace": name}]}

    def post(**changes):
        body = {"kind": "adopt-namespaces", "values": values | changes}
        return client.post("/api/v1/requests", body, content_type="application/json")

    refused = post(namespaces=[{"namespace": f"{name}-x"}])
    assert refused.status_code == 422 and "/namespaces/0/namespace" in refused.content.decode()
    made = post()
    assert made.status_code == 201
    assert made.json()["values"]["found"]["namespaces"][0]["cpu"] == "2"


# A batch


def asked_and_approved(admin: User, there, team: str, number: int) -> dict[str, int]:
    """Statements of asking, and of deciding, for a batch of this size."""
    names = [f"{team}-{at:03}" for at in range(number)]
    there(*names, team=team)
    made: list[Request] = []
    counts = {"submit": statements(lambda: made.append(ask(admin, selector=f"team={team}")))}
    counts["decide"] = statements(lambda: approve(made[0]))
    assert Project.objects.filter(namespace__in=names).count() == number
    return counts


def test_batch__three_times_as_many__the_same_queries(admin, there, unique):
    few = asked_and_approved(admin, there, unique("few"), 10)
    assert asked_and_approved(admin, there, unique("many"), 30) == few


def test_batch__on_the_real_server__all_ready(portal, admin, there, unique, kubectl):
    team = unique("batch")
    names = [f"{team}-{at:03}" for at in range(BATCH)]
    there(*names, team=team)
    made: list[Request] = []
    figures = []

    def measured(what: str, call: Callable[[], object]) -> None:
        started = time.monotonic()
        count = statements(call)
        figures.append(f"{what}: {count} queries, {time.monotonic() - started:.1f} s")

    measured("submit", lambda: made.append(ask(admin, selector=f"team={team}")))
    measured("decide", lambda: approve(made[0]))
    started = time.monotonic()
    portal.start("worker", "second-worker", "dispatch")
    bundles = Bundle.objects.filter(outcomes__request=made[0])
    eventually(lambda: bundles.filter(observed_generation=1).count() == BATCH, 240, "all are ready")
    figures.append(f"all ready: {time.monotonic() - started:.1f} s after the workers were started")
    page: list[bytes] = []
    client = Client()
    client.force_login(admin, backend="accounts.backends.DirectoryBackend")
    measured("its page", lambda: page.append(client.get(f"/requests/{made[0].number}").content))
    figures[-1] += f", {len(page[0]) / 1024:.0f} kB"
    for line in figures:
        print(f"adoption of {BATCH}: {line}")
    assert not bundles.filter(blocked=True).exists()
    live = json.loads(kubectl("get", "quota", "--all-namespaces", "--output=json"))["items"]
    ours = {q["metadata"]["namespace"] for q in live if q["metadata"]["name"] == "portal-quota"}
    assert set(names) <= ours


def test_decide__member_left_meanwhile__not_bound_after_all(admin, there, unique, directory):
    name = unique("left")
    there(name)
    request = ask(admin, namespaces=[{"namespace": name, "name": "left"}], take=["members"])
    Membership.objects.filter(subject="user:dev").delete()
    with pytest.raises(Conflict, match="Who belongs to a tenant has changed"):
        approve(request)
    assert not Project.objects.exists()
