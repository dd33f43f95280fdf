"""Tags of requests: what was read is what is changed, and waiting until it is something else."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from clusters.models import Bundle
from tests.builders import wish
from tests.waiting import eventually
from web import waiting
from workflow.models import Request
from workflow.services import decide, withdraw

JSON = "application/json"


def get(client, number, tag="", **query):
    headers = {"If-None-Match": tag} if tag else {}
    return client.get(f"/api/v1/requests/{number}", query, headers=headers)


def put(client, request, cpu, tag=""):
    values = request.values | {"environments": [request.values["environments"][0] | {"cpu": cpu}]}
    headers = {"If-Match": tag} if tag else {}
    return client.put(f"/api/v1/requests/{request.number}", {"values": values}, JSON, headers=headers)


def cpu_of(request):
    request.refresh_from_db()
    return request.values["environments"][0]["cpu"]


@pytest.mark.django_db
def test_edit__of_what_was_read__done_with_the_next_tag(program, ask):
    request, client = ask(), program("dev")
    seen = get(client, request.number)
    answer = put(client, request, "1", seen["ETag"])
    assert answer.status_code == 200 and cpu_of(request) == "1"
    assert answer["ETag"] == get(client, request.number)["ETag"] != seen["ETag"]
    assert put(client, request, "3", answer["ETag"]).status_code == 200


@pytest.mark.django_db
def test_edit__without_a_word_of_what_was_read__428(program, ask):
    request = ask()
    answer = put(program("dev"), request, "1")
    assert (answer.status_code, answer.json()["type"]) == (428, "urn:portal:problem:if-match-missing")
    assert cpu_of(request) == "2"


@pytest.mark.django_db
@pytest.mark.parametrize("tag", ['"0"', "0", "", 'W/"x"', "\x00"])
def test_edit__tag_that_never_was__412(program, ask, tag):
    request = ask()
    answer = program("dev").put(
        f"/api/v1/requests/{request.number}", {"values": request.values}, JSON, headers={"If-Match": tag}
    )
    assert answer.status_code == 412
    assert answer.json()["etag"] == answer["ETag"] == get(program("dev"), request.number)["ETag"]


@pytest.mark.django_db
@pytest.mark.parametrize("meanwhile", ["edited", "sent_back", "withdrawn"])
def test_edit__something_happened_since__412_or_409(program, ask, say, people, meanwhile):
    request, client = ask(), program("dev")
    seen = get(client, request.number)["ETag"]
    if meanwhile == "edited":
        put(client, request, "1", seen)
    elif meanwhile == "sent_back":
        say(request, "platform", "send_back", "Smaller")
    else:
        withdraw(number=request.number, by=people["dev"], at=timezone.now())
    answer = put(client, request, "3", seen)
    assert answer.status_code == (409 if meanwhile == "withdrawn" else 412)
    assert cpu_of(request) != "3"


@pytest.mark.django_db
def test_get__same_tag__304_and_nothing_sent(program, ask):
    number, client = ask().number, program("dev")
    seen = get(client, number)["ETag"]
    for tag in (seen, f"W/{seen}", f'"x", {seen}', "*"):
        answer = get(client, number, tag)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", seen)
    assert get(client, number, '"x"').status_code == 200


@pytest.mark.django_db
def test_get__other_language__another_tag(program, ask):
    number, client = ask().number, program("dev")
    address = f"/api/v1/requests/{number}"
    tags = {client.get(address, headers={"Accept-Language": one})["ETag"] for one in ("en", "zh")}
    assert len(tags) == 2


@pytest.mark.django_db
def test_get__every_move__another_tag(program, ask, say, people):
    request, client, seen = ask(), program("dev"), []

    def look():
        seen.append(get(client, request.number)["ETag"])

    look()
    say(request, "platform", "send_back", "Smaller")
    look()
    put(client, request, "1", seen[-1])
    look()
    say(Request.objects.get(), "platform")
    look()
    for changes in ({"attempts": 1, "message": {"text": "Refused"}}, {"blocked": True}, {"observed_generation": 1}):
        Bundle.objects.update(**changes)
        look()
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.django_db
def test_create_and_decide__answer_the_tag_of_what_is_there(program, people):
    client = program("dev")
    made = client.post("/api/v1/requests", {"kind": "new-project", "values": wish()}, JSON)
    number = made.json()["number"]
    assert made["ETag"] == get(client, number)["ETag"]
    said = program("platform").post(
        f"/api/v1/requests/{number}/decision", {"verdict": "send_back", "note": "Smaller"}, JSON
    )
    assert said["ETag"] == get(client, number)["ETag"] != made["ETag"]


@pytest.mark.django_db(transaction=True)
def test_edit__eight_at_once_of_what_was_read__one_of_them(program, ask):
    request, client = ask(), program("dev")
    seen, secret = get(client, request.number)["ETag"], client.defaults["HTTP_AUTHORIZATION"]
    start = threading.Barrier(8)

    def run(cpu):
        own = Client(headers={"Authorization": secret, "Accept-Language": "en"})
        start.wait(30)
        try:
            return put(own, request, cpu, seen).status_code, cpu
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(run, [f"{number}" for number in range(3, 11)]))
    [won] = [cpu for status, cpu in told if status == 200]
    assert {status for status, _cpu in told} == {200, 412}
    assert cpu_of(request) == won and request.round == 2


@pytest.mark.django_db
@pytest.mark.parametrize("wait", ["-1", "11", "x", "1.5", "9999999999999999", "٣"])
def test_wait__not_a_number_of_seconds__422(program, ask, wait):
    answer = get(program("dev"), ask().number, wait=wait)
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/wait"


@pytest.mark.django_db
def test_wait__settled_or_news_already__at_once(program, ask, people):
    request, client = ask(), program("dev")
    seen = get(client, request.number)["ETag"]
    assert get(client, request.number, '"older"', wait="10")["Waited"] == "0"
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    answer = get(client, request.number, wait="10")
    assert (answer.json()["state"], answer["Waited"]) == ("withdrawn", "0")
    assert get(client, request.number, seen, wait="10").status_code == 200


@pytest.mark.django_db
def test_wait__no_news__304_after_the_time(program, ask):
    request, client = ask(), program("dev")
    answer = get(client, request.number, get(client, request.number)["ETag"], wait="1")
    assert (answer.status_code, answer["Waited"]) == (304, "1")


@pytest.mark.django_db
def test_wait__too_many_wait__answered_at_once(program, ask, settings):
    settings.API_WAITERS = 0
    request, client = ask(), program("dev")
    answer = get(client, request.number, wait="10")
    assert (answer.status_code, answer["Waited"]) == (200, "0")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_tag", [True, False])
def test_wait__somebody_decides_meanwhile__told_soon(program, ask, people, by_tag):
    request, client = ask(), program("dev")
    tag = get(client, request.number)["ETag"] if by_tag else ""

    def run():
        try:
            return get(client, request.number, tag, wait="10")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(run)
        eventually(lambda: waiting._waiting == 1)
        decide(
            number=request.number,
            verdict="reject",
            note="No room",
            plan_digest="",
            by=people["platform"],
            at=timezone.now(),
        )
        answer = told.result(20)
    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
    assert int(answer["Waited"]) < 5


@pytest.mark.django_db
def test_wait__approved_and_the_cluster_agrees__settled(program, ask):
    request, client = ask(environment="dev"), program("dev")
    assert get(client, request.number, wait="1")["Waited"] == "1"
    Bundle.objects.update(observed_generation=1)
    assert get(client, request.number, wait="10")["Waited"] == "0"
