"""Drift on pages and in the API: shown, brought back by a button, and never to who may not see it."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Bundle, DriftCheck
from clusters.services import create_bundle
from tests.builders import a_bundle
from tests.clusters.doing import compared, created
from tests.portal.walk import World, build
from tests.tenants.doing import everybody, made
from web.sentences import Sentence

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(gitops_cluster) -> World:
    built = build()
    bundle = built.project.bundle
    Bundle.objects.filter(pk=bundle.pk).update(observed_generation=bundle.generation)
    return built


def finding(**changes: Any) -> dict[str, Any]:
    ref = {"api_version": "v1", "kind": "ResourceQuota", "namespace": "claims-a-dev", "name": "portal-quota"}
    made = {"ref": ref, "sort": "changed", "place": "", "fields": [["spec.hard.pods", "99", "20"]], "uid": "u"}
    made |= {"by": "kubectl-edit", "at": "2026-11-20T08:00:00Z", "since": timezone.now().isoformat()}
    return made | {"refused": None, "held_back": None} | changes


def found(bundle: Bundle, *findings: dict[str, Any], **changes: Any) -> DriftCheck:
    now = timezone.now()
    fields = {"found": list(findings), "found_at": now if findings else None, "checked_at": now}
    return DriftCheck.objects.update_or_create(bundle=bundle, defaults=fields | changes)[0]


def page(client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


def foreign(name: str = "allow-all") -> dict[str, Any]:
    ref = {"api_version": "networking.k8s.io/v1", "kind": "NetworkPolicy", "namespace": "claims-a-dev", "name": name}
    return finding(ref=ref, sort="foreign", fields=[], by="kubectl-create")


# On a real API server, from kubectl to the page


def test_drift__made_with_kubectl__on_the_projects_page_the_drift_page_and_in_the_api(
    real_cluster, directory, kubectl, client, unique
):
    people = everybody()
    project = made(people["dev"], name=f"d{unique('x')[2:]}")
    name = project.namespace
    patch = json.dumps({"spec": {"hard": {"pods": "99"}}})
    kubectl("patch", "quota", "portal-quota", f"-n={name}", "--type=merge", f"--patch={patch}")
    spec = {"podSelector": {}, "ingress": [{}], "policyTypes": ["Ingress"]}
    meta = {"name": "allow-all", "namespace": name}
    created(kubectl, {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec})
    compared(project.bundle)
    client.force_login(people["dev"], backend="accounts.backends.DirectoryBackend")
    shown = page(client, f"/projects/{project.uid}")
    assert "1 object differs from what was approved" in shown and "1 object is not the portal&#x27;s" in shown
    assert f"/bundles/{project.bundle.uid}/drift" in shown
    shown = page(client, f"/bundles/{project.bundle.uid}/drift")
    for text in ("spec.hard.pods: 99", "spec.hard.pods: 20", "by kubectl-patch", "allow-all", "by kubectl-create"):
        assert text in shown, text
    answer = client.get(f"/api/v1/bundles/{project.bundle.uid}/drift").json()
    changed, theirs = answer["findings"]
    assert changed["differences"] == [{"path": "spec.hard.pods", "live": "99", "wanted": "20"}]
    assert (changed["by"], changed["sort"], theirs["sort"], theirs["name"]) == (
        "kubectl-patch",
        "changed",
        "foreign",
        "allow-all",
    )
    response = client.post(f"/bundles/{project.bundle.uid}/repair", follow=True)
    assert "What differs is being brought back." in response.content.decode()
    assert project.bundle.revisions.first().provenance["repair"]["by"] == "dev"


# Pages


def test_page__nothing_found__says_so_and_offers_nothing(world):
    found(world.project.bundle)
    shown = page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")
    assert "Everything the portal keeps is as it was approved." in shown
    assert "Bring back" not in shown
    assert "Drift" not in page(world.person("dev"), f"/projects/{world.project.uid}")


def test_page__not_compared_yet__says_so(world):
    DriftCheck.objects.all().delete()
    assert "It was not compared yet." in page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")


@pytest.mark.parametrize(
    ("who", "offered"),
    [("dev", True), ("owner", True), ("platform", True), ("admin", True), ("guest", False), ("auditor", False)],
)
def test_page__by_role__button_only_for_who_may(world, who, offered):
    found(world.project.bundle, finding())
    shown = page(world.person(who), f"/bundles/{world.project.bundle.uid}/drift")
    assert ("Bring back what was approved" in shown) is offered
    assert "spec.hard.pods: 99" in shown


def test_page__only_objects_of_others__listed_without_a_button(world):
    found(world.project.bundle, foreign())
    shown = page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")
    assert "allow-all" in shown and "The portal never touches these." in shown
    assert "Bring back" not in shown


def test_page__cluster_would_refuse__reason_instead_of_the_button(world):
    reason = Sentence("The cluster says: %(message)s", {"message": "no label"}).stored()
    found(world.project.bundle, finding(refused=reason))
    shown = page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")
    assert "It cannot be brought back: The cluster says: no label" in shown
    assert "Bring back what was approved" not in shown


def test_page__change_under_way__reason_instead_of_the_button(world):
    found(world.project.bundle, finding())
    Bundle.objects.update(observed_generation=0)
    shown = page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")
    assert "A change is under way" in shown and "Bring back what was approved" not in shown


def test_page__could_not_be_compared__said_beside_what_was_found_before(world):
    problem = Sentence("The cluster did not answer in time.").stored()
    found(world.project.bundle, finding(), problem=problem)
    shown = page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")
    assert "The cluster did not answer in time." in shown and "spec.hard.pods: 99" in shown


def test_page__what_others_wrote_is_markup__escaped(world):
    evil = "<script>alert(1)</script>"
    found(world.project.bundle, finding(by=evil, fields=[[evil, evil, None]]), foreign(evil))
    shown = page(world.person("dev"), f"/bundles/{world.project.bundle.uid}/drift")
    assert evil not in shown and "&lt;script&gt;" in shown


def test_repair_page__nothing_to_repair__told_on_the_page(world):
    found(world.project.bundle)
    response = world.person("dev").post(f"/bundles/{world.project.bundle.uid}/repair", follow=True)
    assert "Nothing differs from what was approved" in response.content.decode()


# The API


def test_api_drift__by_role__only_what_one_may_see_and_only_what_differs(world):
    other = a_bundle(cluster=world.project.bundle.cluster)
    found(world.project.bundle, finding())
    found(other)
    answer = world.program("dev").get("/api/v1/drift").json()
    assert [item["bundle"] for item in answer["items"]] == [str(world.project.bundle.uid)]
    assert answer["items"][0]["found_at"] and answer["next"] == ""
    assert world.program("stranger").get("/api/v1/drift").json()["items"] == []
    assert len(world.program("auditor").get("/api/v1/drift").json()["items"]) == 1


def test_api_drift__pages__each_bundle_once(world):
    cluster, tenant = world.project.bundle.cluster, world.project.tenant
    for number in range(5):
        owner = f"instance:{number}"
        found(create_bundle(cluster=cluster, tenant_id=tenant.pk, owner=owner, namespace="claims-a-dev"), finding())
    seen, after = [], ""
    while True:
        answer = world.program("dev").get(f"/api/v1/drift?limit=2&after={after}").json()
        seen += [item["bundle"] for item in answer["items"]]
        after = answer["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 5


def test_api_drift__three_or_thirty_bundles__as_many_queries(world):
    cluster, tenant = world.project.bundle.cluster, world.project.tenant
    client = world.program("dev")

    def cost(count: int) -> int:
        for number in range(count):
            owner = f"instance:{count}-{number}"
            found(create_bundle(cluster=cluster, tenant_id=tenant.pk, owner=owner, namespace="claims-a-dev"), finding())
        client.get("/api/v1/drift")
        with CaptureQueriesContext(connection) as captured:
            client.get("/api/v1/drift")
        return len(captured)

    assert cost(3) == cost(30)


def test_api_repair__answers_the_revision_then_conflict(world):
    found(world.project.bundle, finding())
    address = f"/api/v1/bundles/{world.project.bundle.uid}/repair"
    answer = world.program("dev").post(address)
    assert (answer.status_code, answer.json()) == (201, {"bundle": str(world.project.bundle.uid), "revision": 2})
    again = world.program("dev").post(address)
    assert again.status_code == 409 and "under way" in again.json()["detail"]


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("request", 201)])
def test_api_repair__token_by_scope__only_one_that_may_write(world, scope, status):
    found(world.project.bundle, finding())
    assert world.token("dev", scope).post(f"/api/v1/bundles/{world.project.bundle.uid}/repair").status_code == status


def test_api_drift__nobody_signed_in__refused(world, client):
    assert client.get("/api/v1/drift").status_code == 401
    assert client.post(f"/api/v1/bundles/{world.project.bundle.uid}/repair").status_code == 401
