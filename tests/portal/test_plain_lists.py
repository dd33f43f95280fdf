"""Lists of the API are plain values: the same that the serializers say, which the API document shows."""

import pytest
from django.utils import timezone

from tenants.models import Project, Tenant
from tenants.serializers import ProjectSerializer, TenantSerializer
from tests.builders import wish
from workflow import queries
from workflow.api.listed import progress_of
from workflow.serializers import RequestSerializer
from workflow.services import decide, submit, withdraw

pytestmark = pytest.mark.django_db


def items(world, name):
    answer = world.program("platform").get(f"/api/v1/{name}").json()
    return answer["items"] if isinstance(answer, dict) else answer


def plain(serializer) -> list[dict]:
    return [dict(row) for row in serializer.data]


def test_requests__of_every_state__as_the_serializer_says(world):
    dev, platform, now = world.people["dev"], world.people["platform"], timezone.now()
    both = [
        {"environment": name, "cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20} for name in ("dev", "test")
    ]
    submit(kind="new-project", values=wish(environments=both), by=dev, at=now)
    gone = submit(kind="new-project", values=wish(), by=dev, at=now)
    withdraw(number=gone.number, by=dev, at=now)
    digest = queries.newest_plan(world.request).digest
    decide(number=world.request.number, verdict="approve", note="", plan_digest=digest, by=platform, at=now)
    found = list(queries.requests_visible_to(platform).order_by("-pk"))
    for one in found:
        one.progress = progress_of(one)
    assert {one.state for one in found} == {"submitted", "approved", "withdrawn"}
    assert any(one.progress for one in found) and any(one.parent_id for one in found)
    said = RequestSerializer(found, many=True)
    assert items(world, "requests") == [row | {"steps": plain_steps(row)} for row in plain(said)]


def plain_steps(row) -> list[dict]:
    return [dict(step) for step in row["steps"]]


def test_projects__as_the_serializer_says(world):
    project = Project.objects.select_related("bundle__cluster", "tenant", "owner").get()
    project.state = "queued"
    assert items(world, "projects") == plain(ProjectSerializer([project], many=True))


def test_tenants__as_the_serializer_says(world):
    assert items(world, "tenants") == plain(TenantSerializer(Tenant.objects.order_by("code"), many=True))
