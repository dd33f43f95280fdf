"""The requests of a large portal, and what hangs on each: steps, decisions, plans, revisions, claims."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.models import User
from bench.shapes import ASKED, ENDS, FIGURES, OBJECTS, World, moment
from clusters.models import BundleRevision
from tenants.models import Claim, Project
from workflow import machine
from workflow.models import Deadline, Decision, OpenTarget, Outcome, Plan, Request, Step


@dataclass(frozen=True)
class Asked:
    """A request about a project: under which steps, and which revision it became (0: none)."""

    request: Request
    project: Project
    policy_steps: list[dict[str, Any]]
    revision: int


def requests(world: World, number: int, of: Project) -> Iterator[Asked]:
    """What was asked about the project over the years; the last of them is open for one project of ten."""
    revision = 0
    for turn, kind in enumerate(ASKED):
        is_open = turn == len(ASKED) - 1 and number % 10 == 3
        state = machine.SUBMITTED if is_open else machine.APPROVED if turn in (0, 1) else ENDS[(number + turn) % 5]
        revision += state == machine.APPROVED
        asked_at = world.now - timedelta(hours=number % 200) if is_open else moment(world, number, turn)
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
