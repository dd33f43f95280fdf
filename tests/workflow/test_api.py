"""REST of requests: lists, changing, comments, the record, kinds, who would decide."""

import pytest
from django.utils import timezone

from tests.builders import wish
from workflow import queries
from workflow.models import Comment, Request
from workflow.services import decide

pytestmark = pytest.mark.django_db

JSON = "application/json"


def environments(*names):
    one = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    return [one | {"environment": name} for name in names]


def put(client, number, body, tag="*"):
    return client.put(f"/api/v1/requests/{number}", body, JSON, headers={"If-Match": tag})


def pointers(answer):
    return [error["pointer"] for error in answer.json()["errors"]]


def test_create__two_environments__the_parent_with_the_numbers_of_its_children(program):
    body = {"kind": "new-project", "values": wish(environments=environments("dev", "test"))}
    answer = program("dev").post("/api/v1/requests", body, JSON)
    assert answer.status_code == 201
    parent = answer.json()
    assert (parent["parent"], parent["policy"], parent["state"]) == (None, None, "submitted")
    found = program("dev").get(f"/api/v1/requests?parent={parent['number']}").json()["items"]
    assert sorted(one["number"] for one in found) == sorted(parent["children"])
    assert {one["environment"]: one["state"] for one in found} == {"dev": "approved", "test": "submitted"}
    child = program("dev").get(f"/api/v1/requests/{parent['children'][1]}").json()
    assert (child["parent"], child["children"]) == (parent["number"], [])
    assert child["facts"]["delta.cpu"] == 2000
    assert program("dev").get(f"/api/v1/requests/{parent['number']}/plan").status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=submitted", 2),
        ("state=approved", 1),
        ("environment=dev", 2),
        ("kind=new-project", 3),
        ("kind=change-policy", 0),
        ("tenant=motor", 0),
        ("tenant=claims&state=approved", 1),
        ("q=nothing-like-it", 0),
    ],
)
def test_list__filters__what_fits(program, ask, query, count):
    ask(environments=environments("dev", "prod"))
    assert len(program("platform").get(f"/api/v1/requests?{query}").json()["items"]) == count


@pytest.mark.parametrize(
    "query", ["kind=x", "tenant=", "tenant=%00", "environment=moon", "parent=x", "parent=%D9%A3", "q="]
)
def test_list__unknown_filter__422_with_its_name(program, query):
    answer = program("dev").get(f"/api/v1/requests?{query}")
    assert answer.status_code == 422
    assert pointers(answer) == [f"/{query.partition('=')[0]}"]


def test_edit__whole_values__a_new_round(program, ask):
    request = ask()
    values = request.values | {"environments": [request.values["environments"][0] | {"cpu": "1"}]}
    answer = put(program("dev"), request.number, {"values": values})
    assert answer.status_code == 200
    assert (answer.json()["round"], answer.json()["values"]["environments"][0]["cpu"]) == (2, "1")
    assert [step["round"] for step in answer.json()["steps"]] == [1, 2]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/values"),
        ({"values": 1}, ""),
        ({"values": {"environments": "x"}}, "/environments"),
        ({"values": wish() | {"environments": []}}, "/environments"),
        ({"values": wish(cpu="NaN")}, "/environments/0/cpu"),
        ({"values": wish() | {"privileged": True}}, "/privileged"),
    ],
)
def test_edit__hostile_body__422_and_nothing_changes(program, ask, body, pointer):
    answer = put(program("dev"), ask().number, body)
    assert answer.status_code == 422
    assert pointer in pointers(answer)
    assert Request.objects.get().round == 1


@pytest.mark.parametrize(("who", "status"), [("owner", 403), ("platform", 403), ("auditor", 403), ("stranger", 404)])
def test_edit__not_who_asked__refused(program, ask, who, status):
    assert put(program(who), ask().number, {"values": wish()}).status_code == status


def test_edit__closed__409(program, ask):
    request = ask(environment="dev")
    assert put(program("dev"), request.number, {"values": wish()}).status_code == 409


def test_comments__said_and_read_in_the_record(program, ask, people):
    request = ask()
    path = f"/api/v1/requests/{request.number}"
    made = program("platform").post(f"{path}/comments", {"text": "Which rack?"}, JSON)
    assert (made.status_code, made.json()["text"], made.json()["by"]) == (201, "Which rack?", "platform")
    note = {"verdict": "send_back", "note": "Smaller"}
    decide(number=request.number, plan_digest="", by=people["platform"], at=timezone.now(), **note)
    record = program("dev").get(f"{path}/record").json()
    assert [one["text"] for one in record["comments"]] == ["Which rack?"]
    [decision] = record["decisions"]
    assert (decision["verdict"], decision["by"], decision["in_place_of"]) == ("send_back", "platform", "platform")
    assert (decision["group"], decision["note"], decision["voided_at"]) == ("platform", "Smaller", None)


@pytest.mark.parametrize("text", ["", "  ", None, "a\x00b", "abc\u202egnp", "x" * 2001, ["a"], {"a": 1}])
def test_comments__not_sayable__422(program, ask, text):
    number = ask().number
    answer = program("dev").post(f"/api/v1/requests/{number}/comments", {"text": text}, JSON)
    assert answer.status_code == 422
    assert not Comment.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("auditor", 403), ("stranger", 404)])
def test_comments__wrong_role__refused(program, ask, who, status):
    number = ask().number
    assert program(who).post(f"/api/v1/requests/{number}/comments", {"text": "Hm"}, JSON).status_code == status
    assert program("dev", "read").post(f"/api/v1/requests/{number}/comments", {"text": "Hm"}, JSON).status_code == 403


def test_record__stranger__404(program, ask):
    assert program("stranger").get(f"/api/v1/requests/{ask().number}/record").status_code == 404


def test_kinds__by_person__what_each_may_ask(program):
    for who, may in (("dev", True), ("guest", False)):
        kinds = {one["slug"]: one for one in program(who).get("/api/v1/kinds").json()["items"]}
        assert kinds["new-project"]["may_ask"] is may
        assert kinds["new-project"]["schema"]["properties"]["environments"]["items"]["properties"]["cpu"]
        assert "x-form" not in str(kinds["new-project"]["schema"])


def test_foresee__three_environments__who_decides_each(program):
    body = {"kind": "new-project", "values": wish(environments=environments("dev", "test", "prod"))}
    items = program("dev").post("/api/v1/requests/foresee", body, JSON).json()["items"]
    assert (items[0]["label"], items[0]["groups"]) == ("Development", [])
    assert all(one["is_complete"] and one["policy"] and one["reason"] for one in items)
    assert items[2]["groups"]
    assert not Request.objects.exists()


@pytest.mark.parametrize("values", [{}, [], 1, None, {"environments": [{"environment": "prod"}]}, {"tenant": "\x00"}])
def test_foresee__unfinished_or_nonsense__answered(program, values):
    answer = program("dev").post("/api/v1/requests/foresee", {"kind": "new-project", "values": values}, JSON)
    assert answer.status_code in (200, 422)
    assert answer.status_code == 200 or pointers(answer) == ["/values"]


def test_foresee__unknown_kind__404(program):
    assert program("dev").post("/api/v1/requests/foresee", {"kind": "x", "values": {}}, JSON).status_code == 404


def test_decide__send_back_by_rest__then_edited_and_approved(program, ask):
    request = ask()
    path = f"/api/v1/requests/{request.number}"
    sent = program("platform").post(f"{path}/decision", {"verdict": "send_back", "note": "Smaller"}, JSON)
    assert sent.json()["state"] == "changes_requested"
    values = request.values | {"environments": [request.values["environments"][0] | {"cpu": "1"}]}
    assert put(program("dev"), request.number, {"values": values}).json()["state"] == "submitted"
    digest = queries.newest_plan(Request.objects.get()).digest
    said = {"verdict": "approve", "plan_digest": digest}
    assert program("platform").post(f"{path}/decision", said, JSON).json()["state"] == "approved"
