"""The kind "delete a project": who may ask, what is refused, what people decide on, and what an approval plans."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from clusters.models import BundleObject, Cluster
from clusters.services import set_desired
from tenants import blockers, queries
from tenants.kinds.delete_project import DeleteProject
from tenants.models import Deletion, Membership, Project
from tests.builders import a_tenant, a_user
from tests.tenants.doing import approved, asked, everybody, made
from web.errors import Conflict, Forbidden, Invalid
from web.sentences import Sentence
from workflow.models import Policy, Request
from workflow.queries import newest_plan
from workflow.services import PlanChanged
from workflow.services.possible import NotPossibleNow
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "delete_project.json"
KIND = DeleteProject()


@pytest.fixture
def people(gitops_cluster, directory) -> dict[str, User]:
    return everybody()


@pytest.fixture
def project(people) -> Project:
    return made(people["dev"], name="imaging")


def ask(of: Project, by: User, **changes: object) -> Request:
    return asked("delete-project", by, **{"project": str(of.uid), "confirm": of.namespace} | changes)


def out_of_reach(**used: str) -> None:
    """From now on the cluster does not answer, and this is what was last seen in use."""
    Cluster.objects.update(driver="kubernetes", address="https://127.0.0.1:1")
    usage = {"used": {name.replace("__", "."): amount for name, amount in used.items()}}
    BundleObject.objects.filter(kind="ResourceQuota").update(usage=usage)


def test_plan__everything_goes__as_golden(people, project):
    request = ask(project, people["owner"], reason="Not needed any more")
    plan = newest_plan(request)
    seen = {
        "values": request.values,
        "facts": request.facts,
        "manifests": [KIND.render(piece.state) for piece in KIND.pieces(request)],
        "changes": plan.changes,
        "base_revisions": plan.base_revisions,
    }
    seen = json.loads(json.dumps(seen).replace(str(project.uid), "uid-of-the-project"))
    assert seen == json.loads(GOLDEN.read_text())


def test_decide__approved__planned_for_the_end_of_the_grace_period(people, project, committed, settings):
    settings.PROJECT_GRACE_HOURS = {"dev": 5, "test": 72, "prod": 336}
    before = committed()
    request = approved(ask(project, people["owner"]), people["platform"])
    deletion = Deletion.objects.get()
    assert request.state == "approved" and deletion.request_id == request.pk
    assert deletion.due_from == deletion.due_at == request.closed_at + timedelta(hours=5)
    assert (deletion.lane, deletion.started_at, queries.pending_deletion(project)) == ("gitops", None, deletion)
    project.bundle.refresh_from_db()
    assert project.bundle.generation == 1 and committed() == before
    event = Event.objects.get(action="project.plan-deletion")
    assert (event.actor, event.after["request"]) == ("platform", request.number)
    titles = [(row["title"], row["state"]) for row in KIND.moments(request)]
    assert titles == [("Grace period", "now"), ("Removal begins", "todo"), ("The namespace is gone", "todo")]
    assert KIND.result_url(request) == f"/projects/{project.uid}"


def test_submit__by_an_approving_policy__planned_at_once(people, project):
    Policy.objects.create(slug="all", name_zh="a", name_en="a", kind="delete-project", priority=5)
    assert ask(project, people["owner"]).state == "approved"
    assert queries.pending_deletion(project) is not None


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_submit__owner_or_administrator__may_ask(people, project, who):
    request = ask(project, people[who])
    assert request.state == "submitted" and "confirm" not in request.values
    assert request.facts["asker.is_tenant_owner"] == (who == "owner")


@pytest.mark.parametrize("who", ["dev", "guest", "auditor", "platform"])
def test_submit__who_owns_nothing__refused(people, project, who):
    with pytest.raises(Forbidden):
        ask(project, people[who])
    assert Request.objects.count() == 1


def test_submit__owner_of_another_tenant__does_not_learn_that_it_exists(people, project):
    answers = []
    for uid in (str(project.uid), "11111111-2222-3333-4444-555555555555"):
        with pytest.raises(Invalid) as refused:
            ask(project, people["stranger"], project=uid)
        answers.append(refused.value.fields)
    assert answers[0] == answers[1] == {"/project": "There is no such project."}


def test_submit__owner_elsewhere_who_sees_it__refused_at_the_field(people, project):
    a_tenant("motor", guest="owner")
    with pytest.raises(Invalid) as refused:
        ask(project, people["guest"])
    assert list(refused.value.fields) == ["/project"]


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"confirm": ""}, "/confirm", "needed"),
        ({"confirm": "imaging"}, "/confirm", "not the name"),
        ({"confirm": "CLAIMS-IMAGING-DEV"}, "/confirm", "not the name"),
        ({"confirm": " claims-imaging-dev"}, "/confirm", "not the name"),
        ({"confirm": "claims-imaging-dev\u200b"}, "/confirm", "not the name"),
        ({"confirm": "claims-imaging-dev\n"}, "/confirm", "cannot be shown"),
        ({"confirm": "c" * 64}, "/confirm", "At most 63"),
        ({"confirm": True}, "/confirm", "wrong type"),
        ({"project": "../../etc"}, "/project", "not written"),
        ({"project": ["x"]}, "/project", "wrong type"),
        ({"reason": "a\u202eb"}, "/reason", "cannot be shown"),
        ({"force": True}, "/force", "no such field"),
    ],
)
def test_submit__hostile_or_not_confirmed__said_at_the_field(people, project, changes, pointer, said):
    with pytest.raises(Invalid) as refused:
        ask(project, people["owner"], **changes)
    assert said in refused.value.fields[pointer], refused.value.fields
    assert Request.objects.count() == 1


def test_submit__pods_volumes_and_load_balancers__all_said(people, project):
    out_of_reach(pods="3", persistentvolumeclaims="2", services__loadbalancers="1", services="9")
    with pytest.raises(Invalid) as refused:
        ask(project, people["owner"])
    said = refused.value.fields["/project"]
    assert "3 pods run in claims-imaging-dev" in said and "2 volumes" in said and "1 load balancers" in said


def test_decide__pods_started_meanwhile__refused_in_words(people, project):
    out_of_reach(pods="0")
    request = ask(project, people["owner"])
    out_of_reach(pods="1")
    with pytest.raises(Conflict) as refused:
        approved(request, people["platform"])
    assert "1 pods run" in refused.value.sentence
    assert not Deletion.objects.exists()


def test_risks__what_is_not_known__said(people, project):
    request = ask(project, people["owner"])
    assert risks_of(KIND, request, newest_plan(request)) == [
        "It is not known what runs in the namespace; everything in it goes."
    ]
    Request.objects.filter(pk=request.pk).update(state="withdrawn", closed_at=timezone.now())
    request.open_targets.all().delete()
    Project.objects.update(adopted=True, environment="prod")
    Cluster.objects.update(environments=["prod"])
    out_of_reach(pods="0")
    request = ask(project, people["owner"])
    assert risks_of(KIND, request, newest_plan(request)) == [
        "This is production.",
        "The cluster could not be asked: what runs in the namespace is as last seen.",
        "The namespace was adopted: what others made in it goes too.",
    ]


@pytest.mark.parametrize(("amount", "count"), [("0", None), ("7", "7"), ("1500m", "2"), ("many", "many")])
def test_blockers__whatever_the_server_says__read(project, amount, count):
    sentences = blockers.running_pods(project, {"pods": amount})
    assert [str(one).partition(" ")[0] for one in sentences] == ([] if count is None else [count])
    assert blockers.blockers_of(project, {}) == []


def test_blockers__a_check_of_another_room__asked_too(people, project, settings):
    settings.PROJECT_BLOCKERS = [*settings.PROJECT_BLOCKERS, f"{__name__}.always"]
    with pytest.raises(Invalid) as refused:
        ask(project, people["owner"])
    assert refused.value.fields == {"/project": "A database lives here."}


def always(project, usage):
    return [Sentence("A database lives here.")]


def test_submit__another_open_request_about_the_project__busy(people, project):
    ask(project, people["owner"])
    with pytest.raises(TargetBusy):
        ask(project, people["admin"])
    with pytest.raises(TargetBusy):
        asked("change-members", people["owner"], project=str(project.uid), developers=[])


def test_submit__while_a_deletion_is_planned__refused(people, project):
    approved(ask(project, people["owner"]), people["platform"])
    with pytest.raises(Invalid) as refused:
        ask(project, people["admin"])
    assert "is to be deleted" in refused.value.fields["/project"]


def test_decide__twice__one_deletion(people, project):
    request = ask(project, people["owner"])
    approved(request, people["platform"])
    with pytest.raises(Conflict):
        approved(request, a_user("second", "approver:platform"))
    assert Deletion.objects.count() == 1


def test_decide__project_changed_meanwhile__decided_on_the_new_plan(people, project):
    request = ask(project, people["owner"])
    bundle = project.bundle
    set_desired(bundle=bundle, manifests=[], state={}, provenance={}, by=None, at=timezone.now())
    with pytest.raises(PlanChanged):
        approved(request, people["platform"])


def test_decide__asker_owns_it_no_more__refused(people, project):
    request = ask(project, people["owner"])
    Membership.objects.filter(subject="user:owner").delete()
    with pytest.raises(NotPossibleNow):
        approved(request, people["platform"])


def test_facts__what_goes__in_words(people, project):
    rows = dict(KIND.facts(ask(project, people["owner"], reason="Done")))
    assert rows["Project"] == "Claims imaging (claims-imaging-dev)"
    assert rows["Can be called off for"] == "24 hours after the approval"
    assert (rows["CPU"], rows["Reason"]) == ("2", "Done")


def test_page__form_of_the_project__asked_by_typing_its_name(people, project):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(people["owner"], backend="accounts.backends.DirectoryBackend")
    page = client.get(f"/requests/new/delete-project?project={project.uid}").content.decode()
    assert f'value="{project.uid}"' in page and "Name of the namespace" in page and 'name="confirm"' in page
    assert f"<b>{project.display_name} ({project.namespace})</b>" in page and f'href="/projects/{project.uid}"' in page
    values = {"project": str(project.uid), "confirm": "claims-imaging"}
    answer = client.post("/requests/new/delete-project", values)
    assert answer.status_code == 422 and "This is not the name of the namespace." in answer.content.decode()
    answer = client.post("/requests/new/delete-project", values | {"confirm": project.namespace})
    assert answer.status_code == 302
    page = client.get(answer.url).content.decode()
    assert "portal-quota" in page and "Can be called off for" in page


def risks_of(kind, request, plan):
    return kind.risks(request, plan, kind.bars(request, plan))
