"""A client that a program generated from docs/openapi.json does the main job with types, and is told what is wrong."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from script.local import ROOT
from tests.waiting import eventually

PACKAGE = "portal_client"
# JSON lines are no media type that the generator knows; they are text to it.
OVERRIDES = {"application/jsonl": "text/plain"}
NAMES = {"project_name_override": PACKAGE, "package_name_override": PACKAGE}
CONFIGURATION = {**NAMES, "content_type_overrides": OVERRIDES, "post_hooks": []}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the generator said; the package it wrote can be imported meanwhile."""
    folder: Path = tmp_path_factory.mktemp("generated")
    # JSON is YAML.
    (folder / "configuration.yaml").write_text(json.dumps(CONFIGURATION))
    program = Path(sys.executable).with_name("openapi-python-client")
    where = ["--path", ROOT / "docs" / "openapi.json", "--output-path", folder / PACKAGE]
    how = ["--meta", "none", "--config", folder / "configuration.yaml", "--fail-on-warning"]
    done = subprocess.run([program, "generate", *where, *how], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield done.stdout + done.stderr
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def part(name: str) -> ModuleType:
    """A module of the generated package: part("api.requests.requests_create")."""
    return importlib.import_module(f"{PACKAGE}.{name}")


class Person:
    """Somebody who calls the portal through the generated client alone."""

    def __init__(self, address: str, username: str, *scopes: str) -> None:
        user, at = User.objects.get(username=username), timezone.now()
        _row, token = issue_token(user=user, name="generated", scopes=list(scopes), days=1, by=user, at=at)
        known = {"base_url": address, "token": token, "raise_on_unexpected_status": True}
        self._client = part("client").AuthenticatedClient(**known, headers={"Accept-Language": "en"})

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """The parsed answer; a status that the document does not say is an exception."""
        return part(f"api.{name}").sync(*arguments, client=self._client, **options)


def wish(name: str, **changes: Any) -> Any:
    models = part("models")
    size = {"environment": "test", "cpu": "1", "memory": "1Gi", "storage": "0", "pods": 5} | changes
    values = {"tenant": "claims", "name": name, "display_name": "Generated", "environments": [size]}
    return models.NewProject.from_dict({"kind": "new-project", "values": values})


def is_problem(answer: Any, status: int, kind: str) -> bool:
    return isinstance(answer, part("models").Problem) and (answer.status, answer.type_) == (
        status,
        f"urn:portal:problem:{kind}",
    )


def test_generator__the_document__has_nothing_to_warn_of(generated: str) -> None:
    assert "warning" not in generated.lower()
    operations = [o for path in json.loads((ROOT / "docs/openapi.json").read_text())["paths"].values() for o in path]
    modules = [path for path in (Path(part("api").__file__ or "").parent).rglob("*.py") if path.stem != "__init__"]
    assert len(modules) == len(operations)


@pytest.mark.usefixtures("generated")
@pytest.mark.django_db(transaction=True)
def test_client__main_job__typed_from_the_wish_to_the_commit(portal, gitops_cluster, sign_in, unique):
    portal.start("web", "worker", "dispatch")
    for who in ("dev", "platform"):
        sign_in(who)
    dev = Person(portal.url, "dev", "read", "request")
    approver = Person(portal.url, "platform", "read", "decide")
    name, models = unique("gen"), part("models")

    made = dev.call("requests.requests_create", body=wish(name), idempotency_key=name)
    assert isinstance(made, models.RequestDetail) and made.state == "submitted"
    again = dev.call("requests.requests_create", body=wish(name), idempotency_key=name)
    assert again.number == made.number

    [waiting] = approver.call("inbox.inbox_list").items
    assert waiting.number == made.number and waiting.due_at > made.submitted_at
    plan = approver.call("requests.requests_plan", made.number)
    assert isinstance(plan, models.Plan) and plan.digest == waiting.plan_digest
    told = approver.call(
        "requests.requests_decide", made.number, body=models.Decision.from_dict({"verdict": "approve"})
    )
    assert is_problem(told, 409, "plan-changed")
    decision = models.Decision.from_dict({"verdict": "approve", "plan_digest": plan.digest})
    decided = approver.call("requests.requests_decide", made.number, body=decision)
    assert isinstance(decided, models.RequestDetail) and decided.state == "approved"

    def settled() -> Any:
        progress = dev.call("requests.requests_get", made.number).progress
        return progress if progress and progress.state == "committed" else None

    assert len(eventually(settled, 30, "committed").commit) == 40
    [project] = dev.call("projects.projects_list").items
    assert isinstance(project, models.Project) and project.namespace == f"claims-{name}-test"


@pytest.mark.usefixtures("generated")
@pytest.mark.django_db(transaction=True)
def test_client__refused__the_problem_is_typed_and_names_the_field(portal, gitops_cluster, sign_in, unique):
    portal.start("web")
    sign_in("dev")
    dev = Person(portal.url, "dev", "read", "request")
    told = dev.call("requests.requests_create", body=wish(unique("gen"), cpu="two"))
    assert is_problem(told, 422, "invalid")
    assert [error.pointer for error in told.errors] == ["/environments/0/cpu"]
    assert "is not a quantity" in told.errors[0].detail
    missing = dev.call("requests.requests_get", 987654321)
    assert is_problem(missing, 404, "not-found")
    reader = Person(portal.url, "dev", "read")
    assert is_problem(reader.call("requests.requests_create", body=wish(unique("gen"))), 403, "permission-denied")
