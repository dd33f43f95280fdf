"""The kind "go back to an earlier revision": what comes back, what does not, and what it renders and holds."""

import json
from pathlib import Path

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.directory import DirectoryUnavailable
from accounts.models import User
from accounts.services import issue_token
from audit.models import Event
from clusters.models import Bundle, BundleRevision, Cluster
from clusters.services import set_desired
from tenants import ledger, rollback, states
from tenants.kinds.quota_requests import BelowUse
from tenants.kinds.rollback_project import RollbackProject
from tenants.models import Claim, Deletion, Membership, Project
from tests.builders import a_tenant, a_user, decided_by
from tests.tenants import doing
from tests.tenants.doing import approved, arrived, asked, made
from tests.waiting import eventually
from web.errors import Conflict, Forbidden, Invalid
from workflow import permissions, queries
from workflow.models import Request
from workflow.services import PlanChanged, edit, withdraw
from workflow.services.possible import NotPossibleNow
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "rollback_project.json"
KIND = RollbackProject()
GI = 1024**3
TEAM = "cn=claims-team,ou=groups,dc=insurer,dc=example"
LARGER = {"cpu": "4", "memory": "2Gi", "storage": "20Gi", "pods": 20}


@pytest.fixture
def people(gitops_cluster, directory) -> dict[str, User]:
    return doing.everybody(stranger="developer")


@pytest.fixture
def project(people) -> Project:
    """One with 2 CPU and 4Gi and the viewer auditor in revision 1, another quota in 2 and other members in 3."""
    a_tenant("claims").memberships.create(subject=f"group:{TEAM}", role="developer")
    one = made(people["dev"], name="imaging", viewers=["auditor"], developer_groups=[TEAM])
    return changed(one, people)


def changed(one: Project, people: dict[str, User]) -> Project:
    asked("change-quota", people["dev"], project=str(one.uid), **LARGER)
    assert eventually(lambda: arrived(one.bundle), 60, "the cluster has the larger quota")
    asked("change-members", people["owner"], project=str(one.uid), developers=["dev"])
    assert eventually(lambda: arrived(one.bundle), 60, "the cluster has the other members")
    decided_by("platform")
    return Project.objects.select_related("tenant", "bundle__cluster").get(pk=one.pk)


def ask(project: Project, by: User, revision: object = 1, **values: object) -> Request:
    return asked("rollback-project", by, project=str(project.uid), revision=revision, **values)


def refused(project: Project, by: User, revision: object = 1) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        ask(project, by, revision)
    assert not Request.objects.filter(kind="rollback-project").exists()
    return dict(error.value.fields)


def promised(resource: str) -> tuple[int, int]:
    """(settled, held) of the tenant."""
    one = ledger.pools_of_tenant(a_tenant("claims"))[resource]
    return one.settled, one.held


def read(project: Project) -> Project:
    return Project.objects.select_related("tenant", "bundle__cluster").get(pk=project.pk)


# What comes back


def test_render__a_whole_request__as_golden(people, project):
    Cluster.objects.update(user_format="oidc:{username}", monitoring_labels={"kubernetes.io/metadata.name": "mon"})
    Project.objects.update(display_name="Another name", cost_centre="CC-2", owner=people["owner"])
    request = ask(project, people["dev"], reason="The new figures were wrong")
    (piece,) = KIND.pieces(request)
    assert (piece.owner, piece.namespace) == (f"project:{project.uid}", "claims-imaging-dev")
    seen = {
        "values": request.values,
        "facts": request.facts,
        "state": piece.state,
        "manifests": KIND.render(piece.state),
        "changes": [c for c in queries.newest_plan(request).changes if c["action"] != "keep"],
    }
    text = json.dumps(seen, ensure_ascii=False).replace(str(project.uid), "uid-of-the-project")
    assert json.loads(text) == json.loads(GOLDEN.read_text())


def test_decide__approved__row_members_revision_and_events(people, project, committed):
    Project.objects.update(display_name="Another name", cost_centre="CC-2")
    request = approved(ask(read(project), people["dev"]), people["platform"])
    assert request.state == "approved"
    now = read(project)
    assert states.figures_of(now) == {"cpu": 2000, "memory": 4 * GI, "storage": 20 * GI, "pods": 20}
    assert (now.display_name, now.cost_centre, now.size) == ("Claims imaging", "", "s")
    # The auditor belongs neither to the tenant nor to the project any more.
    assert states.members_of(now) == [(f"group:{TEAM}", "developer"), ("user:dev", "developer")]
    newest = now.bundle.revisions.first()
    assert (newest.number, newest.provenance["rollback_of"], newest.provenance["request"]) == (4, 1, request.number)
    assert newest.state == states.of_project(now)
    assert arrived(now.bundle)
    quota = next(m for m in committed().values() if m["kind"] == "ResourceQuota")
    assert (quota["spec"]["hard"]["limits.cpu"], quota["spec"]["hard"]["limits.memory"]) == ("2", "4Gi")
    event = Event.objects.get(action="project.roll-back")
    assert (event.before["quota"]["cpu"], event.after["quota"]["cpu"], event.after["revision"]) == (4000, 2000, 1)
    assert event.actor == "platform"
    assert Event.objects.filter(action="project.set-members").count() == 2


def test_render__the_cluster_says_other_words_by_now__those_of_today(people, project):
    Cluster.objects.update(ingress_labels={"kubernetes.io/metadata.name": "ingress-new"}, flavour="openshift")
    (piece,) = KIND.pieces(ask(project, people["dev"]))
    assert piece.state["ingress_labels"] == {"kubernetes.io/metadata.name": "ingress-new"}
    assert piece.state["flavour"] == "openshift"
    assert piece.state["quota"]["cpu"] == 2000


def test_render__a_revision_that_was_itself_a_way_back__can_be_undone(people, project):
    approved(ask(project, people["dev"]), people["platform"])
    assert arrived(project.bundle)
    request = approved(ask(read(project), people["dev"], 3), people["platform"])
    assert request.state == "approved" and states.figures_of(read(project))["cpu"] == 4000
    assert states.members_of(project) == [("user:dev", "developer")]


# Whose rights come back


def left_out(request: Request) -> dict[str, str]:
    return {one["name"]: one["why"] for one in request.values["found"]["left_out"]}


def test_members__of_the_tenant_again_or_still_of_the_project__come_back(people, project):
    a_tenant("claims", auditor="viewer")
    request = ask(project, people["dev"])
    assert left_out(request) == {}
    assert request.values["found"]["members"]["user:auditor"] == "viewer"
    assert (request.facts["members.added"], request.facts["groups.added"]) == (1, 1)


def test_members__of_the_tenant_by_their_group__come_back(people, project, directory):
    with directory.with_member("claims-team", "auditor"):
        assert left_out(ask(project, people["dev"])) == {}


def test_members__left_the_tenant_and_the_project__left_out_and_said(people, project):
    request = ask(project, people["dev"])
    assert left_out(request) == {"auditor": "outside"}
    facts = dict(KIND.facts(request))
    assert facts["Does not come back"] == "auditor (Viewer; belongs neither to the tenant nor to the project)"
    assert any("does not come back: auditor" in risk for risk in risks_of(request))


def test_members__left_the_company__left_out_also_while_of_the_tenant(people, gitops_cluster, directory):
    entry = {"objectClass": ["inetOrgPerson"], "uid": ["temp"], "cn": ["Temp"], "sn": ["Temp"]}
    with directory.with_entry("uid=temp,ou=people,dc=insurer,dc=example", entry):
        a_tenant("claims", temp="developer")
        one = changed(made(people["dev"], name="temps", developers=["temp"]), people)
        here = ask(one, people["dev"])
        assert left_out(here) == {}
        withdraw(number=here.number, by=people["dev"], at=timezone.now())
    request = ask(one, people["dev"])
    assert left_out(request) == {"temp": "gone"}
    assert "not in the directory any more" in dict(KIND.facts(request))["Does not come back"]


def test_members__group_the_tenant_lost__left_out(people, project):
    assert ask(project, people["dev"]).values["found"]["members"][f"group:{TEAM}"] == "developer"
    Membership.objects.filter(subject=f"group:{TEAM}").delete()
    found = rollback.returning(project, project.bundle.revisions.get(number=1).state)
    assert f"group:{TEAM}" not in found.members
    assert {"name": TEAM, "role": "developer", "why": "outside"} in found.left_out


def test_members__group_the_directory_lost__left_out(people, gitops_cluster, directory):
    dn = "cn=brief,ou=groups,dc=insurer,dc=example"
    member = "uid=dev,ou=people,dc=insurer,dc=example"
    with directory.with_entry(dn, {"objectClass": ["groupOfNames"], "cn": ["brief"], "member": [member]}):
        a_tenant("claims").memberships.create(subject=f"group:{dn}", role="developer")
        one = changed(made(people["dev"], name="brief", developer_groups=[dn]), people)
    assert left_out(ask(one, people["dev"])) == {dn: "gone"}


def test_members__directory_is_down__people_as_last_seen_and_groups_refused(people, project, directory):
    a_tenant("claims", auditor="viewer")
    with directory.down():
        with pytest.raises(DirectoryUnavailable):
            ask(project, people["dev"])
        Membership.objects.filter(subject=f"group:{TEAM}").delete()
        request = ask(project, people["dev"])
    assert request.values["found"]["members"] == {"user:auditor": "viewer", "user:dev": "developer"}


def test_members__state_of_before_the_portal_kept_who_they_are__by_the_clusters_names(people, project):
    Cluster.objects.update(user_format="oidc:{username}")
    a_tenant("claims", auditor="viewer")
    first = project.bundle.revisions.get(number=1)
    for entry in first.state["members"]:
        entry.pop("who")
        if entry["subject"]["kind"] == "User":
            entry["subject"]["name"] = f"oidc:{entry['subject']['name']}"
    first.save()
    request = ask(read(project), people["dev"])
    assert request.values["found"]["members"] == {"user:auditor": "viewer", "user:dev": "developer"}
    assert left_out(request) == {"claims-team": "unknown"}


def test_decide__somebody_left_the_tenant_since__refused(people, project):
    a_tenant("claims", auditor="viewer")
    request = ask(project, people["dev"])
    Membership.objects.filter(subject="user:auditor").delete()
    with pytest.raises(Conflict, match="has changed since"):
        approved(request, people["platform"])
    assert project.bundle.revisions.count() == 3
    edited = edit(number=request.number, values=request.values, by=people["dev"], at=timezone.now())
    assert approved(edited, people["platform"]).state == "approved"
    assert "user:auditor" not in dict(states.members_of(project))


def test_check__members_written_by_whoever_asks__ignored(people, project):
    forged = {"wanted": 1, "members": {"user:stranger": "developer"}, "left_out": []}
    request = ask(project, people["dev"], found=forged)
    assert "user:stranger" not in request.values["found"]["members"]


# The ledger


def test_ledger__less_of_one_and_more_of_another__held_then_settled(people, project):
    assert (promised("cpu"), promised("memory")) == ((4000, 0), (2 * GI, 0))
    request = ask(project, people["dev"])
    assert (promised("cpu"), promised("memory")) == ((4000, 0), (2 * GI, 2 * GI))
    approved(request, people["platform"])
    assert (promised("cpu"), promised("memory")) == ((4000, 0), (2 * GI, 2 * GI))
    assert arrived(project.bundle)
    assert (promised("cpu"), promised("memory")) == ((2000, 0), (4 * GI, 0))


def test_close__withdrawn__nothing_is_held_any_more(people, project):
    request = ask(project, people["dev"])
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    assert promised("memory") == (2 * GI, 0)
    assert not Claim.objects.filter(request=request).exists()


def test_submit__more_than_the_budget_has_left__refused_and_nothing_held(people, project):
    ledger.set_budget(tenant=project.tenant, amounts={"memory": 3 * GI}, by=None, at=timezone.now())
    with pytest.raises(ledger.NotEnough):
        ask(project, people["dev"])
    assert promised("memory") == (2 * GI, 0)


def in_use(project: Project, **used: str) -> None:
    """What is in use as a driver that can look would have noted it; the cluster itself does not answer now."""
    Cluster.objects.update(driver="kubernetes", address="https://127.0.0.1:1")
    usage = {"used": {name.replace("_", "."): text for name, text in used.items()}}
    project.bundle.objects_kept.filter(kind="ResourceQuota").update(usage=usage)


def test_submit__below_use__told_at_the_revision(people, project):
    in_use(project, limits_cpu="3")
    assert refused(project, people["dev"]) == {"/revision": "CPU: 3 are in use."}


def test_decide__use_grew_meanwhile__refused_and_open_until_it_falls(people, project):
    in_use(project, limits_cpu="1")
    request = ask(project, people["dev"])
    in_use(project, limits_cpu="3")
    with pytest.raises(BelowUse):
        approved(request, people["platform"])
    in_use(project, limits_cpu="2")
    assert approved(request, people["platform"]).state == "approved"


# Refused


@pytest.mark.parametrize("who", ["guest", "auditor", "platform", "admin"])
def test_submit__wrong_role__refused(people, project, who):
    with pytest.raises((Forbidden, Invalid)):
        ask(project, people[who])
    assert not Request.objects.filter(kind="rollback-project").exists()


def test_submit__project_of_another_tenant__as_if_there_were_none(people, project):
    there = refused(project, people["stranger"])
    project.uid = "11111111-2222-3333-4444-555555555555"
    assert there == refused(project, people["stranger"]) and list(there) == ["/project"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(3, "is what is wanted now"), (4, "has no revision 4"), (999_999_999_999, "has no revision")],
)
def test_submit__current_or_missing_revision__said(people, project, number, sentence):
    assert sentence in refused(project, people["dev"], number)["/revision"]


@pytest.mark.parametrize("number", [0, -1, 1.5, "1", None, True, 10**12, [1]])
def test_submit__hostile_revision__refused_at_its_field(people, project, number):
    assert list(refused(project, people["dev"], number)) == ["/revision"]


def test_submit__repair_with_the_same_state__nothing_would_change(people, project):
    state = project.bundle.revisions.first().state
    wanted = {"bundle": project.bundle, "manifests": KIND.render(state), "state": state, "provenance": {}}
    set_desired(**wanted, by=None, at=timezone.now())
    assert arrived(project.bundle)
    said = refused(read(project), people["dev"], 3)["/revision"]
    assert said == "Nothing would change: the project is as revision 3 says."


def test_submit__revision_the_cluster_never_had__refused_and_not_offered(people, project):
    BundleRevision.objects.filter(bundle=project.bundle, number=2).update(agreed_at=None)
    assert "never had revision 2" in refused(project, people["dev"], 2)["/revision"]
    offered = KIND.options(people["dev"], {"project": str(project.uid)})["revision"]
    assert [one["value"] for one in offered] == ["1"]


def test_submit__revision_without_objects__refused(people, project):
    BundleRevision.objects.filter(bundle=project.bundle, number=2).update(objects_wanted=[])
    assert "holds nothing" in refused(project, people["dev"], 2)["/revision"]


def a_deletion(project: Project) -> None:
    source = Request.objects.get(uid=project.uid)
    Deletion.objects.create(project=project, request=source, due_from=timezone.now(), due_at=timezone.now())


def test_submit_and_decide__project_that_is_to_be_deleted__refused(people, project):
    request = ask(project, people["dev"])
    a_deletion(project)
    with pytest.raises(Conflict, match="is to be deleted"):
        approved(request, people["platform"])
    with pytest.raises(Invalid) as error:
        ask(project, people["owner"])
    assert "is to be deleted" in error.value.fields["/project"]
    assert project.bundle.revisions.count() == 3


def test_submit__project_that_is_gone__refused(people, project):
    Project.objects.update(gone_at=timezone.now())
    assert list(refused(project, people["dev"])) == ["/project"]


def test_submit__another_open_request_about_the_namespace__busy(people, project):
    asked("change-quota", people["dev"], project=str(project.uid), **LARGER | {"cpu": "9"})
    with pytest.raises(TargetBusy):
        ask(project, people["owner"])


def test_decide__asker_has_left_the_tenant__refused(people, project):
    request = ask(project, people["dev"])
    Membership.objects.filter(subject="user:dev").delete()
    with pytest.raises((NotPossibleNow, Conflict)):
        approved(request, people["platform"])


def test_decide__a_repair_came_between__decided_anew(people, project):
    request = ask(project, people["dev"])
    state = project.bundle.revisions.first().state
    wanted = {"bundle": project.bundle, "manifests": KIND.render(state), "state": state, "provenance": {}}
    set_desired(**wanted, by=None, at=timezone.now())
    with pytest.raises(PlanChanged):
        approved(request, people["platform"])
    assert approved(request, people["platform"]).state == "approved"


def test_decide__twice_or_ones_own__one_revision(people, project):
    request = ask(project, people["dev"])
    with pytest.raises(permissions.NotYours):
        approved(request, people["dev"])
    approved(request, people["platform"])
    with pytest.raises(Conflict):
        approved(request, a_user("second", "approver:platform"))
    assert project.bundle.revisions.count() == 4


# What people see


def risks_of(request: Request) -> list[str]:
    plan = queries.newest_plan(request)
    return KIND.risks(request, plan, KIND.bars(request, plan))


def test_facts__open_request__what_it_undoes_and_changes(people, project):
    Project.objects.update(display_name="Another name")
    request = ask(project, people["dev"])
    facts = dict(KIND.facts(request))
    first, quota, members = Request.objects.exclude(pk=request.pk).order_by("pk")
    assert facts["Back to"].startswith("Revision 1 of ") and facts["Back to"].endswith(f"request #{first.number}")
    assert facts["Undoes"] == f"#{quota.number} (dev), #{members.number} (owner)"
    assert (facts["CPU"], facts["Memory"]) == ("4 → 2", "2Gi → 4Gi")
    assert facts["Display name"] == "Another name → Claims imaging"
    approved(request, people["platform"])
    request.refresh_from_db()
    after = dict(KIND.facts(request))
    assert (after["CPU"], after["Display name"], after["Undoes"]) == ("4 → 2", "Claims imaging", facts["Undoes"])


def test_risks__fewer_parts_and_nobody_left__said(people, project):
    first = project.bundle.revisions.get(number=1)
    first.state |= {"parts": ["quota", "members"], "members": []}
    first.save()
    request = ask(project, people["dev"])
    risks = risks_of(request)
    assert "Nobody could work in the project any more." in risks
    assert "The portal would remove what it keeps of: limits, network policies, pod security, names and owner." in risks
    assert "Something is lowered, and what is in use is not known." in risks
    changes = queries.newest_plan(request).changes
    assert {c["ref"]["kind"] for c in changes if c["action"] == "remove"} == {
        "LimitRange",
        "NetworkPolicy",
        "RoleBinding",
    }
    approved(request, people["platform"])
    assert sorted(read(project).parts) == ["members", "quota"]


def test_policy__production__data_centre_and_security(people, project):
    Project.objects.update(environment="prod")
    request = ask(project, people["dev"])
    assert [step.group.slug for step in request.steps.all()] == ["datacenter", "security"]
    assert risks_of(request)[0] == "This is production."


def browser(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en", "HX-Request": "true"})
    client.force_login(user, backend="accounts.backends.DirectoryBackend")
    return client


def test_page__form_from_the_history__revisions_to_choose_preview_and_sent(people, project):
    client = browser(people["dev"])
    page = client.get(f"/requests/new/rollback-project?project={project.uid}&revision=2").content.decode()
    assert "Revision 1 of" in page and "Revision 2 of" in page and "Revision 3 of" not in page
    assert '<option value="2" selected>' in page
    values = {"project": str(project.uid), "revision": "1", "reason": ""}
    preview = client.post("/requests/new/rollback-project/check", values).content.decode()
    assert "This project" in preview and "still belong to the tenant or the project" in preview
    answer = client.post("/requests/new/rollback-project", values)
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer.url).content.decode()
    assert "Back to" in page and "4 → 2" in page and "limits.cpu" in page
    page = client.get("/requests/new").content.decode()
    assert "rollback-project" not in page


@pytest.mark.parametrize("query", ["", "project=x&revision=1", "project=%00", "revision=abc", "revision=-1"])
def test_page__form_with_hostile_address__shown_without_a_project(people, project, query):
    page = browser(people["dev"]).get(f"/requests/new/rollback-project?{query}")
    assert page.status_code == 200 and 'id="about"' not in page.content.decode()
    preview = browser(people["dev"]).post("/requests/new/rollback-project/check", QueryDict(query).dict())
    assert preview.status_code == 200


def test_page__form_of_a_foreign_project__nothing_of_it(people, project):
    query = f"project={project.uid}&revision=1"
    page = browser(people["stranger"]).get(f"/requests/new/rollback-project?{query}").content.decode()
    assert project.namespace not in page and "Revision 1 of" not in page
    preview = (
        browser(people["stranger"])
        .post("/requests/new/rollback-project/check", QueryDict(query).dict())
        .content.decode()
    )
    assert "This project" not in preview


def test_api__asked_decided_and_refused__by_rest(people, project):
    def program(who: str) -> Client:
        at = timezone.now()
        scopes = ["read", "request", "decide"]
        _row, text = issue_token(user=people[who], name="t", scopes=scopes, days=1, by=people[who], at=at)
        return Client(headers={"Accept-Language": "en", "Authorization": f"Bearer {text}"})

    body = {"kind": "rollback-project", "values": {"project": str(project.uid), "revision": 3}}
    answer = program("dev").post("/api/v1/requests", body, "application/json")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/revision")
    body["values"]["revision"] = 1
    made_by_rest = program("dev").post("/api/v1/requests", body, "application/json")
    assert made_by_rest.status_code == 201, made_by_rest.content
    number = made_by_rest.json()["number"]
    plan = program("platform").get(f"/api/v1/requests/{number}/plan").json()
    said = {"verdict": "approve", "note": "", "plan_digest": plan["digest"]}
    decided = program("platform").post(f"/api/v1/requests/{number}/decision", said, "application/json")
    assert decided.json()["state"] == "approved", decided.content
    assert states.figures_of(read(project))["cpu"] == 2000


# Against a real API server


@pytest.mark.django_db(transaction=True)
def test_api_server__back_to_the_first__live_quota_and_members_as_they_were(real_cluster, directory, kubectl, unique):
    people = doing.everybody()
    a_tenant("claims", auditor="viewer")
    one = changed(made(people["dev"], name=unique("back"), viewers=["auditor"]), people)

    def live(kind: str, name: str) -> dict:
        return json.loads(kubectl("get", kind, name, f"-n={one.namespace}", "-o", "json"))

    assert live("quota", "portal-quota")["spec"]["hard"]["limits.cpu"] == "4"
    bindings = kubectl("get", "rolebindings", f"-n={one.namespace}", "-o", "name")
    assert "portal-viewer" not in bindings
    approved(ask(one, people["dev"]), people["platform"])
    eventually(lambda: arrived(one.bundle), 60, "the cluster is back")
    hard = live("quota", "portal-quota")["spec"]["hard"]
    assert (hard["limits.cpu"], hard["requests.memory"]) == ("2", "4Gi")
    (viewer,) = live("rolebinding", "portal-viewer")["subjects"]
    assert viewer["name"] == "auditor"
    bundle = Bundle.objects.get(pk=one.bundle_id)
    fence = live("quota", "portal-quota")["metadata"]["annotations"]["portal.cloud/revision"]
    assert fence == f"{bundle.uid}/4"
    assert (promised("cpu"), promised("memory")) == ((2000, 0), (4 * GI, 0))
