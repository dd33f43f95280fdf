"""A web process that is killed between a deed and its answer: sent again, the call happens once."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.utils import timezone

from accounts.models import KeptAnswer
from accounts.services import issue_token
from tests.builders import a_user, wish
from tests.waiting import eventually
from workflow.models import Comment, Request
from workflow.services import submit

pytestmark = pytest.mark.django_db(transaction=True)
PLACE = "before-answer-kept"


class Program:
    """Calls the portal with one key, in the background, as its answer may never come."""

    def __init__(self, portal) -> None:
        user, scopes = a_user("dev"), ["read", "request"]
        secret = issue_token(user=user, name="t", scopes=scopes, days=1, by=user, at=timezone.now())[1]
        self._portal = portal
        self._headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
        self._pool = ThreadPoolExecutor(1)

    def begin(self, path: str, body: dict) -> Future:
        return self._pool.submit(self.call, path, body)

    def call(self, path: str, body: dict) -> requests.Response:
        return requests.post(f"{self._portal.url}/api/v1/{path}", json=body, headers=self._headers, timeout=60)


@pytest.fixture
def killed(portal, tmp_path: Path):
    """Calls, and kills the web process once the deed is done and before its answer is kept."""
    folder = tmp_path / "failpoints"
    folder.mkdir()

    def kill(program: Program, path: str, body: dict) -> None:
        (folder / PLACE).touch()
        portal.start("web", PORTAL_FAILPOINT_FOLDER=str(folder))
        told = program.begin(path, body)
        eventually((folder / f"{PLACE}.reached").exists)
        portal.kill("web")
        assert told.exception(30) is not None
        assert KeptAnswer.objects.get().status is None
        portal.start("web")

    return kill


def dead_for_long():
    """As if a minute had passed."""
    KeptAnswer.objects.update(claimed_until=timezone.now())


def test_request__killed_after_it_was_made__sent_again_it_is_the_same(portal, gitops_cluster, killed):
    program, body = Program(portal), {"kind": "new-project", "values": wish()}
    killed(program, "requests", body)
    made = Request.objects.get()
    assert program.call("requests", body).json()["type"] == "urn:portal:problem:in-progress"
    dead_for_long()
    again = program.call("requests", body)
    assert (again.status_code, again.json()["number"]) == (201, made.number)
    assert program.call("requests", body).headers["Idempotency-Replayed"] == "true"
    assert Request.objects.count() == 1


def test_comment__killed_before_its_answer_was_kept__sent_again_it_is_said_once(portal, gitops_cluster, killed):
    program = Program(portal)
    number = submit(kind="new-project", values=wish(), by=a_user("dev"), at=timezone.now()).number
    killed(program, f"requests/{number}/comments", {"text": "Hello"})
    # The deed and its answer are one transaction, of which nothing is left.
    eventually(lambda: not Comment.objects.exists())
    dead_for_long()
    assert program.call(f"requests/{number}/comments", {"text": "Hello"}).status_code == 201
    assert Comment.objects.count() == 1
