"""The kind "change the members of a project": who may ask, what is refused, and who may do what afterwards."""

import json
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from clusters.models import Cluster
from script.local.controlplane import KubectlFailed
from tenants import states
from tenants.kinds.change_members import ChangeMembers
from tenants.models import Deletion, Membership, Project
from tests.builders import a_tenant, a_user
from tests.tenants import doing
from tests.tenants.doing import approved, arrived, asked, made
from tests.waiting import eventually
from web.errors import Conflict, Forbidden, Invalid
from workflow import permissions, queries
from workflow.models import Policy, Request
from workflow.services import PlanChanged, submit
from workflow.services.possible import NotPossibleNow
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "change_members.json"
KIND = ChangeMembers()
TEAM = "cn=claims-team,ou=groups,dc=insurer,dc=example"


def everybody() -> dict[str, User]:
    people = doing.everybody(stranger="developer")
    # The seeded policies would approve what owners change outside of production.
    Policy.objects.filter(slug="owner-members").update(is_active=False)
    return people


@pytest.fixture
def people(gitops_cluster, directory) -> dict[str, User]:
    return everybody()


@pytest.fixture
def project(people) -> Project:
    return made(people["dev"], name="imaging", viewers=["auditor"])


def ask(project: Project, by: User, **changes: object) -> Request:
    present: dict[str, object] = {"developers": ["dev"], "viewers": ["auditor"]}
    return asked("change-members", by, project=str(project.uid), **present | changes)


def test_plan__people_and_groups_come_and_go__as_golden(people, project):
    Cluster.objects.update(user_format="oidc:{username}", group_format="oidc:{cn}")
    who = {"developers": ["dev", "Architect"], "viewers": [], "developer_groups": [TEAM.replace(",", ", ").upper()]}
    request = ask(project, people["owner"], **who, reason="New team")
    seen = {
        "values": request.values,
        "facts": request.facts,
        "manifests": KIND.render(KIND.state(request)),
        "changes": [c for c in queries.newest_plan(request).changes if c["action"] != "keep"],
    }
    text = json.dumps(seen, ensure_ascii=False).replace(str(project.uid), "uid-of-the-project")
    seen = json.loads(text)
    assert seen == json.loads(GOLDEN.read_text())


def test_decide__approved__rows_bindings_and_events(people, project, committed):
    request = approved(ask(project, people["dev"], viewers=["architect"], viewer_groups=[TEAM]), people["platform"])
    assert request.state == "approved"
    members = [(f"group:{TEAM}", "viewer"), ("user:architect", "viewer"), ("user:dev", "developer")]
    assert states.members_of(project) == members
    assert arrived(project.bundle)
    bindings = {m["metadata"]["name"]: m["subjects"] for m in committed().values() if m["kind"] == "RoleBinding"}
    assert [subject["name"] for subject in bindings["portal-viewer"]] == ["claims-team", "architect"]
    assert [subject["name"] for subject in bindings["portal-developer"]] == ["dev"]
    event = Event.objects.get(action="project.set-members")
    assert (event.actor, event.before["members"]["user:auditor"]) == ("platform", "viewer")
    assert project.bundle.revisions.first().provenance["approvers"] == ["platform"]


def test_decide__nobody_left__bindings_removed(people, project, committed):
    request = ask(project, people["owner"], developers=[], viewers=[])
    assert "Nobody could work in the project any more." in risks_of(KIND, request, queries.newest_plan(request))
    approved(request, people["platform"])
    assert arrived(project.bundle)
    assert "RoleBinding" not in {manifest["kind"] for manifest in committed().values()}


def test_submit__owner_outside_production__approved_by_the_seeded_policy(people, project):
    Policy.objects.filter(slug="owner-members").update(is_active=True)
    assert ask(project, people["owner"], viewers=[]).state == "approved"
    assert ask(project, people["dev"], viewers=["architect"]).state == "submitted"


@pytest.mark.parametrize("who", ["guest", "auditor", "platform", "admin"])
def test_submit__who_may_ask_for_nothing__refused(people, project, who):
    with pytest.raises(Forbidden):
        ask(project, people[who], viewers=[])
    assert Request.objects.count() == 1


def test_submit__member_of_another_tenant__does_not_learn_that_it_exists(people, project):
    answers = []
    for uid in (str(project.uid), "11111111-2222-3333-4444-555555555555"):
        with pytest.raises(Invalid) as refused:
            asked("change-members", people["stranger"], project=uid, developers=["stranger"])
        answers.append(refused.value.fields)
    assert answers[0] == answers[1] == {"/project": "There is no such project."}


def test_submit__developer_elsewhere_who_sees_it__refused_at_the_field(people, project):
    a_tenant("motor", guest="developer")
    with pytest.raises(Invalid) as refused:
        ask(project, people["guest"], viewers=[])
    assert list(refused.value.fields) == ["/project"]


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({}, "/developers", "members already"),
        ({"project": "' OR 1=1"}, "/project", "not written"),
        ({"project": "11111111-2222-3333-4444-55555555555\0"}, "/project", "not written"),
        ({"project": None}, "/project", "wrong type"),
        ({"owners": ["dev"]}, "/owners", "no such field"),
        ({"developers": ["nobody-at-all"]}, "/developers/0", "not in the directory"),
        ({"developers": ["system:masters"]}, "/developers/0", "letters, digits"),
        ({"developers": ["dev\u200f"]}, "/developers/0", "letters, digits"),
        ({"developers": {"0": "dev"}}, "/developers", "wrong type"),
        ({"developer_groups": ["system:masters"]}, "/developer_groups/0", "not in the directory"),
        ({"developer_groups": [TEAM.replace("claims", "ｃlaims")]}, "/developer_groups/0", "not in the directory"),
        ({"viewer_groups": [TEAM] * 2}, "/viewer_groups", "twice"),
    ],
)
def test_submit__hostile_or_impossible__said_at_the_field(people, project, changes, pointer, said):
    values = {"project": str(project.uid), "developers": ["dev"], "viewers": ["auditor"]} | changes
    with pytest.raises(Invalid) as refused:
        submit(kind="change-members", values=values, by=people["owner"], at=timezone.now())
    assert said in refused.value.fields[pointer], refused.value.fields


def test_submit__adopted_without_its_members__refused_in_words(people, project):
    Project.objects.update(parts=["quota"], adopted=True)
    with pytest.raises(Invalid) as refused:
        ask(project, people["owner"], viewers=[])
    assert "does not keep the members" in refused.value.fields["/project"]


def test_submit__named_twice__stronger_role_once(people, project):
    request = ask(project, people["owner"], developers=["DEV", "architect"], viewers=["Dev", "architect", "auditor"])
    assert (request.values["developers"], request.values["viewers"]) == (["architect", "dev"], ["auditor"])


def test_submit__member_left_the_company_and_directory_down__others_can_be_removed(people, project, directory):
    project.members.create(subject="user:gone", role="developer")
    project.members.create(subject=f"group:{TEAM}", role="viewer")
    with directory.down():
        request = ask(project, people["owner"], developers=["gone"], viewers=[], viewer_groups=[TEAM.upper()])
    assert request.values["viewer_groups"] == [TEAM]
    assert (request.facts["members.removed"], request.facts["members.added"]) == (2, 0)


def test_submit__promoted__counts_as_added_and_removed(people, project):
    request = ask(project, people["owner"], developers=["dev", "auditor"], viewers=[])
    assert (request.facts["members.added"], request.facts["members.removed"]) == (1, 1)
    assert dict(KIND.facts(request))["Another role"] == "auditor: Viewer → Developer"


def test_submit__another_open_request_about_the_project__busy(people, project):
    ask(project, people["owner"], viewers=[])
    with pytest.raises(TargetBusy):
        ask(project, people["dev"], viewers=["architect"])


def test_decide__members_changed_otherwise_meanwhile__decided_anew(people, project):
    request = ask(project, people["owner"], viewers=[])
    Cluster.objects.update(user_format="oidc:{username}")
    with pytest.raises(PlanChanged):
        approved(request, people["platform"])
    assert approved(request, people["platform"]).state == "approved"


def test_decide__asker_is_developer_no_more__refused(people, project):
    request = ask(project, people["dev"], viewers=[])
    Membership.objects.filter(subject="user:dev").delete()
    with pytest.raises(NotPossibleNow):
        approved(request, people["platform"])


def test_decide__twice_or_ones_own__one_revision(people, project):
    a_tenant("claims", platform="developer")
    with pytest.raises(permissions.OwnRequest):
        approved(ask(project, people["platform"], viewers=["architect"]), people["platform"])
    Request.objects.filter(state="submitted").delete()
    request = ask(project, people["owner"], viewers=[])
    approved(request, people["platform"])
    with pytest.raises(Conflict):
        approved(request, a_user("second", "approver:platform"))
    project.bundle.refresh_from_db()
    assert project.bundle.generation == 2


def test_submit_and_decide__project_is_to_be_deleted__refused(people, project):
    request = ask(project, people["owner"], viewers=[])
    source = Request.objects.get(uid=project.uid)
    Deletion.objects.create(project=project, request=source, due_from=timezone.now())
    with pytest.raises(Conflict) as late:
        approved(request, people["platform"])
    assert "is to be deleted" in late.value.sentence
    with pytest.raises(Invalid) as refused:
        ask(project, people["owner"], viewers=["architect"])
    assert "is to be deleted" in refused.value.fields["/project"]
    project.bundle.refresh_from_db()
    assert project.bundle.generation == 1


def test_prefilled__own_project_and_others__present_list_or_nothing(people, project):
    uid = str(project.uid)
    filled = KIND.prefilled({"project": uid}, people["dev"])
    assert (filled["developers"], filled["viewers"], filled["developer_groups"]) == (["dev"], ["auditor"], [])
    given = {"project": uid, "developers": ["owner"], "viewers": []}
    assert KIND.prefilled(given, people["dev"]) == given
    for who, given in (("stranger", uid), ("dev", "nothing"), ("dev", "\0")):
        assert KIND.prefilled({"project": given}, people[who]) == {"project": given}


def test_page__form_of_the_project__present_members_changed_and_sent(people, project):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(people["dev"], backend="accounts.backends.DirectoryBackend")
    page = client.get(f"/requests/new/change-members?project={project.uid}").content.decode()
    assert f'value="{project.uid}"' in page and ">dev</textarea>" in page and ">auditor</textarea>" in page
    values = {"project": str(project.uid), "developers": "dev\narchitect", "viewers": "auditor"}
    answer = client.post("/requests/new/change-members", values)
    assert answer.status_code == 302, answer.content.decode()
    assert Request.objects.get(kind="change-members").values["developers"] == ["architect", "dev"]
    page = client.get(answer.url).content.decode()
    assert "portal-developer" in page and "architect (Developer)" in page


# Against a real API server


def may(kubectl, namespace: str, who: str, *what: str) -> bool:
    try:
        answer = kubectl("auth", "can-i", *what, f"-n={namespace}", "--as", who.partition("+")[0], *_groups(who))
    except KubectlFailed:  # kubectl answers "no" with exit code 1
        return False
    return answer.strip().splitlines()[-1] == "yes"


def _groups(who: str) -> list[str]:
    group = who.partition("+")[2]
    return ["--as-group", group] if group else []


def test_decide__on_the_api_server__rights_come_and_go(real_cluster, directory, kubectl, unique):
    people = everybody()
    project = made(people["dev"], name=unique("team"), viewers=["auditor"])
    name = project.namespace
    assert may(kubectl, name, "dev", "create", "deployments.apps") and may(kubectl, name, "auditor", "get", "pods")
    request = ask(project, people["owner"], developers=["auditor"], viewers=[], developer_groups=[TEAM])
    changed = [c["ref"]["name"] for c in queries.newest_plan(request).changes if c["action"] != "keep"]
    assert changed == ["portal-developer", "portal-viewer"]
    approved(request, people["platform"])
    eventually(lambda: arrived(project.bundle), 60, "the new members are bound")
    assert may(kubectl, name, "auditor", "create", "deployments.apps")
    assert may(kubectl, name, "somebody+claims-team", "create", "deployments.apps")
    assert not may(kubectl, name, "somebody+motor-team", "get", "pods")
    assert not may(kubectl, name, "dev", "get", "pods")


def test_submit__bound_by_hand_on_the_api_server__plan_shows_and_approval_removes_it(
    real_cluster, directory, kubectl, unique
):
    people = everybody()
    project = made(people["dev"], name=unique("hand"))
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "intruder"}
    patch = json.dumps([{"op": "add", "path": "/subjects/-", "value": subject}])
    kubectl("patch", "rolebinding", "portal-developer", f"-n={project.namespace}", "--type=json", f"--patch={patch}")
    assert may(kubectl, project.namespace, "intruder", "create", "deployments.apps")
    request = ask(project, people["owner"], viewers=["architect"])
    (binding,) = [c for c in queries.newest_plan(request).changes if c["ref"]["name"] == "portal-developer"]
    assert "intruder" in json.dumps(binding["fields"])
    approved(request, people["platform"])
    eventually(lambda: arrived(project.bundle), 60, "the new members are bound")
    assert not may(kubectl, project.namespace, "intruder", "get", "pods")
    assert may(kubectl, project.namespace, "architect", "get", "pods")


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))


@pytest.mark.parametrize("kind", ["change-members", "change-quota"])
def test_page__form_of_the_project__says_which_it_is_to_those_who_see_it(people, project, kind):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(people["dev"], backend="accounts.backends.DirectoryBackend")
    address = f"/requests/new/{kind}?project={project.uid}"
    page = client.get(address).content.decode()
    head = page[page.index('id="about"') :].partition("</div>")[0]
    for text in (f"{project.display_name} ({project.namespace})", "Development", project.bundle.cluster.name):
        assert f"<b>{text}</b>" in head
    assert f'<a class="pf-v6-c-breadcrumb__link" href="/projects/{project.uid}">{project.display_name}</a>' in page
    client.force_login(people["stranger"], backend="accounts.backends.DirectoryBackend")
    page = client.get(address).content.decode()
    assert 'id="about"' not in page and project.namespace not in page and project.display_name not in page
