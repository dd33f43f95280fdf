"""A project's removal: planned with a grace period, called off, begun and ended."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.models import Bundle
from tenants import ledger, queries
from tenants.models import Deletion, Project
from tenants.services.projects import locked_project
from tenants.services.tenant_quotas import drop_quota
from tenants.services.tenants import may_manage
from web.errors import Conflict, Forbidden, NotFound
from web.sentences import Sentence
from workflow.models import Request
from workflow.services import outcomes


class TooLate(Conflict):
    """The removal has begun."""

    code = "too-late"


def grace_of(environment: str) -> timedelta:
    """How long a removal in this environment can be called off after its approval."""
    return timedelta(hours=settings.PROJECT_GRACE_HOURS[environment])


def plan_deletion(*, project: str, request: Request, by: User | None, at: datetime) -> Deletion:
    """The removal of the project (its uid) after an approved request, in its transaction; it begins when the grace
    period is over. Raises Conflict if the project is gone or about to go."""
    locked = locked_project(project)
    due_from = at + grace_of(locked.environment)
    deletion = Deletion.objects.create(
        project=locked, request=request, due_from=due_from, due_at=due_from, lane=locked.bundle.cluster.name
    )
    _record(deletion, "plan-deletion", by, at, {"due_from": due_from.isoformat()})
    return deletion


@transaction.atomic
def call_off(*, project: UUID, by: User, at: datetime) -> Deletion:
    """Calls off the planned removal of the project (its uid). Raises NotFound, Forbidden, TooLate once it has begun,
    Conflict where none is planned."""
    found = queries.projects_visible_to(by).filter(uid=project).first()
    if found is None:
        raise NotFound(_("There is no such project."))
    pending = queries.pending_deletion(found)
    # Whoever may not call anything off is not told whether there is something.
    if not may_call_off(found, pending, by):
        raise Forbidden(_("Only owners of the tenant, administrators and who asked can call this off."))
    deletion = None if pending is None else _locked(pending.pk)
    if deletion is None or deletion.called_off_at is not None:
        raise Conflict(_("No deletion of %(name)s is planned.") % {"name": found.namespace})
    if deletion.started_at is not None:
        raise TooLate(_("The deletion of %(name)s has begun and cannot be called off.") % {"name": found.namespace})
    deletion.called_off_at, deletion.called_off_by, deletion.due_at, deletion.message = at, by, None, None
    deletion.save(update_fields=["called_off_at", "called_off_by", "due_at", "message"])
    _record(deletion, "call-off-deletion", by, at, {})
    return deletion


def may_call_off(project: Project, pending: Deletion | None, user: User) -> bool:
    """Whether the person could call the removal off, as far as they are concerned: owners of the tenant,
    administrators, who asked for it, and the owner of the service account that did."""
    asked = pending is not None and user.pk in (pending.request.asker_id, pending.request.asker.owner_id)
    return asked or may_manage(project.tenant, user)


def begin(*, deletion: int, at: datetime) -> None:
    """Makes nothing wanted of the project's bundle, in the caller's transaction, unless the removal (its pk) was called
    off meanwhile. What the project holds is given back once the cluster has removed it."""
    locked = _locked(deletion)
    if locked.called_off_at is not None or locked.started_at is not None:
        return
    bundle = Bundle.objects.select_for_update(of=("self",)).get(pk=locked.project.bundle_id)
    revision = outcomes.set_desired(locked.request, bundle=bundle, manifests=[], state={}, by=None, at=at)
    ledger.give_back(bundle, revision.number)
    locked.started_at, locked.message = at, None
    locked.save(update_fields=["started_at", "message"])
    _record(locked, "begin-deletion", None, at, {"revision": revision.number})


def end(*, deletion: int, at: datetime) -> None:
    """Writes down, in the caller's transaction, that the cluster has the project no longer: its name is free, and with
    the tenant's last project in a cluster its quota there goes too."""
    locked = _locked(deletion)
    if locked.done_at is not None:
        return
    Project.objects.filter(pk=locked.project_id).update(gone_at=at)
    locked.done_at, locked.message = at, None
    locked.save(update_fields=["done_at", "message"])
    _record(locked, "delete", None, at, {"namespace": locked.project.namespace})
    project = locked.project
    drop_quota(request=locked.request, tenant=project.tenant, cluster=project.bundle.cluster, at=at)


def note(*, deletion: int, sentence: Sentence | None) -> None:
    """What keeps the removal from going on; None: nothing."""
    Deletion.objects.filter(pk=deletion).update(message=sentence.stored() if sentence else None)


def _locked(pk: int) -> Deletion:
    rows = Deletion.objects.select_for_update(of=("self",))
    return rows.select_related("project__tenant", "project__bundle__cluster", "request__asker", "request__policy").get(
        pk=pk
    )


def _record(deletion: Deletion, verb: str, by: User | None, at: datetime, after: dict[str, object]) -> None:
    project = deletion.project
    audit.record(
        actor=by,
        action=f"project.{verb}",
        subject=f"project:{project.uid}",
        tenant=project.tenant.code,
        after={"request": deletion.request_id, **after},
        at=at,
    )
