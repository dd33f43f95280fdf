"""What a repair of drift leaves alone: what is promised, and what people are deciding about just now."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from clusters.models import Bundle, DriftCheck
from clusters.services import repair
from tenants import ledger
from tenants.models import Deletion, Project
from tests.builders import wish
from tests.clusters.doing import compared
from tests.tenants.doing import approved, arrived, asked, drive_now, everybody
from tests.waiting import eventually
from web.errors import Conflict
from workflow.models import Request
from workflow.queries import newest_plan
from workflow.services import PlanChanged, decide, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(gitops_cluster, directory) -> dict[str, User]:
    return everybody()


@pytest.fixture
def project(people) -> Project:
    request = submit(kind="new-project", values=wish(), by=people["dev"], at=timezone.now())
    approved(request, people["platform"])
    made = Project.objects.get(uid=request.uid)
    eventually(lambda: arrived(made.bundle), 30, "it is committed")
    return made


def drifted(bundle: Bundle) -> None:
    """Somebody removed its limits."""
    kept = bundle.objects_kept.get(kind="LimitRange")
    ref = {"api_version": "v1", "kind": "LimitRange", "namespace": kept.namespace, "name": kept.name}
    found = {"ref": ref, "sort": "missing", "place": "", "fields": [], "uid": "", "by": "", "at": ""}
    found |= {"since": timezone.now().isoformat(), "refused": None, "held_back": None}
    DriftCheck.objects.filter(bundle=bundle).update(found=[found], found_at=timezone.now())


def repaired(project: Project, by: User) -> None:
    drifted(project.bundle)
    repair(bundle=project.bundle.uid, by=by, at=timezone.now())


def figures(project: Project) -> list[tuple[int, int]]:
    pools = [ledger.pools_of_tenant(project.tenant), ledger.standings_of_clusters([project.bundle.cluster])]
    return [(pools[0]["cpu"].held, pools[0]["cpu"].settled), (pools[0]["memory"].held, pools[0]["memory"].settled)]


def resized(project: Project, by: User, cpu: str) -> Request:
    """Less is approved at once, more by people."""
    quota = {"cpu": cpu, "memory": "4Gi", "storage": "20Gi", "pods": 20}
    return asked("change-quota", by, project=str(project.uid), **quota)


def test_repair__before_and_after__as_much_is_promised(people, project):
    before = figures(project)
    assert before[0] == (0, 2000)
    repaired(project, people["dev"])
    assert figures(project) == before
    eventually(lambda: arrived(project.bundle), 30, "it is committed")
    assert figures(project) == before


def test_repair__a_lowered_quota_is_not_applied_yet__given_back_only_when_it_is(people, project):
    resized(project, people["dev"], "1")
    assert figures(project)[0] == (0, 2000)
    drifted(project.bundle)
    with pytest.raises(Conflict, match="under way"):
        repair(bundle=project.bundle.uid, by=people["dev"], at=timezone.now())
    eventually(lambda: arrived(project.bundle), 30, "it is committed")
    assert figures(project)[0] == (0, 1000)
    repaired(project, people["dev"])
    eventually(lambda: arrived(project.bundle), 30, "it is committed")
    assert figures(project)[0] == (0, 1000)


def test_repair__while_a_request_is_open__approver_is_told_and_decides_on_the_new_plan(people, project):
    request = resized(project, people["dev"], "4")
    seen = newest_plan(request)
    repaired(project, people["owner"])
    said = {"number": request.number, "verdict": "approve", "note": "", "by": people["platform"]}
    with pytest.raises(PlanChanged):
        decide(**said, plan_digest=seen.digest, at=timezone.now())
    request.refresh_from_db()
    assert request.state == "submitted"
    fresh = newest_plan(request)
    assert list(fresh.base_revisions.values()) == [2] and fresh.changes == seen.changes
    decide(**said, plan_digest=fresh.digest, at=timezone.now())
    eventually(lambda: arrived(project.bundle), 30, "it is committed")
    project.bundle.refresh_from_db()
    assert project.bundle.observed_generation == 3
    # What is repaired is what that earlier request brought.
    newest, middle, first = project.bundle.revisions.all()
    assert newest.provenance["request"] == request.number != first.provenance["request"]
    assert middle.provenance["request"] == first.provenance["request"]
    assert "repair" in middle.provenance and "repair" not in newest.provenance
    assert middle.objects_wanted == first.objects_wanted


def test_repair__while_a_removal_is_planned__the_removal_goes_on(people, project):
    values = {"project": str(project.uid), "confirm": project.namespace}
    request = approved(asked("delete-project", people["owner"], **values), people["platform"])
    repaired(project, people["dev"])
    eventually(lambda: arrived(project.bundle), 30, "it is committed")
    deletion = Deletion.objects.get(request=request)
    Deletion.objects.filter(pk=deletion.pk).update(due_from=timezone.now() - timedelta(seconds=1))

    def gone() -> bool:
        drive_now(deletion)
        arrived(project.bundle)
        return deletion.done_at is not None

    eventually(gone, 60, "the project is gone")
    row = compared(project.bundle)
    assert (row.found, row.due_at) == ([], None)
    with pytest.raises(Conflict, match="Nothing differs"):
        repair(bundle=project.bundle.uid, by=people["dev"], at=timezone.now())
