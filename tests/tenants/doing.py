"""What tests about projects do again and again: have one made, drive work, decide."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from clusters.models import Bundle
from tenants.models import Project
from tests.builders import a_tenant, a_user, ready_portal, wish
from tests.waiting import eventually
from web.sentences import shown
from work.models import WorkItem
from work.tasks import drive
from workflow import queries
from workflow.models import Request
from workflow.services import decide, submit


def everybody(stranger: str = "owner") -> dict[str, User]:
    """The people of a portal that is set up: of the tenant claims dev, owner and guest, of motor the stranger in the
    role given, and the portal's own auditor, admin and platform."""
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger=stranger)
    names: dict[str, tuple[str, ...]] = {"dev": (), "owner": (), "guest": (), "stranger": ()}
    names |= {"auditor": ("auditor",), "admin": ("administrator",), "platform": ("approver:platform",)}
    return {name: a_user(name, *roles) for name, roles in names.items()}


def made(by: User, **changes: Any) -> Project:
    """A project in development, which the policies approve at once, and which its cluster has."""
    request = submit(kind="new-project", values=wish(environment="dev") | changes, by=by, at=timezone.now())
    project = Project.objects.get(uid=request.uid)
    eventually(lambda: arrived(project.bundle), 60, "the project is in its cluster")
    return project


def asked(kind: str, by: User, **values: Any) -> Request:
    """A request of this kind."""
    return submit(kind=kind, values=values, by=by, at=timezone.now())


def approved(request: Request, by: User) -> Request:
    """The request after an approval of its newest plan."""
    plan = queries.newest_plan(request)
    assert plan is not None
    return decide(number=request.number, verdict="approve", note="", plan_digest=plan.digest, by=by, at=timezone.now())


def drive_now(item: WorkItem) -> None:
    """One pass, now, if one is due at all; the row is read again."""
    model = type(item)
    waiting = model._default_manager.filter(pk=item.pk, due_at__isnull=False)
    waiting.update(due_at=timezone.now(), lease_until=None, lease_owner=None)
    drive(model._meta.label, item.pk)
    item.refresh_from_db()


def arrived(bundle: Bundle) -> bool:
    """Drives the bundle once; whether its cluster has what is wanted."""
    drive_now(bundle)
    assert not bundle.blocked, shown(bundle.message)
    return bundle.observed_generation == bundle.generation
