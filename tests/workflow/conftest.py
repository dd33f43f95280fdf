"""People around the tenant claims, and the shortest way to ask and to decide."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from tests.builders import a_tenant, a_user, ready_portal, wish
from workflow import queries
from workflow.models import Request
from workflow.services import decide, submit

ROLES = {
    "dev": (),
    "owner": (),
    "guest": (),
    "stranger": (),
    "auditor": ("auditor",),
    "admin": ("administrator",),
    "platform": ("approver:platform",),
    "second": ("approver:platform",),
    "datacenter": ("approver:datacenter",),
    "security": ("approver:security",),
}


@pytest.fixture
def people(gitops_cluster) -> dict[str, User]:
    """Everybody of the portal; a GitOps cluster takes all environments."""
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger="developer")
    return {name: a_user(name, *roles) for name, roles in ROLES.items()}


@pytest.fixture
def ask(people) -> Callable[..., Request]:
    """Asks for a new project, as dev unless somebody else is named."""

    def asked(by: str = "dev", **changes: object) -> Request:
        return submit(kind="new-project", values=wish(**changes), by=people[by], at=timezone.now())

    return asked


@pytest.fixture
def say(people) -> Callable[..., Request]:
    """Decides a request on its newest plan."""

    def said(request: Request, by: str, verdict: str = "approve", note: str = "", digest: str | None = None) -> Request:
        plan = queries.newest_plan(request)
        seen = (plan.digest if plan else "") if digest is None else digest
        at = timezone.now()
        return decide(number=request.number, verdict=verdict, note=note, plan_digest=seen, by=people[by], at=at)

    return said


@pytest.fixture
def browse(people) -> Callable[[str], Client]:
    """A browser in which the person is signed in: `browse("dev")`."""

    def signed_in(who: str) -> Client:
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(people[who], backend="accounts.backends.DirectoryBackend")
        return client

    return signed_in


@pytest.fixture
def program(people) -> Callable[..., Client]:
    """A program with the person's token: `program("dev", "read")`; all scopes unless some are named."""

    def with_token(who: str, *scopes: str) -> Client:
        wanted, at = list(scopes or ("read", "request", "decide")), timezone.now()
        _token, text = issue_token(user=people[who], name="t", scopes=wanted, days=1, by=people[who], at=at)
        return Client(headers={"Accept-Language": "en", "Authorization": f"Bearer {text}"})

    return with_token
