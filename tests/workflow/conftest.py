"""People around the tenant claims, and the shortest way to ask and to decide."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import User
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
