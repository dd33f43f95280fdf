"""Pages and endpoints of tenants, the project's page with its quota, and the forms that lead from there."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Cluster
from tenants import ledger
from tenants.models import Deletion, Project, TenantBudget
from tests.builders import a_tenant
from tests.portal.walk import World, build
from workflow.models import Request
from workflow.services import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(gitops_cluster) -> World:
    return build()


def page(client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


def statements(client, address: str) -> list[str]:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [one["sql"][:100] for one in captured]


def change_quota(world: World, **figures: object) -> Request:
    values = {"project": str(world.project.uid), "cpu": "4", "memory": "4Gi", "storage": "20Gi", "pods": 20, **figures}
    return submit(kind="change-quota", values=values, by=world.people["dev"], at=timezone.now())


@pytest.mark.parametrize("address", ["/tenants", "/api/v1/tenants", "/clusters", "/api/v1/clusters"])
@pytest.mark.parametrize("who", ["dev", "auditor"])
def test_list__ten_times_the_rows__same_queries_within_the_budget(world, address, who):
    client = world.program(who) if address.startswith("/api/") else world.person(who)
    few = statements(client, address)
    for number in range(30):
        tenant = a_tenant(f"team{number}", dev="developer")
        ledger.set_budget(tenant=tenant, amounts={"cpu": 1000}, by=None, at=timezone.now())
        kind = {"flavour": "kubernetes", "driver": "gitops", "address": "/nowhere", "environments": []}
        Cluster.objects.create(name=f"cluster{number}", dedicated_to=tenant, **kind)
    many = statements(client, address)
    # On pages also what the bell counts.
    assert len(few) == len(many) <= 8, many


@pytest.mark.parametrize("who", ["dev", "owner", "admin", "platform"])
@pytest.mark.parametrize("address", ["/tenants/claims", "/projects/{uid}", "/api/v1/tenants/claims"])
def test_detail__page_and_endpoint__within_the_budget(world, address, who):
    client = world.program(who) if address.startswith("/api/") else world.person(who)
    found = statements(client, address.format(uid=world.project.uid))
    # On pages also what the bell counts.
    assert len(found) <= 14, found


def test_listing__my_tenants_alone__with_projects_and_budget(world):
    ledger.set_budget(tenant=a_tenant("claims"), amounts={"cpu": 10_000}, by=None, at=timezone.now())
    shown = page(world.person("dev"), "/tenants")
    assert "claims" in shown and "motor" not in shown
    # One project in place, another held by the open request.
    assert "used 0 cores, held by other open requests 4 cores, limit 10 cores, 0% used, 40% after the change" in shown
    assert "Without limit: Memory 8 Gi · Storage 40 Gi · Pods 40" in shown
    assert "motor" in page(world.person("auditor"), "/tenants")


@pytest.mark.parametrize("who", ["stranger"])
def test_detail__of_another_tenant__as_if_there_were_none(world, who):
    shown = page(world.person(who), "/tenants/claims", 404)
    assert "claims-hidden" not in shown
    assert page(world.program(who), "/api/v1/tenants/claims", 404)
    assert page(world.person(who), "/tenants/nothing", 404)


@pytest.mark.parametrize("code", ["%00", "..", "x" * 300, "%F0%9F%A6%8A", "claims%0a", "a'--"])
def test_detail__hostile_code__404(world, code):
    client = world.person("auditor")
    client.raise_request_exception = False
    assert client.get(f"/tenants/{code}").status_code == 404


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("guest", set()),
        ("dev", {"new-project"}),
        ("owner", {"new-project", "tenant-quota", "change-tenant-members"}),
        ("admin", {"tenant-quota", "change-tenant-members"}),
        ("auditor", set()),
        ("platform", set()),
    ],
)
def test_detail__each_role__is_offered_what_it_may_ask(world, who, offered):
    shown = page(world.person(who), "/tenants/claims")
    kinds = ("new-project", "tenant-quota", "change-tenant-members")
    assert {kind for kind in kinds if f"/requests/new/{kind}?tenant=claims" in shown} == offered


def test_detail__budget_members_projects_and_open_requests__all_there(world):
    TenantBudget.objects.create(tenant=a_tenant("claims"), resource="cpu", amount=1000)
    shown = page(world.person("guest"), "/tenants/claims")
    for text in ("claims-hiddendev-dev", "Hidden imaging", "CPU 2 · Memory 4Gi", f"#{world.request.number}", "Viewer"):
        assert text in shown, text
    assert "-3 cores" in shown and "over the limit" in shown


def test_rest__tenant__numbers_in_the_smallest_units(world):
    ledger.set_budget(tenant=a_tenant("claims"), amounts={"cpu": 10_000}, by=None, at=timezone.now())
    told = world.program("dev").get("/api/v1/tenants/claims").json()
    assert told["budget"]["cpu"] == {"limit": 10_000, "settled": 0, "held": 4000, "left": 6000}
    assert told["budget"]["memory"] == {"limit": None, "settled": 0, "held": 8 * 1024**3, "left": None}
    assert (told["code"], "address" in str(told)) == ("claims", False)


def test_rest__size_plans__smallest_first(world):
    told = world.program("guest").get("/api/v1/size-plans").json()["items"]
    assert [plan["slug"] for plan in told] == ["s", "m", "l", "xl"]
    assert (told[0]["cpu_millicores"], told[0]["memory_bytes"]) == (2000, 4 * 1024**3)


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("guest", set()),
        ("dev", {"change-quota", "change-members"}),
        ("owner", {"change-quota", "change-members", "delete-project"}),
        ("admin", {"delete-project"}),
        ("auditor", set()),
    ],
)
def test_project__each_role__is_offered_what_it_may_ask(world, who, offered):
    shown = page(world.person(who), f"/projects/{world.project.uid}")
    kinds = ("change-quota", "change-members", "delete-project")
    assert {kind for kind in kinds if f"/requests/new/{kind}?project={world.project.uid}" in shown} == offered


def test_project__open_change_of_quota__drawn_and_nothing_else_offered(world):
    # More than the policy lets through by itself.
    request = change_quota(world, cpu="9")
    assert request.state == "submitted"
    shown = page(world.person("owner"), f"/projects/{world.project.uid}")
    assert "limit now 2 cores, new limit 9 cores" in shown
    assert f'<a href="/requests/{request.number}">Request #{request.number}</a> asks for the limits' in shown
    assert "nothing else can be asked" in shown and "/requests/new/change-quota" not in shown


def test_project__made_by_size_and_adopted__said(world):
    Project.objects.update(size="m", adopted=True, parts=["quota", "network"])
    shown = page(world.person("dev"), f"/projects/{world.project.uid}")
    assert "Medium (M)" in shown and "quota, network policies" in shown
    assert "change-members?project" not in shown


def test_project__to_be_deleted__nothing_offered(world):
    project = world.project
    request = Request.objects.get(uid=project.uid)
    Deletion.objects.create(project=project, request=request, due_from=timezone.now(), due_at=timezone.now())
    shown = page(world.person("owner"), f"/projects/{project.uid}")
    assert "/requests/new/change-quota" not in shown


def test_form__change_quota_from_the_project__filled_in_asked_and_followed(world):
    dev = world.person("dev")
    address = f"/requests/new/change-quota?project={world.project.uid}"
    shown = page(dev, address)
    assert 'value="4Gi"' in shown and "Hidden imaging (claims-hiddendev-dev)" in shown
    fields = {"project": str(world.project.uid), "cpu": "1", "memory": "1Gi", "storage": "0", "pods": "3"}
    response = dev.post("/requests/new/change-quota", fields)
    assert response.status_code == 302, response.content.decode()
    request = Request.objects.get(kind="change-quota")
    assert (request.state, response.url) == ("approved", f"/requests/{request.number}")
    shown = page(dev, f"/requests/{request.number}")
    assert "2 → 1" in shown


def test_form__change_quota_with_faults__shown_again_with_the_fields_marked(world):
    fields = {"project": str(world.project.uid), "cpu": "1e9999", "memory": "NaN", "storage": "0", "pods": "3"}
    response = world.person("dev").post("/requests/new/change-quota", fields)
    shown = response.content.decode()
    assert response.status_code == 422
    assert 'id="id_cpu-error"' in shown and 'id="id_memory-error"' in shown


PREVIEWS = ["cpu=9", "cpu=%00", "size=m", "size=%00", "pods=x", "pods=-1", "memory=1e9999", "project=%00", ""]


@pytest.mark.parametrize("query", PREVIEWS)
@pytest.mark.parametrize("kind", ["change-quota", "tenant-quota"])
def test_preview__whatever_is_typed__answered(world, kind, query):
    client = world.person("owner")
    client.raise_request_exception = False
    about = f"project={world.project.uid}" if kind == "change-quota" else "tenant=claims"
    typed = QueryDict(f"{about}&{query}")
    checked = client.post(f"/requests/new/{kind}/check", typed.dict(), headers={"HX-Request": "true"})
    shown = client.get(f"/requests/new/{kind}?{typed.urlencode()}")
    assert (checked.status_code, shown.status_code) == (200, 200), query


def test_preview__change_quota__shows_what_it_comes_to_and_nothing_to_strangers(world):
    address, typed = "/requests/new/change-quota/check", {"project": world.project.uid, "size": "m"}
    shown = world.person("dev").post(address, typed, headers={"HX-Request": "true"}).content.decode()
    assert "limit now 2 cores, new limit 4 cores" in shown and "Budget of tenant claims" in shown
    shown = world.person("stranger").post(address, typed, headers={"HX-Request": "true"}).content.decode()
    assert "claims" not in shown


def test_form__tenant_quota__asked_decided_and_seen(world):
    owner = world.person("owner")
    shown = page(owner, "/requests/new/tenant-quota?tenant=claims")
    assert "claims (claims)" in shown
    response = owner.post("/requests/new/tenant-quota", {"tenant": "claims", "cpu": "64", "pods": "500"})
    assert response.status_code == 302, response.content.decode()
    request = Request.objects.get(kind="tenant-quota")
    shown = page(owner, f"/requests/{request.number}")
    assert "no limit → 64" in shown and "TenantBudget" in shown


def test_rest__change_quota__asked_and_refused_with_pointers(world):
    values = {"project": str(world.project.uid), "cpu": "1", "memory": "nothing", "storage": "0", "pods": 3}
    client = world.program("dev")
    body = {"kind": "change-quota", "values": values}
    refused = client.post("/api/v1/requests", body, content_type="application/json")
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/memory"]
    body["values"]["memory"] = "1Gi"
    assert client.post("/api/v1/requests", body, content_type="application/json").status_code == 201


def test_project__of_another_tenant__asked_for_by_its_uid__not_told(world):
    response = world.person("stranger").get(f"/requests/new/change-quota?project={world.project.uid}")
    assert "Hidden" not in response.content.decode() and "claims" not in response.content.decode()
