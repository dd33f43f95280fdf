"""What one row of a large portal looks like: of each number the same row, with states and sizes as they occur."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import ApproverGroup, User
from audit.models import Event
from clusters.models import Bundle, BundleObject, BundleRevision, BundleRun, Cluster, DriftCheck
from tenants.models import Claim, Membership, Project, ProjectMember, Tenant, TenantBudget
from workflow import machine
from workflow.models import Deadline, Decision, OpenTarget, Outcome, Plan, Policy, Request, Step

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
_ASKED = ("new-project", "change-quota", "change-members", "change-quota", "change-members")
_ENDS = (machine.APPROVED, machine.REJECTED, machine.WITHDRAWN, machine.EXPIRED, machine.APPROVED)
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


@dataclass(frozen=True)
class Asked:
    """A request about a project: under which steps, and which revision it became (0: none)."""

    request: Request
    project: Project
    policy_steps: list[dict[str, Any]]
    revision: int


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
        uid=_uid(number, 1),
        cluster=cluster,
        tenant=world.tenants[number % len(world.tenants)],
        owner=f"project:{_uid(number, 2)}",
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
        uid=_uid(number, 2),
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
        created_at=_moment(world, number, 0),
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
            uid=str(_uid(of.pk * 10 + position, 3)),
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


def requests(world: World, number: int, of: Project) -> Iterator[Asked]:
    """What was asked about the project over the years; the last of them is open for one project of ten."""
    revision = 0
    for turn, kind in enumerate(_ASKED):
        is_open = turn == len(_ASKED) - 1 and number % 10 == 3
        state = machine.SUBMITTED if is_open else machine.APPROVED if turn in (0, 1) else _ENDS[(number + turn) % 5]
        revision += state == machine.APPROVED
        asked_at = world.now - timedelta(hours=number % 200) if is_open else _moment(world, number, turn)
        policy = world.policies["dev" if turn == 0 and of.environment == "dev" else "otherwise"]
        asker = world.people[(number + turn) % len(world.people)]
        request = Request(
            kind=kind,
            state=state,
            tenant=of.tenant,
            environment=of.environment,
            title=of.namespace,
            values=_values(of),
            target=f"namespace:{of.namespace}",
            cluster=of.bundle.cluster,
            asker=asker,
            facts=_facts(of, asker),
            policy=policy,
            wish_digest="0" * 64,
            submitted_at=asked_at,
            closed_at=None if is_open else asked_at + timedelta(hours=5),
        )
        yield Asked(request, of, policy.steps, revision if state == machine.APPROVED else 0)


def targets(asked: Asked) -> Iterator[OpenTarget]:
    """Of what is open."""
    if asked.request.closed_at is None:
        yield OpenTarget(key=asked.request.target, request=asked.request)


def plan(asked: Asked) -> Plan:
    """One look, at all objects of a namespace."""
    space = asked.project.namespace
    changes = [
        {
            "ref": {"api_version": version, "kind": kind, "namespace": space, "name": f"portal-{position}"},
            "action": "add" if asked.request.kind == "new-project" else "change" if position == 1 else "keep",
            "fields": [["spec.hard.limits.cpu", "2", "4"]] if position == 1 else [],
        }
        for position, (version, kind) in enumerate(OBJECTS)
    ]
    owner = f"project:{asked.project.uid}"
    return Plan(
        request=asked.request,
        number=1,
        base_revisions={owner: max(asked.revision - 1, 0)},
        changes=changes,
        digest=f"{asked.request.pk:064}",
        observed_at=asked.request.submitted_at,
    )


def steps(world: World, asked: Asked) -> Iterator[Step]:
    """As the policy says, with what became of them."""
    request = asked.request
    states = {machine.APPROVED: "approved", machine.REJECTED: "rejected", machine.SUBMITTED: "current"}
    for position, step in enumerate(asked.policy_steps):
        yield Step(
            request=request,
            position=position,
            group=world.groups[step["group"]],
            due_at=request.submitted_at + timedelta(hours=240),
            state=states.get(request.state, "skipped"),
            closed_at=request.closed_at,
        )


def decision(world: World, step: Step) -> Decision:
    """One of the group said it."""
    by = world.approvers[step.group.slug]
    return Decision(
        request=step.request,
        step=step,
        by=by,
        principal=by,
        speaker=by,
        verdict="approve" if step.state == "approved" else "reject",
        note="" if step.state == "approved" else "Too much for this environment.",
        plan_digest=f"{step.request_id:064}",
        at=step.closed_at,
    )


def deadline(asked: Asked) -> Deadline:
    """Of closed requests it is over; of open ones nothing is due while the benchmark runs."""
    request = asked.request
    return Deadline(
        request=request,
        lane="deadlines",
        generation=1,
        expires_at=request.submitted_at + timedelta(hours=240),
        remind_at=None if request.closed_at else request.submitted_at + timedelta(hours=120),
    )


def revision(asked: Asked) -> BundleRevision:
    """Manifests of the size of a project's."""
    space = asked.project.namespace
    objects = [
        {
            "manifest": {
                "apiVersion": version,
                "kind": kind,
                "metadata": {"name": f"portal-{position}", "namespace": space, "labels": {"portal.cloud/tenant": "x"}},
                "spec": {"hard": {name: str(amount) for name, amount in FIGURES.items()}},
            },
            "changed_in": asked.revision,
        }
        for position, (version, kind) in enumerate(OBJECTS)
    ]
    at = asked.request.closed_at
    return BundleRevision(
        bundle=asked.project.bundle,
        number=asked.revision,
        objects_wanted=objects,
        digest="0" * 64,
        state={"namespace": space, "quota": FIGURES},
        provenance={"request": asked.request.pk, "asker": asked.request.asker.username, "approvers": ["platform"]},
        agreed_at=at if asked.revision <= asked.project.bundle.observed_generation else None,
        created_at=at,
    )


def outcome(asked: Asked) -> Outcome:
    """Which revision the request became."""
    return Outcome(request=asked.request, bundle=asked.project.bundle, revision=asked.revision)


def claims(asked: Asked) -> Iterator[Claim]:
    """What the first request was granted, by resource."""
    if asked.revision != 1 or asked.request.kind != "new-project":
        return
    project = asked.project
    for resource, amount in FIGURES.items():
        yield Claim(
            tenant=project.tenant,
            cluster=project.bundle.cluster,
            request=asked.request,
            bundle=project.bundle,
            revision=1,
            resource=resource,
            amount=amount,
        )


def event(world: World, number: int, turn: int, of: Project, request: Request) -> Event:
    """What happened around a project: half of it about its requests."""
    actions = ("request.submit", "request.approve-step", "bundle.set-desired", "project.set-members", "user.login")
    action = actions[turn % len(actions)]
    subjects = {"request": f"request:{request.pk}", "bundle": f"bundle:{of.bundle.uid}", "project": f"project:{of.uid}"}
    sort = action.partition(".")[0]
    person = world.people[(number + turn) % len(world.people)].username
    return Event(
        at=_moment(world, number, turn),
        actor=person,
        action=action,
        subject=subjects.get(sort, f"user:{person}"),
        tenant="" if sort == "user" else of.tenant.code,
        after={"namespace": of.namespace, "turn": turn, "address": "127.0.0.1"},
        request_id=f"{number:08}{turn:04}",
    )


def _values(of: Project) -> dict[str, Any]:
    figures = {"size": "", "cpu": "4", "memory": "8Gi", "storage": "50Gi", "pods": 40}
    people = {"developers": [], "viewers": [], "developer_groups": []}
    named = {"tenant": of.tenant.code, "name": of.name, "display_name": of.display_name, "project": str(of.uid)}
    more = {"isolation": "shared", "cost_centre": of.cost_centre, "reason": "Grows with the number of claims."}
    return {
        **named,
        **figures,
        **people,
        **more,
        "environments": [{"environment": of.environment, "size": "", **figures}],
    }


def _facts(of: Project, asker: User) -> dict[str, Any]:
    amounts = {f"{name}.{resource}": n for name in ("requested", "delta", "left") for resource, n in FIGURES.items()}
    return amounts | {"tenant": of.tenant.code, "environment": of.environment, "asker.username": asker.username}


def _namespace(world: World, number: int) -> str:
    return f"{world.tenants[number % len(world.tenants)].code}-service-{number}-{ENVIRONMENTS[number % 3]}"


def _revisions_of(number: int) -> int:
    """How many of the requests about the project were approved, as `requests` has it."""
    turns = range(2, len(_ASKED) - (number % 10 == 3))
    return 2 + sum(_ENDS[(number + turn) % 5] == machine.APPROVED for turn in turns)


def _moment(world: World, number: int, turn: int) -> datetime:
    """Within the last two years; what was asked later of a project came later."""
    return world.now - timedelta(minutes=_YEARS - (number * 7 + turn * 10_000) % (_YEARS - 600))


def _uid(number: int, sort: int) -> uuid.UUID:
    """The same for the same number."""
    return uuid.UUID(int=(sort << 64) + number + 1)
