"""Asking twice with one Idempotency-Key: one request, whoever dies in between."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import KeptAnswer
from audit.models import Event
from tests.builders import wish
from workflow.models import Comment, Request

JSON = "application/json"


def asking(client, body, key="k"):
    return client.post("/api/v1/requests", body, JSON, headers={"Idempotency-Key": key})


@pytest.mark.django_db
def test_create__again_after_it_moved_on__the_first_answer(program, say):
    body = {"kind": "new-project", "values": wish()}
    first = asking(program("dev"), body)
    say(Request.objects.get(), "platform")
    again = asking(program("dev"), body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content and first["Location"] == again["Location"]
    assert Request.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("is_dead", [True, False])
def test_create__first_process_died_after_the_request_was_there__the_same_request(program, is_dead):
    body = {"kind": "new-project", "values": wish()}
    first = asking(program("dev"), body)
    over = timezone.now() + timedelta(seconds=-1 if is_dead else 60)
    KeptAnswer.objects.update(status=None, body=b"", claimed_until=over)
    again = asking(program("dev"), body)
    if is_dead:
        assert (again.status_code, again.json()["number"]) == (201, first.json()["number"])
    else:
        assert again.status_code == 409
    assert Request.objects.count() == 1


@pytest.mark.django_db
def test_create__a_day_later__still_the_same_request(program):
    body = {"kind": "new-project", "values": wish()}
    first = asking(program("dev"), body)
    KeptAnswer.objects.all().delete()
    again = asking(program("dev"), body)
    assert (again.status_code, again.json()["number"]) == (201, first.json()["number"])
    other = asking(program("dev"), {"kind": "new-project", "values": wish()}, "other")
    assert other.json()["number"] != first.json()["number"]
    KeptAnswer.objects.all().delete()
    reused = asking(program("dev"), {"kind": "new-project", "values": wish()})
    assert (reused.status_code, reused.json()["type"]) == (409, "urn:portal:problem:idempotency-key-reused")


def at_once(*acts):
    """What each was told; all start at the same moment, each on a connection of its own."""
    start = threading.Barrier(len(acts))

    def run(act):
        start.wait(30)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(run, act) for act in acts]]


@pytest.mark.django_db(transaction=True)
def test_create__eight_at_once__one_request_and_nobody_is_told_another_number(program):
    body = {"kind": "new-project", "values": wish()}
    client = program("dev")
    secret = client.defaults["HTTP_AUTHORIZATION"]
    clients = [type(client)(headers={"Authorization": secret}) for _ in range(8)]
    answers = at_once(*(lambda one=one: asking(one, body) for one in clients))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["number"] for answer in answers if answer.status_code == 201} == {Request.objects.get().pk}
    refused = [answer.json()["type"] for answer in answers if answer.status_code == 409]
    assert set(refused) <= {"urn:portal:problem:in-progress"}
    assert Event.objects.filter(action="request.submit").count() == 1


@pytest.mark.django_db(transaction=True)
def test_comment__eight_at_once__said_once(program, ask):
    number, client = ask().number, program("dev")
    secret = client.defaults["HTTP_AUTHORIZATION"]
    clients = [type(client)(headers={"Authorization": secret, "Idempotency-Key": "c"}) for _ in range(8)]
    say = {"data": json.dumps({"text": "Hello"}), "content_type": JSON}
    answers = at_once(*(lambda one=one: one.post(f"/api/v1/requests/{number}/comments", **say) for one in clients))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert Comment.objects.count() == 1
