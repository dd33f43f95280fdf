"""What a request's page tells of its time in the cluster: its own revision, not what others wanted since."""

import pytest
from django.utils import timezone

from clusters.models import Bundle, BundleRevision
from tenants.models import Project
from work.tasks import drive
from workflow import queries, rows
from workflow.models import Request
from workflow.services import submit

pytestmark = pytest.mark.django_db


def applied_moments(request: Request) -> list[tuple[str, str]]:
    fresh = queries.requests_visible_to(request.asker).get(pk=request.pk)
    moments = rows.timeline(fresh, list(queries.decisions_of(fresh)))
    return [(moment["state"], moment["text"].split(" · ")[0]) for moment in moments[2:]]


def test_timeline__later_request_is_on_its_way__earlier_stays_as_it_ended(people, ask):
    first = ask(name="imaging", environment="dev", viewers=["owner"])
    bundle = Bundle.objects.get()
    assert applied_moments(first)[0][0] == "now"
    drive("clusters.Bundle", bundle.pk)
    assert applied_moments(first) == [("done", "8 of 8 objects")]
    agreed_at = BundleRevision.objects.get().agreed_at
    assert agreed_at is not None
    project = Project.objects.get()
    values = {"project": str(project.uid), "developers": ["dev"], "viewers": []}
    second = submit(kind="change-members", values=values, by=people["owner"], at=timezone.now())
    assert second.state == "approved", "owners decide that outside production"
    assert rows.request_status(queries.requests_visible_to(people["dev"]).get(pk=first.pk))["label"] == "Committed"
    assert applied_moments(first) == [("done", "8 of 8 objects")]
    assert applied_moments(second)[0][0] == "now"
    drive("clusters.Bundle", bundle.pk)
    assert applied_moments(second) == [("done", "7 of 7 objects")]
    assert BundleRevision.objects.get(number=1).agreed_at == agreed_at
