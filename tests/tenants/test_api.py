"""REST of tenants and projects: lists, their filters and orders, and what pages show."""

import pytest
from django.utils import timezone

from tenants.models import Deletion, Project
from tests.builders import a_tenant, wish
from tests.portal import walk
from workflow.services import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(gitops_cluster):
    return walk.build()


def items(client, address):
    return client.get(f"/api/v1/{address}").json()["items"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("tenant=claims", 1),
        ("tenant=motor", 0),
        ("cluster=gitops", 1),
        ("cluster=other", 0),
        ("environment=dev&tenant=claims", 1),
        ("environment=prod", 0),
    ],
)
def test_projects__filters__what_fits(world, query, count):
    assert len(items(world.program("dev"), f"projects?{query}")) == count


@pytest.mark.parametrize("query", ["tenant=", "tenant=%00", "cluster=A", "environment=moon", "environment="])
def test_projects__unknown_filter__422_with_its_name(world, query):
    answer = world.program("dev").get(f"/api/v1/projects?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_projects__by_namespace__in_order_across_pages(world):
    for name in ("zeta", "alpha", "mid"):
        asked = wish(environment="dev", name=name)
        submit(kind="new-project", values=asked, by=world.people["dev"], at=timezone.now())
    names = sorted(Project.objects.values_list("namespace", flat=True))
    client, found, address = world.program("dev"), [], "/api/v1/projects?order=namespace&limit=1"
    while address:
        answer = client.get(address)
        found += [one["namespace"] for one in answer.json()["items"]]
        address = answer.get("Link", "").partition("<")[2].partition(">")[0]
    assert found == names


def test_project__detail__members_use_bundle_and_removal(world):
    uid = world.project.uid
    seen = world.program("dev").get(f"/api/v1/projects/{uid}")
    assert (seen.json()["bundle"], seen.json()["deletion"]) == (str(world.project.bundle.uid), None)
    assert {"subject", "role"} <= {key for one in seen.json()["members"] for key in one} or not seen.json()["members"]
    Deletion.objects.create(project=world.project, request=world.request, due_from=timezone.now())
    changed = world.program("dev").get(f"/api/v1/projects/{uid}", headers={"If-None-Match": seen["ETag"]})
    assert changed.status_code == 200 and changed.json()["deletion"]["request"] == world.request.number
    same = world.program("dev").get(f"/api/v1/projects/{uid}", headers={"If-None-Match": changed["ETag"]})
    assert same.status_code == 304


def test_tenant__detail__people_who_belong_to_it(world):
    members = world.program("dev").get("/api/v1/tenants/claims").json()["members"]
    assert {one["subject"]: one["role"] for one in members} == {
        "user:dev": "developer",
        "user:owner": "owner",
        "user:guest": "viewer",
    }


def test_tenants__orders__by_code(world):
    for code in ("beta", "alfa"):
        a_tenant(code, dev="viewer")
    codes = [one["code"] for one in items(world.program("dev"), "tenants?order=-code")]
    assert codes == ["claims", "beta", "alfa"]
