"""What every REST view has: keys, strict addresses, limits, links."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, KeptAnswer
from accounts.services import issue_token
from audit.models import Event
from tests.builders import a_user
from web import rates

pytestmark = pytest.mark.django_db

WISH = {"name": "robot", "scopes": ["read"], "days": 3}
JSON = "application/json"


@pytest.fixture
def program(dev):
    """A program of dev's."""
    return of(dev)


def of(user):
    scopes = ["read", "request", "decide"]
    secret = issue_token(user=user, name="t", scopes=scopes, days=9, by=user, at=timezone.now())[1]
    return Client(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})


def make(program, key, body=None, path="/api/v1/tokens"):
    return program.post(path, WISH if body is None else body, JSON, headers={"Idempotency-Key": key})


def made():
    return ApiToken.objects.filter(name="robot").count()


def code(answer):
    assert answer["Content-Type"] == "application/problem+json"
    return answer.json()["type"].rpartition(":")[2]


def test_key__same_call_again__same_answer_without_the_secret_and_one_token(program):
    first, again = make(program, "k"), make(program, "k")
    assert (first.status_code, again.status_code, made()) == (201, 201, 1)
    assert first.json()["token"] == again.json()["token"]
    assert first.json()["secret"].startswith("cp_") and again.json()["secret"] is None
    assert "Idempotency-Replayed" not in first and again["Idempotency-Replayed"] == "true"
    assert again["Content-Type"] == JSON and again["Cache-Control"] == "no-store"


def test_key__kept_answer__holds_no_secret(program):
    secret = make(program, "k").json()["secret"]
    assert secret.rpartition("_")[2].encode() not in bytes(KeptAnswer.objects.get().body)


def test_key__other_body__409(program):
    make(program, "k")
    answer = make(program, "k", WISH | {"days": 4})
    assert (answer.status_code, code(answer), made()) == (409, "idempotency-key-reused", 1)


def test_key__other_address__409(program):
    make(program, "k")
    answer = make(program, "k", path="/api/v1/delegations")
    assert (answer.status_code, code(answer)) == (409, "idempotency-key-reused")


def test_key__refused_call__refused_again_in_the_same_words(program):
    first, again = make(program, "k", {"name": ""}), make(program, "k", {"name": ""})
    assert (first.status_code, again.status_code) == (422, 422)
    assert first.json() == again.json() and again["Content-Type"] == "application/problem+json"
    assert again["Idempotency-Replayed"] == "true"


def test_key__first_call_runs__409_with_a_moment_to_wait(program):
    make(program, "k")
    KeptAnswer.objects.update(status=None)
    answer = make(program, "k")
    assert (answer.status_code, code(answer), answer["Retry-After"]) == (409, "in-progress", "1")


def test_key__unauthorized_call__keeps_nothing(dev):
    text = issue_token(user=dev, name="t", scopes=["read"], days=9, by=dev, at=timezone.now())[1]
    for header in (f"Bearer {text}", "Bearer cp_0_0"):
        assert make(Client(headers={"Authorization": header}), "k").status_code in (401, 403)
    assert not KeptAnswer.objects.exists()


def test_key__server_fails__not_kept_and_carried_out_at_the_next_try(program, monkeypatch):
    program.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr("accounts.services.tokens.new_token", lambda: 1 // 0)
        assert make(program, "k").status_code == 500
    assert not KeptAnswer.objects.exists()
    answer = make(program, "k")
    assert (answer.status_code, made()) == (201, 1) and "Idempotency-Replayed" not in answer


def test_key__answer_cannot_be_kept__the_deed_is_undone(program, monkeypatch):
    program.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr("accounts.idempotency.keep", lambda *_a, **_k: 1 // 0)
        assert make(program, "k").status_code == 500
    assert made() == 0 and not Event.objects.filter(action="token.issue", after__name="robot").exists()


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_key__not_a_post__ignored(program, method):
    address = "/api/v1/me"
    answer = program.generic(method, address, headers={"Idempotency-Key": "k" * 900})
    assert answer.status_code == (200 if method == "GET" else 405)
    assert not KeptAnswer.objects.exists()


def test_key__post_where_none_is_taken__405_and_nothing_kept(program):
    assert make(program, "k", path="/api/v1/me").status_code == 405
    assert not KeptAnswer.objects.exists()


def test_key__session__works_too(dev, as_person):
    browser = as_person(dev)
    answers = [make(browser, "k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201] and made() == 1


@pytest.mark.parametrize(
    ("address", "pointers"),
    [
        ("me?x=1", ["/x"]),
        ("tokens?limits=5&", ["/limits"]),
        ("me?format=xml", ["/format"]),
        ("me?%00=1", ["/\x00"]),
        ("requests?state=open&page=2", ["/page", "/state"]),
        ("requests?limit=1&limit=2", ["/limit"]),
    ],
)
def test_address__says_what_is_not_known__422_with_its_name(program, address, pointers):
    answer = program.get(f"/api/v1/{address}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


def test_address__unknown_parameter_of_a_change__422_and_nothing_happens(program):
    assert program.post("/api/v1/tokens?dry_run=1", WISH, JSON).status_code == 422
    assert made() == 0


@pytest.fixture
def limits(settings):
    """Three reads and two writes a minute, counted from nothing in a minute that does not end."""
    settings.API_READS_PER_MINUTE, settings.API_WRITES_PER_MINUTE = 3, 2
    client = rates._client(settings.CELERY_BROKER_URL)
    for key in client.scan_iter("portal:calls:*"):
        client.delete(key)
    return settings


@pytest.fixture
def frozen(monkeypatch):
    """A clock that stands, 20 seconds into a minute."""
    now = [1_800_000_020.0]
    monkeypatch.setattr("web.rates.time.time", lambda: now[0])
    return now


def test_limit__beyond_it__429_until_the_minute_is_over(program, limits, frozen):
    answers = [program.get("/api/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit"] for answer in answers] == [f'"reads";r={left};t=40' for left in (2, 1, 0, 0)]
    assert answers[0]["RateLimit-Policy"] == '"reads";q=3;w=60'
    assert (code(answers[3]), answers[3]["Retry-After"]) == ("too-many-calls", "40")
    frozen[0] += 40
    assert program.get("/api/v1/me").status_code == 200


def test_limit__reads_used_up__writes_are_not(program, limits, frozen):
    for _ in range(4):
        program.get("/api/v1/me")
    answers = [program.post("/api/v1/tokens", WISH | {"name": "robot"}, JSON) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert made() == 2


def test_limit__another_token_of_the_same_person__has_its_own(dev, limits, frozen):
    first, second = of(dev), of(dev)
    assert [first.get("/api/v1/me").status_code for _ in range(4)][-1] == 429
    assert second.get("/api/v1/me").status_code == 200


def test_limit__sessions__are_counted_by_person(dev, as_person, limits, frozen):
    browsers = [as_person(dev), as_person(dev)]
    answers = [browsers[number % 2].get("/api/v1/me").status_code for number in range(4)]
    assert answers == [200, 200, 200, 429]
    assert as_person(a_user("other")).get("/api/v1/me").status_code == 200


def test_limit__call_that_may_not__is_counted_too(dev, limits, frozen):
    text = issue_token(user=dev, name="t", scopes=["read"], days=9, by=dev, at=timezone.now())[1]
    client = Client(headers={"Authorization": f"Bearer {text}"})
    answers = [client.post("/api/v1/tokens", WISH, JSON).status_code for _ in range(3)]
    assert answers == [403, 403, 429]


def test_limit__redis_down__nobody_is_held_back(program, limits, frozen, settings, redis_server, monkeypatch):
    monkeypatch.setattr(rates, "_spared_until", 0.0)
    settings.CELERY_BROKER_URL = redis_server.url
    assert program.get("/api/v1/me")["RateLimit"] == '"reads";r=2;t=40'
    redis_server.stop()
    for _ in range(9):
        answer = program.get("/api/v1/me")
        assert answer.status_code == 200 and "RateLimit" not in answer
    redis_server.start()
    monkeypatch.setattr(rates, "_spared_until", 0.0)
    assert "RateLimit" in program.get("/api/v1/me")


def test_limit__none__no_headers(program):
    answer = program.get("/api/v1/me")
    assert answer.status_code == 200 and "RateLimit" not in answer


def test_body__large__413_also_with_a_key(program):
    program.raise_request_exception = False
    answer = make(program, "k", json.dumps(WISH | {"name": "x" * 2**21}))
    assert (answer.status_code, code(answer)) == (413, "too-large")
    assert not KeptAnswer.objects.exists()
