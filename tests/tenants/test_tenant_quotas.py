"""The quota over a tenant's projects: with the first project in an OpenShift cluster, after the budget, until the last
one is gone."""

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import User
from clusters.models import Bundle, Cluster
from tenants import ledger, tenant_quotas
from tenants.kinds.new_project import NewProject
from tenants.models import Deletion, Project, Tenant
from tenants.services.tenant_quotas import keep_quotas
from tests.builders import a_tenant, a_user
from tests.tenants.doing import approved, arrived, asked, drive_now, everybody, made
from tests.waiting import eventually
from web.errors import Conflict
from workflow import queries
from workflow.models import Request

pytestmark = pytest.mark.django_db
FILE = "_cluster/clusterresourcequota-portal-claims.yaml"


@pytest.fixture
def people(gitops_cluster, directory) -> dict[str, User]:
    Cluster.objects.update(flavour="openshift")
    found = everybody()
    set_budget(cpu=64_000)
    return found


def set_budget(**amounts: int | None) -> None:
    with transaction.atomic():
        ledger.set_budget(tenant=a_tenant("claims"), amounts=amounts, by=None, at=timezone.now())


def the_bundle() -> Bundle:
    return Bundle.objects.get(owner="tenant:claims")


def hard(committed) -> dict[str, str]:
    return committed()[FILE]["spec"]["quota"]["hard"]


def changed(request: Request) -> list[tuple[str, str, str]]:
    changes = queries.newest_plan(request).changes
    return [(c["action"], c["ref"]["kind"], c["ref"]["name"]) for c in changes if c["action"] != "keep"]


def approved_budget(people, **limits: object) -> Request:
    return approved(
        asked("tenant-quota", people["owner"], tenant="claims", **limits), a_user("dc", "approver:datacenter")
    )


def removed(project: Project, people) -> None:
    values = {"project": str(project.uid), "confirm": project.namespace}
    request = approved(asked("delete-project", people["owner"], **values), people["platform"])
    deletion = Deletion.objects.get(request=request)
    Deletion.objects.filter(pk=deletion.pk).update(due_from=timezone.now() - timedelta(seconds=1))

    def gone() -> bool:
        arrived(project.bundle)
        drive_now(deletion)
        return deletion.done_at is not None

    eventually(gone, 30, "the project is gone")


def test_first_project__quota_in_the_plan_and_committed(people, committed):
    project = made(people["dev"], name="imaging")
    request = Request.objects.get(uid=project.uid)
    assert ("add", "ClusterResourceQuota", "portal-claims") in changed(request)
    assert {outcome.bundle.owner for outcome in request.outcomes.all()} == {project.bundle.owner, "tenant:claims"}
    bundle = the_bundle()
    assert arrived(bundle)
    assert hard(committed) == {"requests.cpu": "64", "limits.cpu": "64"}
    assert (bundle.namespace, bundle.revisions.get().provenance["request"]) == ("", request.number)
    namespace = next(m for m in committed().values() if m["kind"] == "Namespace")
    selected = committed()[FILE]["spec"]["selector"]["labels"]["matchLabels"]
    assert selected.items() <= namespace["metadata"]["labels"].items() | {("portal.cloud/managed", "true")}


def test_second_project__quota_is_there__neither_in_the_plan_nor_written(people):
    made(people["dev"], name="imaging")
    second = made(people["dev"], name="letters")
    request = Request.objects.get(uid=second.uid)
    assert "ClusterResourceQuota" not in {kind for _action, kind, _name in changed(request)}
    assert (the_bundle().generation, request.outcomes.count()) == (1, 1)


def test_two_first_projects__the_other_was_quicker__on_the_new_plan(people):
    first, second = (asked_for(people["dev"], name) for name in ("imaging", "letters"))
    approved(first, people["platform"])
    with pytest.raises(Conflict, match="Something changed"):
        approved(second, people["platform"])
    assert approved(second, people["platform"]).state == "approved"
    assert the_bundle().generation == 1


def asked_for(by: User, name: str) -> Request:
    one = {"environment": "test", "cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    values = {"tenant": "claims", "name": name, "display_name": name, "environments": [one]}
    return asked("new-project", by, **values)


def test_new_project__kubernetes__no_quota_over_it(people):
    Cluster.objects.update(flavour="kubernetes")
    made(people["dev"], name="imaging")
    assert not Bundle.objects.filter(owner="tenant:claims").exists()


def test_new_project__tenant_without_limits__no_quota_until_there_is_one(people, committed):
    set_budget(cpu=None)
    project = made(people["dev"], name="imaging")
    assert not Bundle.objects.filter(owner="tenant:claims").exists()
    request = approved_budget(people, memory="1Ti")
    assert changed(request)[1] == ("add", "ClusterResourceQuota", f"portal-claims ({project.bundle.cluster})")
    assert arrived(the_bundle())
    assert hard(committed) == {"requests.memory": "1Ti", "limits.memory": "1Ti"}


def test_budget__changed__plan_says_so_and_the_cluster_follows(people, committed):
    made(people["dev"], name="imaging")
    request = asked("tenant-quota", people["owner"], tenant="claims", cpu="96", pods=200)
    quota = queries.newest_plan(request).changes[1]
    assert quota["action"] == "change" and quota["fields"] == [
        ["limits.cpu", "64", "96"],
        ["pods", None, "200"],
        ["requests.cpu", "64", "96"],
    ]
    approved(request, a_user("dc", "approver:datacenter"))
    assert the_bundle().generation == 2 and arrived(the_bundle())
    assert hard(committed) == {"requests.cpu": "96", "limits.cpu": "96", "pods": "200"}
    removed_all = approved_budget(people)
    assert changed(removed_all)[1][0] == "remove"
    assert arrived(the_bundle()) and FILE not in committed()


def test_budget__same_for_the_quota_already__bundle_untouched(people):
    made(people["dev"], name="imaging")
    request = Request.objects.get(kind="new-project")
    claims = Tenant.objects.get(code="claims")
    with transaction.atomic():
        clusters = tenant_quotas.clusters_of(claims)
        keep_quotas(request=request, tenant=claims, clusters=clusters, by=None, at=timezone.now())
    assert the_bundle().generation == 1


def test_budget__no_project_in_an_openshift_cluster__rows_alone(people):
    request = approved_budget(people, cpu="96")
    assert changed(request) == [("change", "TenantBudget", "claims")]
    assert not Bundle.objects.exists()


def test_last_project__gone__quota_goes_too_and_comes_back_with_the_next(people, committed):
    first, second = made(people["dev"], name="imaging"), made(people["dev"], name="letters")
    arrived(the_bundle())
    removed(first, people)
    assert the_bundle().generation == 1 and FILE in committed()
    removed(second, people)
    assert the_bundle().generation == 2 and arrived(the_bundle())
    assert FILE not in committed()
    made(people["dev"], name="again")
    assert arrived(the_bundle()) and hard(committed) == {"requests.cpu": "64", "limits.cpu": "64"}


def test_lacks__queries__constant(people, django_assert_num_queries):
    made(people["dev"], name="imaging")
    claims, cluster = Tenant.objects.get(code="claims"), Cluster.objects.get()
    with django_assert_num_queries(3):
        assert not tenant_quotas.lacks(claims, cluster)


@pytest.mark.django_db(transaction=True)
def test_two_projects_of_a_new_tenant__approved_at_once__one_quota(people):
    """Both are the first one; the second waits for the first one's transaction."""
    requests = [asked_for(people["dev"], name) for name in ("imaging", "letters")]
    refused: list[Exception] = []

    def approve(request: Request) -> None:
        try:
            try:
                approved(request, people["platform"])
            except Conflict:
                approved(request, people["platform"])
        except Exception as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=approve, args=[request]) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    assert Project.objects.count() == 2 and the_bundle().generation == 1


def test_new_project__pieces__tenant_quota_is_the_second(people):
    request = asked_for(people["dev"], "imaging")
    pieces = NewProject().pieces(request)
    assert [piece.owner for piece in pieces] == [f"project:{request.uid}", "tenant:claims"]
    assert NewProject().render(pieces[1].state)[0]["kind"] == "ClusterResourceQuota"
