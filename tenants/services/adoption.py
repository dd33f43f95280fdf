"""Adopting namespaces after an approved request: their projects, bundles and claims, hundreds as quickly as one."""

from datetime import datetime
from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import services as fleet
from clusters.models import Bundle
from tenants import adoption, figures, ledger
from tenants.models import Project, ProjectMember, Tenant
from tenants.services.tenant_quotas import keep_quotas
from web.errors import Conflict
from workflow.kinds import kind_of
from workflow.models import Request
from workflow.services import outcomes


def project_uid(request: Request, namespace: str) -> UUID:
    """What the namespace's project will be called, before there is one."""
    return uuid5(UUID(str(request.uid)), namespace)


def adopt(*, request: Request, by: User | None, at: datetime) -> None:
    """Makes projects of the namespaces that the approved request found, in its transaction, in as many statements for
    hundreds as for one. Raises Conflict where the cluster no longer takes one of them."""
    assert request.cluster is not None
    found, take = request.values["found"], request.values["take"]
    rows = found["namespaces"]
    tenants = {tenant.code: tenant for tenant in Tenant.objects.filter(code__in={row["tenant"] for row in rows})}
    _check_places(request, tenants)
    uids = [project_uid(request, row["namespace"]) for row in rows]
    owners = [
        (tenants[row["tenant"]].pk, f"project:{uid}", row["namespace"]) for row, uid in zip(rows, uids, strict=True)
    ]
    bundles = fleet.create_bundles(cluster=request.cluster, owners=owners)
    fleet.remember_adopted(
        (bundle, adoption.reference_of(row), row["uid"]) for bundle, row in zip(bundles, rows, strict=True)
    )
    projects = Project.objects.bulk_create(
        _project(request, row, uid, tenants[row["tenant"]], bundle, at)
        for row, uid, bundle in zip(rows, uids, bundles, strict=True)
    )
    ProjectMember.objects.bulk_create(
        ProjectMember(project=project, subject=subject, role=role)
        for project in projects
        for subject, role in found["members"].get(project.tenant.code, [])
    )
    aims, kind = [], kind_of(request.kind)
    for row, uid, bundle in zip(rows, uids, bundles, strict=True):
        owner = request.asker.username
        state = adoption.state_of(request.cluster, row, found["members"], take, project=str(uid), owner=owner)
        aims.append(fleet.Aim(bundle, kind.rendered(state), state))
    revisions = outcomes.set_desired_many(request, aims=aims, by=by, at=at)
    grants = [
        (bundle, revision.number, figures.of(row))
        for bundle, revision, row in zip(bundles, revisions, rows, strict=True)
    ]
    ledger.grant_many(request, grants)
    for _code, tenant in sorted(tenants.items()):
        keep_quotas(request=request, tenant=tenant, clusters=[request.cluster], by=by, at=at)
    _record(request, projects, by, at)


def _check_places(request: Request, tenants: dict[str, Tenant]) -> None:
    """The cluster may have been given to a tenant, or taken from an environment, since it was asked."""
    cluster = request.cluster
    assert cluster is not None
    for row in request.values["found"]["namespaces"]:
        if row["environment"] not in cluster.environments or cluster.dedicated_to_id not in (
            None,
            tenants[row["tenant"]].pk,
        ):
            words = {"cluster": cluster.name, "name": row["namespace"]}
            raise Conflict(_("The cluster %(cluster)s does not take %(name)s any more.") % words)


def _project(request: Request, row: adoption.Row, uid: UUID, tenant: Tenant, bundle: Bundle, at: datetime) -> Project:
    quota = figures.of(row)
    return Project(
        uid=uid,
        tenant=tenant,
        name=row["name"],
        environment=row["environment"],
        namespace=row["namespace"],
        display_name=row["display_name"],
        cpu_millicores=quota["cpu"],
        memory_bytes=quota["memory"],
        storage_bytes=quota["storage"],
        pods=quota["pods"],
        owner=request.asker,
        bundle=bundle,
        size=row["size"],
        isolation="dedicated" if request.cluster and request.cluster.dedicated_to_id else "shared",
        parts=["quota", *request.values["take"]],
        adopted=True,
        created_at=at,
    )


def _record(request: Request, projects: list[Project], by: User | None, at: datetime) -> None:
    cluster = str(request.cluster)
    deeds = [
        audit.Deed(
            f"project:{project.uid}",
            project.tenant.code,
            {"namespace": project.namespace, "cluster": cluster, "request": request.number},
        )
        for project in projects
    ]
    audit.record_many(actor=by, action="project.adopt", deeds=deeds, at=at)
