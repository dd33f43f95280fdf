"""Policies: which one fits, the pages on which they are read, tried and asked for, and REST."""

import html
import json
import re

import pytest
from django.test import Client
from django.utils import timezone, translation

from tests.builders import a_user, ready_portal
from tests.portal.walk import with_token
from workflow import policy_rows, queries
from workflow.models import Policy, Request
from workflow.services import decide, submit
from workflow.services.choosing import fitting

PLATFORM = {"group": "platform", "minimum": 1, "deadline_hours": 240}


def policy(slug: str, priority: int, condition: str = "", *groups: str, **fields: object) -> Policy:
    steps = [PLATFORM | {"group": group} for group in groups]
    return Policy(slug=slug, name_en=slug, priority=priority, condition=condition, steps=steps, **fields)


LAST = policy("last", 10_000, "", "platform", is_fixed=True)


def chosen(policies: list[Policy], kind: str = "new-project", **facts: object) -> str:
    found = fitting(policies, kind, {"kind": kind} | facts)
    return ("!" if found.problem else "") + (found.policy.slug if found.policy else "")


def test_fitting__several_fit__lowest_priority_number():
    policies = [policy("b", 20), LAST, policy("a", 10, 'environment == "dev"'), policy("c", 5, "false")]
    assert chosen(policies, environment="dev") == "a"
    assert chosen(policies, environment="prod") == "b"


def test_fitting__other_kind__passed_over_without_looking_at_its_condition():
    assert chosen([policy("a", 1, "delta.cpu > 1", kind="change-quota"), LAST]) == "last"


def test_fitting__none_fits__none():
    assert chosen([policy("a", 1, "false")]) == ""


def test_fitting__fact_is_missing__catch_all_and_never_an_automatic_one_below():
    policies = [policy("a", 1, "delta.cpu > 1", "security"), policy("automatic", 2), LAST]
    assert chosen(policies) == "!last"
    assert "delta.cpu" in str(fitting(policies, "new-project", {}).problem)


@pytest.mark.parametrize("condition", ["1 / (namespaces - namespaces) > 0", "nope == 1", "tenant", "((("])
def test_fitting__condition_without_an_answer__catch_all(condition):
    assert chosen([policy("a", 1, condition), policy("automatic", 2), LAST], namespaces=1) == "!last"


def test_fitting__fact_of_the_wrong_type__catch_all():
    policies = [policy("a", 1, "delta.cpu > 1"), policy("automatic", 2), LAST]
    assert chosen(policies, **{"delta.cpu": True}) == "!last"


def test_fitting__missing_fact_that_is_not_needed__no_problem():
    policies = [policy("a", 1, 'kind == "change-quota" && delta.cpu > 1'), policy("b", 2, "", "security"), LAST]
    assert chosen(policies) == "b"


def test_fitting__error_below_the_one_that_fits__not_looked_at():
    assert chosen([policy("a", 1, "true", "security"), policy("b", 2, "delta.cpu > 1"), LAST]) == "a"


def test_fitting__error_and_no_catch_all__nobody_and_said():
    assert chosen([policy("a", 1, "delta.cpu > 1"), policy("b", 2)]) == "!"


@pytest.mark.parametrize(
    ("hours", "words"), [(1, "within 1 hour"), (24, "within 1 day"), (36, "within 36 hours"), (240, "within 10 days")]
)
def test_deadline__hours__days_where_they_are_whole(hours, words):
    assert policy_rows.deadline_words(hours) == words


def test_why__facts_that_the_condition_names__with_their_values():
    condition = 'environment == "delta.memory" && delta.cpu <= 4000 && asker.is_administrator'
    facts = {"environment": "dev", "delta.cpu": 5, "delta.memory": 6, "asker.is_administrator": True}
    rows = policy_rows.why_rows(condition, facts)
    assert {row["name"]: row["value"] for row in rows} == {
        "environment": "dev",
        "delta.cpu": "5",
        "asker.is_administrator": "yes",
    }


@pytest.fixture
def people(db):
    ready_portal()
    names = {"admin": ("administrator",), "second": ("administrator",), "auditor": ("auditor",), "dev": ()}
    return {name: a_user(name, *roles) for name, roles in names.items()}


def browser(user) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user, backend="accounts.backends.DirectoryBackend")
    return client


def entries(**changes: str) -> dict[str, str]:
    known = {"action": "create", "slug": "big", "name_zh": "大额", "name_en": "Much quota", "kind": "new-project"}
    known |= {"condition": "requested.cpu > 8000", "priority": "120", "reason": "Scarce"}
    steps = {"steps-0-group": "datacenter", "steps-0-minimum": "2", "steps-0-deadline": "2", "steps-0-unit": "days"}
    more = {"steps-2-group": "security", "steps-2-minimum": "1", "steps-2-deadline": "36", "steps-2-unit": "hours"}
    return known | steps | more | changes


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def error_beside(response, field: str) -> str:
    found = re.search(rf'id="id_{field}-error">(.*?)</div>', response.content.decode(), re.S)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


@pytest.mark.parametrize("who", ["dev", "auditor", "admin"])
def test_list__everybody__sees_who_decides_and_only_administrators_change(people, who):
    page = browser(people[who]).get("/policies")
    shown = text_of(page)
    assert "Development approves by itself" in shown and 'environment == "dev"' in shown
    assert "1. Data centre within 10 days" in shown and "cannot be changed" in shown
    assert ("/policies/dev/edit" in page.content.decode()) is (who == "admin")
    assert "/policies/otherwise/edit" not in page.content.decode()


def test_list__retired__folded_and_only_for_administrators_and_auditors(people):
    Policy.objects.filter(slug="dev").update(is_active=False)
    for who, sees in (("dev", False), ("auditor", True), ("admin", True)):
        shown = text_of(browser(people[who]).get("/policies"))
        assert ("Development approves by itself" in shown) is sees
        assert ("Retired policies" in shown) is sees


def test_list__open_request__linked_for_those_who_may_see_it(people):
    values = {"action": "retire", "slug": "dev"}
    request = submit(kind="change-policy", values=values, by=people["admin"], at=timezone.now())
    link = f"Change asked for: #{request.number}"
    assert link in text_of(browser(people["second"]).get("/policies"))
    assert link not in text_of(browser(people["dev"]).get("/policies"))


def test_list__chinese__names_in_chinese(people):
    with translation.override("zh-hans"):
        client = browser(people["dev"])
        client.cookies["django_language"] = "zh-hans"
        assert "开发环境自动批准" in text_of(client.get("/policies", headers={"Accept-Language": "zh-CN"}))


def test_new__asked_for__a_request_that_another_administrator_decides(people):
    client = browser(people["admin"])
    sent = client.post("/policies/new", entries() | {"idempotency_key": "k"})
    request = Request.objects.get()
    assert (sent.status_code, sent.url) == (302, f"/requests/{request.number}")
    assert client.post("/policies/new", entries() | {"idempotency_key": "k"}).url == sent.url
    assert request.values["steps"] == [
        {"group": "datacenter", "minimum": 2, "deadline_hours": 48},
        {"group": "security", "minimum": 1, "deadline_hours": 36},
    ]
    digest = queries.newest_plan(request).digest
    decide(
        number=request.number, verdict="approve", note="", plan_digest=digest, by=people["second"], at=timezone.now()
    )
    assert Policy.objects.get(slug="big").priority == 120


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"condition": "requested.cpu > \n nope"}, "condition", "Line 2, column 2"),
        ({"condition": ""}, "condition", ""),
        ({"slug": "dev"}, "slug", "already"),
        ({"slug": "\0"}, "slug", "Small letters"),
        ({"name_en": ""}, "name_en", "needed"),
        ({"priority": "1e9999"}, "priority", "wrong type"),
        ({"priority": ""}, "priority", "needed"),
        ({"priority": "٣"}, "priority", "wrong type"),
        ({"priority": "9" * 400}, "priority", "wrong type"),
        ({"kind": "nope"}, "kind", "no such kind"),
        ({"steps-0-group": "nobody"}, "steps-0-group", "no such approver group"),
        ({"steps-2-minimum": "7"}, "steps-2-minimum", "At most 5"),
        ({"steps-2-deadline": "-1"}, "steps-2-deadline", "At least 1"),
        ({"steps-2-deadline": "x"}, "steps-2-deadline", "wrong type"),
        ({"steps-2-deadline": "91", "steps-2-unit": "days"}, "steps-2-deadline", "At most 2160"),
        ({"name_zh": "x" * 500_000}, "name_zh", "At most 80"),
    ],
)
@pytest.mark.parametrize("address", ["/policies/new", "/policies/trial"])
def test_form__not_a_policy__error_beside_the_field_and_entries_kept(people, address, changes, field, words):
    answer = browser(people["admin"]).post(address, entries(**changes))
    if not words:
        assert answer.status_code in (200, 302)
        return
    assert answer.status_code == 422
    assert words in error_beside(answer, field)
    if field != "name_en":
        assert 'value="Much quota"' in answer.content.decode()
    assert not Request.objects.exists()


def test_edit__form__filled_in_with_the_policy_as_it_is(people):
    page = browser(people["admin"]).get("/policies/dev-quota/edit").content.decode()
    assert 'value="A little more for development approves by itself"' in page and 'value="210"' in page
    assert 'name="slug" readonly' in page or "readonly" in page
    assert "delta.memory &lt;= 8589934592" in page
    assert "asker.is_tenant_owner" in page


def test_edit__asked_for__whatever_slug_was_sent(people):
    client = browser(people["admin"])
    client.post("/policies/dev/edit", entries(action="change", slug="less", priority="101"))
    assert Request.objects.get().values["slug"] == "dev"


@pytest.mark.parametrize("slug", ["policies", "otherwise", "nowhere", "a" * 300])
def test_edit__fixed_or_missing__not_found(people, slug):
    assert browser(people["admin"]).get(f"/policies/{slug}/edit").status_code == 404


def test_retire__button__a_request(people):
    client = browser(people["admin"])
    tried = client.post("/policies/trial", {"action": "retire", "slug": "dev"})
    assert tried.status_code == 200 and "without this policy" in text_of(tried)
    client.post("/policies/dev/edit", {"action": "retire", "reason": "Old"})
    assert Request.objects.get().values == {"action": "retire", "slug": "dev", "reason": "Old"}


def test_retire__fixed__said(people):
    answer = browser(people["admin"]).post("/policies/otherwise/edit", {"action": "retire"})
    assert answer.status_code == 422 and "safeguard" in text_of(answer)


def test_new__copy_of_a_retired_one__filled_in(people):
    Policy.objects.filter(slug="dev").update(is_active=False)
    page = browser(people["admin"]).get("/policies/new?copy=dev").content.decode()
    assert 'value="Development approves by itself"' in page and 'value="create"' in page


def test_new__request_that_was_sent_back__is_changed_and_not_made_twice(people):
    client = browser(people["admin"])
    client.post("/policies/new", entries())
    number = Request.objects.get().number
    decide(number=number, verdict="send_back", note="Two?", plan_digest="", by=people["second"], at=timezone.now())
    page = client.get(f"/policies/new?request={number}").content.decode()
    assert f'name="request" value="{number}"' in page and 'value="Much quota"' in page
    sent = client.post("/policies/new", entries(name_en="More") | {"request": str(number)})
    assert sent.url == f"/requests/{number}"
    request = Request.objects.get()
    assert (request.values["name_en"], request.round, request.state) == ("More", 2, "submitted")


@pytest.mark.parametrize(
    "query", ["request=0", "request=x", "request=%00", "copy=nowhere", "copy=%00", "copy=" + "a" * 9]
)
def test_new__nothing_to_begin_with__not_found(people, query):
    assert browser(people["admin"]).get(f"/policies/new?{query}").status_code == 404


@pytest.mark.parametrize("who", ["dev", "auditor"])
def test_change_pages__no_administrator__refused(people, who):
    client = browser(people[who])
    for address in ("/policies/new", "/policies/dev/edit"):
        assert client.get(address).status_code == 403
        assert client.post(address, entries()).status_code == 403
    assert client.post("/policies/trial", entries()).status_code == 403
    assert not Request.objects.exists()


def api(user, *scopes: str) -> Client:
    from accounts.services import issue_token

    text = issue_token(user=user, name="t", scopes=list(scopes), days=1, by=user, at=timezone.now())[1]
    return with_token(text)


def test_api__list_and_one__retired_only_for_administrators_and_auditors(people):
    Policy.objects.filter(slug="dev").update(is_active=False)
    for who, sees in (("dev", False), ("auditor", True)):
        client = api(people[who], "read")
        items = client.get("/api/v1/policies").json()["items"]
        assert [item["priority"] for item in items] == sorted(item["priority"] for item in items)
        assert ("dev" in [item["slug"] for item in items]) is sees
        assert client.get("/api/v1/policies/dev").status_code == (200 if sees else 404)
    one = api(people["dev"], "read").get("/api/v1/policies/prod").json()
    assert one["steps"][0] == {"group": "datacenter", "minimum": 1, "deadline_hours": 240}
    assert (one["name"], one["is_fixed"]) == ("Production is decided by the data centre and security", False)


def test_api__facts__with_types_and_units(people):
    items = {item["name"]: item for item in api(people["dev"], "read").get("/api/v1/policies/facts").json()["items"]}
    assert items["delta.cpu"]["type"] == "integer" and items["delta.cpu"]["unit"] == "millicores"
    assert items["asker.is_tenant_owner"]["type"] == "boolean"


def test_api__trial__needs_the_scope_and_the_role(people):
    values = {"action": "retire", "slug": "policies"}
    post = {"path": "/api/v1/policies/trial", "content_type": "application/json"}
    assert api(people["admin"], "read").post(**post, data=json.dumps(values)).status_code == 403
    assert api(people["dev"], "request").post(**post, data=json.dumps(values)).status_code == 403
    refused = api(people["admin"], "request").post(**post, data=json.dumps(values))
    assert refused.status_code == 422 and "safeguard" in json.dumps(refused.json())
    values = {"action": "retire", "slug": "dev"}
    submit(kind="change-policy", values=values, by=people["second"], at=timezone.now())
    found = api(people["admin"], "request").post(**post, data=json.dumps(values)).json()
    assert (found["tried"], found["changed"], found["problems"]) == (1, 0, 0)
    assert found["items"][0]["went_to"] == {"policy": "policies", "groups": ["administrators"], "problem": ""}


def test_api__change__asked_for_as_a_request(people):
    values = {"action": "create", "slug": "x", "name_zh": "x", "name_en": "x", "priority": 7}
    body = json.dumps({"kind": "change-policy", "values": values})
    post = {"path": "/api/v1/requests", "content_type": "application/json", "data": body}
    made = api(people["admin"], "request", "read").post(**post)
    assert made.status_code == 201, made.content
    assert made.json()["policy"] == "policies" and made.json()["tenant"] is None
    bad = json.dumps({"kind": "change-policy", "values": values | {"slug": "y", "condition": "true &&"}})
    refused = api(people["admin"], "request").post(**post | {"data": bad})
    assert refused.status_code == 422 and "/condition" in json.dumps(refused.json())
