"""What one row of a large portal looks like: of each number the same row, with states and sizes as they occur."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import ApproverGroup, User
from audit.models import Event
from clusters.models import Bundle, BundleObject, BundleRun, Cluster, DriftCheck
from tenants.models import Membership, Project, ProjectMember, Tenant, TenantBudget
from workflow import machine
from workflow.models import Policy, Request

GI = 1024**3
ENVIRONMENTS = ("dev", "test", "prod")
GROUPS = ("platform", "datacenter", "security")
FIGURES = {"cpu": 4000, "memory": 8 * GI, "storage": 50 * GI, "pods": 40}
CAPACITY = {
    "source": "stated",
    "cpu_millicores": 10**9,
    "memory_bytes": 10**7 * GI,
    "storage_bytes": 10**7 * GI,
    "pods": 10**7,
}
OBJECTS = (
    ("v1", "Namespace"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)
# Of the requests about a project: kind, and what becomes of it by the project's number.
ASKED = ("new-project", "change-quota", "change-members", "change-quota", "change-members")
ENDS = (machine.APPROVED, machine.REJECTED, machine.WITHDRAWN, machine.EXPIRED, machine.APPROVED)
_YEARS = 730 * 24 * 60


@dataclass(frozen=True)
class World:
    """What rows refer to; approvers by the slug of their group."""

    tenants: list[Tenant]
    people: list[User]
    clusters: list[Cluster]
    groups: Mapping[str, ApproverGroup]
    policies: Mapping[str, Policy]
    approvers: Mapping[str, User]
    now: datetime


def tenant(number: int, now: datetime) -> Tenant:
    """unit000 and so on."""
    return Tenant(
        code=f"unit{number:03}", name_zh=f"业务单元 {number}", name_en=f"Business unit {number}", created_at=now
    )


def person(number: int, now: datetime) -> User:
    """A developer, as after a login."""
    name = f"person{number:03}"
    return User(username=name, display_name=f"Person {number}", password="!", roles_seen_at=now)


def memberships(number: int, of: Tenant) -> Iterator[Membership]:
    """An owner and five others of four hundred people; the person called dev is in the first five tenants."""
    for place in range(6):
        role = "owner" if place == 0 else "developer" if place < 5 else "viewer"
        subject = f"user:person{(number * 2 + place * 67) % 400:03}"
        yield Membership(tenant=of, subject=subject, role=role)
    yield Membership(tenant=of, subject=f"group:cn=unit{number},ou=groups,dc=insurer,dc=example", role="viewer")
    if number < 5:
        yield Membership(tenant=of, subject="user:dev", role="developer")


def budgets(of: Tenant) -> Iterator[TenantBudget]:
    """Enough for everything."""
    for resource, amount in FIGURES.items():
        yield TenantBudget(tenant=of, resource=resource, amount=amount * 10**5)


def cluster(number: int) -> dict[str, Any]:
    """Fields of a cluster at whose address nobody listens."""
    return {
        "name": f"cluster-{number}",
        "flavour": "kubernetes",
        "driver": "kubernetes",
        "address": "https://127.0.0.1:1",
        "environments": list(ENVIRONMENTS),
    }


def bundle(world: World, number: int) -> Bundle:
    """Nearly all are ready; of a hundred one is stuck, and one is under way."""
    last = _revisions_of(number)
    cluster = world.clusters[number % len(world.clusters)]
    stuck, moving = number % 100 == 7, number % 100 == 8
    sentence = {"text": "The cluster refused it.", "parameters": {}}
    return Bundle(
        uid=uid(number, 1),
        cluster=cluster,
        tenant=world.tenants[number % len(world.tenants)],
        owner=f"project:{uid(number, 2)}",
        namespace=_namespace(world, number),
        lane=cluster.name,
        generation=last,
        observed_generation=last - 1 if stuck or moving else last,
        blocked=stuck,
        message=sentence if stuck else None,
    )


def project(world: World, number: int, bundle: Bundle) -> Project:
    """One of the tenant whose turn it is."""
    return Project(
        uid=uid(number, 2),
        tenant=bundle.tenant,
        name=f"service-{number}",
        environment=ENVIRONMENTS[number % 3],
        namespace=bundle.namespace,
        display_name=f"Service {number}",
        cost_centre=f"CC-{number % 1000}",
        cpu_millicores=FIGURES["cpu"],
        memory_bytes=FIGURES["memory"],
        storage_bytes=FIGURES["storage"],
        pods=FIGURES["pods"],
        owner=world.people[number % len(world.people)],
        bundle=bundle,
        size="m" if number % 2 else "",
        created_at=moment(world, number, 0),
    )


def members(world: World, of: Project) -> Iterator[ProjectMember]:
    """Two people and a group."""
    other = world.people[of.pk % len(world.people)].username
    yield ProjectMember(project=of, subject=f"user:{of.owner.username}", role="developer")
    if other != of.owner.username:
        yield ProjectMember(project=of, subject=f"user:{other}", role="viewer")
    yield ProjectMember(project=of, subject="group:cn=operators,ou=groups,dc=insurer,dc=example", role="viewer")


def objects(of: Bundle, now: datetime) -> Iterator[BundleObject]:
    """What the portal keeps in a namespace, with the use of its quota."""
    used = {"limits.cpu": f"{of.pk % 4}", "limits.memory": f"{of.pk % 8}Gi", "requests.storage": "7Gi", "pods": "9"}
    for position, (version, kind) in enumerate(OBJECTS):
        yield BundleObject(
            bundle=of,
            position=position,
            api_version=version,
            kind=kind,
            namespace=of.namespace if position else "",
            name=f"portal-{position}" if position else of.namespace,
            uid=str(uid(of.pk * 10 + position, 3)),
            revision=1,
            had=True,
            state="ready",
            usage={"used": used} if kind == "ResourceQuota" else {},
            observed_at=now,
        )


def run(of: Bundle, now: datetime) -> BundleRun:
    """The last pass."""
    outcome = "blocked" if of.blocked else "ready"
    return BundleRun(bundle=of, revision=of.generation, began_at=now, ended_at=now, outcome=outcome)


def drift(of: Bundle, now: datetime) -> DriftCheck:
    """Nothing was found."""
    return DriftCheck(bundle=of, lane=of.lane, generation=1, observed_generation=1, checked_at=now)


def event(world: World, number: int, turn: int, of: Project, request: Request) -> Event:
    """What happened around a project: half of it about its requests."""
    actions = ("request.submit", "request.approve-step", "bundle.set-desired", "project.set-members", "user.login")
    action = actions[turn % len(actions)]
    subjects = {"request": f"request:{request.pk}", "bundle": f"bundle:{of.bundle.uid}", "project": f"project:{of.uid}"}
    sort = action.partition(".")[0]
    person = world.people[(number + turn) % len(world.people)].username
    return Event(
        at=moment(world, number, turn),
        actor=person,
        action=action,
        subject=subjects.get(sort, f"user:{person}"),
        tenant="" if sort == "user" else of.tenant.code,
        after={"namespace": of.namespace, "turn": turn, "address": "127.0.0.1"},
        request_id=f"{number:08}{turn:04}",
    )


def _namespace(world: World, number: int) -> str:
    return f"{world.tenants[number % len(world.tenants)].code}-service-{number}-{ENVIRONMENTS[number % 3]}"


def _revisions_of(number: int) -> int:
    """How many of the requests about the project were approved, as `requests` has it."""
    turns = range(2, len(ASKED) - (number % 10 == 3))
    return 2 + sum(ENDS[(number + turn) % 5] == machine.APPROVED for turn in turns)


def moment(world: World, number: int, turn: int) -> datetime:
    """Within the last two years; what was asked later of a project came later."""
    return world.now - timedelta(minutes=_YEARS - (number * 7 + turn * 10_000) % (_YEARS - 600))


def uid(number: int, sort: int) -> uuid.UUID:
    """The same for the same number."""
    return uuid.UUID(int=(sort << 64) + number + 1)
