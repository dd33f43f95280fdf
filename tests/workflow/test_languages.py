"""What became of a request in its cluster, read in two languages."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from clusters.models import Bundle, Cluster
from tests.builders import a_tenant, a_user, ready_portal, wish
from work.tasks import drive
from workflow.models import Request
from workflow.services import submit

pytestmark = pytest.mark.django_db
ENGLISH, CHINESE = "The cluster cannot be reached (", "无法连接集群（"


@pytest.fixture
def dev(gitops_cluster) -> User:
    ready_portal()
    a_tenant("claims", dev="developer")
    return a_user("dev")


def ask(dev: User, language: str, environment: str) -> Request:
    """Asked by somebody who reads `language`."""
    with translation.override(language):
        return submit(kind="new-project", values=wish(environment=environment), by=dev, at=timezone.now())


def unreachable() -> None:
    Cluster.objects.update(driver="kubernetes", address="https://127.0.0.1:1")


def page_of(dev: User, request: Request, language: str) -> str:
    client = Client()
    client.force_login(dev, backend="accounts.backends.DirectoryBackend")
    address = reverse("request-detail", args=[request.number])
    return client.get(address, headers={"accept-language": language}).content.decode()


def answer_of(dev: User, address: str, language: str) -> dict:
    client = Client()
    client.force_login(dev, backend="accounts.backends.DirectoryBackend")
    return client.get(address, headers={"accept-language": language}).json()


@pytest.mark.parametrize("written_in", ["en", "zh-hans"])
def test_request__worker_met_an_error__told_in_the_readers_language(dev, written_in):
    request = ask(dev, "en", "dev")
    unreachable()
    with translation.override(written_in):
        drive("clusters.Bundle", request.outcomes.get().bundle_id)
    kept = Bundle.objects.get(pk=request.outcomes.get().bundle_id).objects_kept.filter(message__isnull=False)
    assert kept.count() == 1
    english, chinese = page_of(dev, request, "en"), page_of(dev, request, "zh-hans")
    # In the timeline and in the table of objects.
    assert english.count(ENGLISH) == 2 and CHINESE not in english
    assert chinese.count(CHINESE) == 2 and ENGLISH not in chinese
    address = f"/api/v1/requests/{request.number}"
    assert answer_of(dev, address, "en")["progress"]["message"].startswith(ENGLISH)
    assert answer_of(dev, address, "zh-hans")["progress"]["message"].startswith(CHINESE)


@pytest.mark.parametrize("written_in", ["en", "zh-hans"])
def test_plan__cluster_could_not_be_asked__told_in_the_readers_language(dev, written_in):
    unreachable()
    request = ask(dev, written_in, "test")
    english, chinese = page_of(dev, request, "en"), page_of(dev, request, "zh-hans")
    assert ENGLISH in english and CHINESE not in english
    assert CHINESE in chinese and ENGLISH not in chinese
    address = f"/api/v1/requests/{request.number}/plan"
    assert answer_of(dev, address, "en")["problem"].startswith(ENGLISH)
    assert answer_of(dev, address, "zh-hans")["problem"].startswith(CHINESE)
