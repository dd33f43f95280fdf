"""Adding a kind as docs/adding-a-kind.md says: its code, one line in the settings, and it is there everywhere."""

import re
import sys
import types
from pathlib import Path

import pytest
from django.utils import timezone

from clusters.models import Bundle
from portal.document_api import document
from script.local import ROOT
from tenants.models import Project
from work.tasks import drive
from workflow import kinds, queries
from workflow.models import Request

pytestmark = pytest.mark.django_db
MODULE = "kind_from_the_docs"


def _forget():
    """What a process finds out once about the kinds there are."""
    kinds.all_kinds.cache_clear()
    document.cache_clear()


@pytest.fixture
def added(settings):
    """The code of the page as a module, named in the settings."""
    page = (Path(ROOT) / "docs" / "adding-a-kind.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.S)[1]
    module = types.ModuleType(MODULE)
    exec(compile(code, "docs/adding-a-kind.md", "exec"), module.__dict__)
    sys.modules[MODULE] = module
    settings.REQUEST_KINDS = [*settings.REQUEST_KINDS, f"{MODULE}.RenameProject"]
    _forget()
    yield kinds.kind_of("rename-project")
    _forget()
    del sys.modules[MODULE]


@pytest.fixture
def project(added, people, ask) -> Project:
    ask(name="imaging", environment="dev")
    drive("clusters.Bundle", Bundle.objects.get().pk)
    return Project.objects.get()


def test_added_kind__by_rest__planned_decided_and_applied(project, people, program, committed):
    values = {"project": str(project.uid), "display_name": "Pictures of claims"}
    made = program("dev").post("/api/v1/requests", {"kind": "rename-project", "values": values}, "application/json")
    assert made.status_code == 201, made.content
    number = made.json()["number"]
    plan = program("platform").get(f"/api/v1/requests/{number}/plan").json()
    changed = [change for change in plan["changes"] if change["action"] != "keep"]
    assert [(c["ref"]["kind"], c["fields"]) for c in changed] == [
        (
            "Namespace",
            [["metadata.annotations.portal.cloud/display-name", "Claims imaging", "Pictures of claims"]],
        )
    ]
    said = {"verdict": "approve", "plan_digest": plan["digest"]}
    decided = program("platform").post(f"/api/v1/requests/{number}/decision", said, "application/json")
    assert decided.json()["state"] == "approved"
    drive("clusters.Bundle", project.bundle_id)
    namespace = next(m for m in committed().values() if m["kind"] == "Namespace")
    assert namespace["metadata"]["annotations"]["portal.cloud/display-name"] == "Pictures of claims"
    assert Project.objects.get().display_name == "Pictures of claims"


def test_added_kind__by_form__asked_and_shown_to_who_decides(project, people, client):
    client.force_login(people["dev"], backend="accounts.backends.DirectoryBackend")
    address = "/requests/new/rename-project"
    form = client.get(f"{address}?project={project.uid}").content.decode()
    assert "Rename a project" in form and str(project.uid) in form
    sent = client.post(address, {"project": str(project.uid), "display_name": "Pictures", "idempotency_key": "k"})
    assert sent.status_code == 302, sent.content.decode()[:2000]
    request = Request.objects.get(kind="rename-project")
    client.force_login(people["platform"], backend="accounts.backends.DirectoryBackend")
    page = client.get(sent.url).content.decode()
    assert "Pictures" in page and "display-name" in page
    assert list(queries.inbox_of(people["platform"], timezone.now())) == [request]


@pytest.mark.parametrize("uid", ["nonsense", "00000000-0000-0000-0000-000000000000", "a\0b", ""])
def test_added_kind__hostile__refused_by_its_schema_and_check(added, people, program, uid):
    body = {"kind": "rename-project", "values": {"project": uid, "display_name": "x"}}
    answer = program("dev").post("/api/v1/requests", body, "application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/project"


def test_added_kind__api_document__has_its_fields(added, people, program):
    document = program("dev").get("/api/v1/openapi.json").json()
    assert set(document["components"]["schemas"]["RenameProjectValues"]["properties"]) == {"project", "display_name"}
