"""Many rows as a portal of some years has them, written by COPY: tenants, people, projects, requests, events.

Everything is counted, nothing is random: the same figures make the same rows. What is there already stays, so that a
portal can grow between two measurements.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from accounts.models import ApproverGroup, User
from audit.models import Event
from bench import request_shapes, shapes
from clusters.models import Bundle, BundleObject, BundleRevision, BundleRun, Capacity, Cluster, DriftCheck
from tenants.models import Claim, Membership, Project, ProjectMember, Tenant, TenantBudget
from workflow.models import Deadline, Decision, OpenTarget, Outcome, Plan, Policy, Request, Step

TENANTS = 200
PEOPLE = 400
CLUSTERS = 8
# Of each project: requests about it, and events of all sorts.
REQUESTS = 5
EVENTS = 50
# How many projects are made in one go; their rows fit into memory many times over.
_BATCH = 500
_NULL = "\\N"


def prepare() -> None:
    """Tenants, people and clusters; the portal has its groups and policies already."""
    now = timezone.now()
    copy(Tenant, [shapes.tenant(number, now) for number in range(TENANTS)])
    copy(User, [shapes.person(number, now) for number in range(PEOPLE)])
    tenants = list(Tenant.objects.filter(code__startswith="unit").order_by("code"))
    copy(Membership, [one for number, tenant in enumerate(tenants) for one in shapes.memberships(number, tenant)])
    copy(TenantBudget, [one for tenant in tenants for one in shapes.budgets(tenant)])
    for number in range(CLUSTERS):
        cluster = Cluster.objects.create(**shapes.cluster(number))
        Capacity.objects.create(cluster=cluster, **shapes.CAPACITY)


def grow(projects: int) -> None:
    """Makes it so many projects in all, each with its bundle, requests, claims and events."""
    made = Project.objects.count()
    people = list(User.objects.filter(username__startswith="person").order_by("pk"))
    world = shapes.World(
        tenants=list(Tenant.objects.filter(code__startswith="unit").order_by("code")),
        people=people,
        clusters=list(Cluster.objects.order_by("name")),
        groups={group.slug: group for group in ApproverGroup.objects.all()},
        policies={policy.slug: policy for policy in Policy.objects.all()},
        approvers={slug: people[place] for place, slug in enumerate(sorted(shapes.GROUPS))},
        now=timezone.now(),
    )
    for first in range(made, projects, _BATCH):
        _batch(world, range(first, min(first + _BATCH, projects)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _batch(world: shapes.World, numbers: range) -> None:
    """The projects with these numbers; keys are given out here, so that rows can name one another."""
    bundles = _keyed(Bundle, [shapes.bundle(world, number) for number in numbers])
    projects = _keyed(
        Project, [shapes.project(world, number, bundle) for number, bundle in zip(numbers, bundles, strict=True)]
    )
    copy(Bundle, bundles)
    copy(Project, projects)
    copy(ProjectMember, [one for project in projects for one in shapes.members(world, project)])
    copy(BundleObject, [one for bundle in bundles for one in shapes.objects(bundle, world.now)])
    copy(BundleRun, [shapes.run(bundle, world.now) for bundle in bundles])
    copy(DriftCheck, [shapes.drift(bundle, world.now) for bundle in bundles])
    asked = [
        asked
        for number, project in zip(numbers, projects, strict=True)
        for asked in request_shapes.requests(world, number, project)
    ]
    _keyed(Request, [one.request for one in asked])
    copy(Request, [one.request for one in asked])
    copy(OpenTarget, [row for one in asked for row in request_shapes.targets(one)])
    copy(Plan, [request_shapes.plan(one) for one in asked])
    steps = _keyed(Step, [row for one in asked for row in request_shapes.steps(world, one)])
    copy(Step, steps)
    copy(Decision, [request_shapes.decision(world, step) for step in steps if step.state in ("approved", "rejected")])
    copy(Deadline, [request_shapes.deadline(one) for one in asked if one.policy_steps])
    copy(BundleRevision, [request_shapes.revision(one) for one in asked if one.revision])
    copy(Outcome, [request_shapes.outcome(one) for one in asked if one.revision])
    copy(Claim, [row for one in asked for row in request_shapes.claims(one)])
    copy(Event, _events(world, numbers, projects, [one.request for one in asked]))


def _events(world: shapes.World, numbers: range, projects: list[Project], asked: list[Request]) -> Iterator[Event]:
    """EVENTS of each project: what was done to it, to its requests, and logins."""
    for place, project in enumerate(projects):
        mine = asked[place * REQUESTS : (place + 1) * REQUESTS]
        for turn in range(EVENTS):
            yield shapes.event(world, numbers[place], turn, project, mine[turn % REQUESTS])


def _keyed(model: type[models.Model], rows: list[Any]) -> list[Any]:
    """The rows with primary keys of the table's own sequence."""
    with connection.cursor() as cursor:
        sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
        cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [len(rows)])
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
    return rows


def copy(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Writes instances by COPY: what they say, and the defaults of what they do not; a key of None is the table's."""
    rows = list(rows)
    if not rows:
        return
    fields = [field for field in model._meta.concrete_fields if rows[0].pk is not None or not field.primary_key]
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_MINIMAL)
    for row in rows:
        writer.writerow([_text(field, getattr(row, field.attname)) for field in fields])
    buffer.seek(0)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {model._meta.db_table} ({columns}) FROM STDIN (FORMAT csv, NULL '{_NULL}')", buffer)


def _text(field: "models.Field[Any, Any]", value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(field, models.JSONField):
        return json.dumps(value)
    if isinstance(field, ArrayField):
        return "{" + ",".join(json.dumps(one) for one in value) + "}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)
