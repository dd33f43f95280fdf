"""Asking for many things at once: a result for each, and nothing twice."""

import pytest
from django.utils import timezone

from accounts.models import KeptAnswer
from tests.builders import wish
from workflow.models import Request
from workflow.services import submit

pytestmark = pytest.mark.django_db
JSON = "application/json"
PATH = "/api/v1/requests/bulk"


def rows(count):
    return [{"kind": "new-project", "values": wish()} for _ in range(count)]


def post(client, requests, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(PATH, {"requests": requests}, JSON, headers=headers)


def test_bulk__good_and_bad_rows__a_result_for_each_in_their_order(program):
    good = rows(2)
    taken = {"kind": "new-project", "values": good[0]["values"]}
    bad = {"kind": "new-project", "values": wish(cpu="many")}
    elsewhere = {"kind": "new-project", "values": wish(tenant="motor")}
    sent = [good[0], bad, taken, {"kind": "no-such"}, {"kind": "moon", "values": {}}, 7, elsewhere, good[1]]
    answer = post(program("dev"), sent)
    assert answer.status_code == 200
    told = answer.json()["results"]
    assert [one["status"] for one in told] == [201, 422, 409, 422, 404, 422, 422, 201]
    assert [one["number"] for one in told if one["number"]] == list(
        Request.objects.order_by("pk").values_list("pk", flat=True)
    )
    assert told[0]["problem"] is None and told[0]["state"] == "submitted"
    assert [one["pointer"] for one in told[1]["problem"]["errors"]] == ["/environments/0/cpu"]
    assert told[2]["problem"]["code"] == "target-busy"
    assert [one["pointer"] for one in told[3]["problem"]["errors"]] == ["/values"]


def test_bulk__each_in_its_own_transaction__a_row_that_breaks_stops_no_other(program, monkeypatch):
    from workflow.services import bulk

    def broken(**asked):
        return 1 // 0 if asked["values"]["name"] == "broken" else submit(**asked)

    monkeypatch.setattr(bulk, "submit", broken)
    sent = [*rows(1), {"kind": "new-project", "values": wish(name="broken")}, *rows(1)]
    told = post(program("dev"), sent).json()["results"]
    assert [one["status"] for one in told] == [201, 500, 201]
    assert "division" not in str(told)


@pytest.mark.parametrize("requests", [[], None, "x", {}, 7])
def test_bulk__not_a_list_of_wishes__422(program, requests):
    assert post(program("dev"), requests).status_code == 422


def test_bulk__more_than_200__422_and_nothing_is_asked(program):
    one = rows(1)[0]
    answer = post(program("dev"), [one] * 201)
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/requests"
    assert not Request.objects.exists()


def test_bulk__sent_again_with_its_key__the_same_answer(program):
    sent = rows(3)
    first, again = post(program("dev"), sent, "k"), post(program("dev"), sent, "k")
    assert first.content == again.content and again["Idempotency-Replayed"] == "true"
    assert Request.objects.count() == 3


def test_bulk__process_died_half_way__sent_again_what_was_made_is_not_made_again(program, monkeypatch):
    from workflow.services import bulk

    sent, calls = rows(3), []

    def dying(**asked):
        calls.append(asked)
        if len(calls) == 3:
            raise SystemExit
        return submit(**asked)

    client = program("dev")
    with monkeypatch.context() as patched:
        patched.setattr(bulk, "submit", dying)
        with pytest.raises(SystemExit):
            post(client, sent, "k")
    made = set(Request.objects.values_list("pk", flat=True))
    assert len(made) == 2
    told = post(client, sent, "k").json()["results"]
    assert [one["status"] for one in told] == [201, 201, 201]
    assert Request.objects.count() == 3 and made < {one["number"] for one in told}


def test_bulk__while_it_runs__its_claim_is_prolonged_at_each_row(program, monkeypatch):
    from workflow.services import bulk

    seen = []

    def looking(**asked):
        seen.append(KeptAnswer.objects.get().claimed_until)
        return submit(**asked)

    monkeypatch.setattr(bulk, "submit", looking)
    post(program("dev"), rows(3), "k")
    assert seen == sorted(set(seen)) and len(seen) == 3


def test_bulk__key_of_a_row__its_request_is_known_by_it(program, people):
    one = rows(1)[0]
    known = submit(kind="new-project", values=one["values"], by=people["dev"], at=timezone.now(), idempotency_key="r1")
    told = post(program("dev"), [one | {"idempotency_key": "r1"}, *rows(1)]).json()["results"]
    assert told[0]["number"] == known.number and Request.objects.count() == 2
    reused = post(program("dev"), [rows(1)[0] | {"idempotency_key": "r1"}]).json()["results"][0]
    assert (reused["status"], reused["problem"]["code"]) == (409, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["", "k" * 201, "ä", 7, "a\x00"])
def test_bulk__malformed_key_of_a_row__422_for_it_alone(program, key):
    told = post(program("dev"), [rows(1)[0] | {"idempotency_key": key}, *rows(1)]).json()["results"]
    assert [one["status"] for one in told] == [422, 201]


def test_bulk__who_may_not_ask__told_in_each_row(program):
    told = post(program("guest"), rows(2)).json()["results"]
    assert {one["status"] for one in told} == {403}
    assert post(program("dev", "read"), rows(1)).status_code == 403
    assert not Request.objects.exists()


def test_rehearse__three_environments__what_each_would_change_and_nothing_stored(program):
    one = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    values = wish(environments=[one | {"environment": name} for name in ("dev", "prod")])
    answer = program("dev").post("/api/v1/requests/rehearse", {"kind": "new-project", "values": values}, JSON)
    assert answer.status_code == 200
    dev, prod = answer.json()["items"]
    assert (dev["environment"], dev["cluster"], dev["tenant"]) == ("dev", "gitops", "claims")
    assert {change["ref"]["kind"] for change in dev["changes"]} >= {"Namespace", "ResourceQuota"}
    assert dev["policy"] != prod["policy"] and prod["facts"]["environment"] == "prod"
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    ("who", "values", "status"),
    [("dev", wish(cpu="many"), 422), ("guest", wish(), 403), ("stranger", wish(), 422), ("dev", [], 422)],
)
def test_rehearse__what_would_be_refused__refused(program, who, values, status):
    body = {"kind": "new-project", "values": values}
    assert program(who).post("/api/v1/requests/rehearse", body, JSON).status_code == status


def test_list__mine__what_i_asked_for(program, ask):
    ask()
    ask(by="owner")
    for who, mine, count in (("dev", "true", 1), ("dev", "false", 1), ("guest", "true", 0), ("owner", "true", 1)):
        assert len(program(who).get(f"/api/v1/requests?mine={mine}").json()["items"]) == count
    assert program("dev").get("/api/v1/requests?mine=1").status_code == 422


def test_detail__approved__names_its_bundles(program, ask):
    request = ask(environment="dev")
    [bundle] = program("dev").get(f"/api/v1/requests/{request.number}").json()["bundles"]
    assert bundle["revision"] == 1
    assert program("dev").get(f"/api/v1/bundles/{bundle['uid']}").status_code == 200


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_list__pages_by_link__each_once(program, ask, order):
    numbers = [ask().number for _ in range(5)]
    client, found, address = program("dev"), [], f"/api/v1/requests?order={order}&limit=2"
    while address:
        answer = client.get(address)
        found += [one["number"] for one in answer.json()["items"]]
        link = answer.get("Link", "")
        assert link == "" or link.endswith('; rel="next"')
        address = link.partition("<")[2].partition(">")[0]
    assert found == (numbers if order == "oldest" else numbers[::-1])
