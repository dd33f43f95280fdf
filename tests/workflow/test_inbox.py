"""The inbox: what waits, how it is narrowed and sorted, what is risky, deciding several at once."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.models import TenantBudget
from tests.builders import a_tenant
from workflow import inbox, policy_rows, queries, rows
from workflow.facts import NO_LIMIT
from workflow.models import Plan, Policy, Request, Step
from workflow.narrowing import Wanted
from workflow.services import delegate
from workflow.services.rounds import begin

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(people):
    """As everywhere, but the platform group decides all that is asked here."""
    Policy.objects.filter(slug="prod").update(is_active=False)
    a_tenant("motor", guest="developer")
    return people


def choice(request):
    return f"{request.number}:{queries.newest_plan(request).digest}"


def unreachable(request):
    """As it is stored where the cluster could not be asked."""
    Plan.objects.filter(request=request).update(problem={"text": "It is down", "parameters": {}})


def waiting(user, **wanted):
    now = timezone.now()
    return inbox.shown_rows(queries.inbox_of(user, now), Wanted(**wanted), now)[0]


def test_inbox__each_row__deadline_risk_effect_and_changes(browse, ask):
    number = ask(environment="prod").number
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browse("platform").get("/inbox").content.decode()))
    assert f"#{number} New project" in page
    for words in ("+2 cores, +4 Gi, +20 Gi storage", " added", "Medium", "Production", "due in", "as Platform"):
        assert words in page


def test_inbox__own_request__is_not_there(browse, ask, people):
    a_tenant("claims", platform="developer")
    ask("platform")
    assert "Nothing waits for you" in browse("platform").get("/inbox").content.decode()


@pytest.mark.parametrize("who", ["dev", "auditor", "datacenter"])
def test_inbox__not_of_the_group__empty(browse, ask, who):
    ask()
    assert "data-bulk-row" not in browse(who).get("/inbox").content.decode()


def test_inbox__standing_in__the_rows_and_until_when(browse, ask, people, directory):
    period = {"starts_at": timezone.now(), "ends_at": timezone.now() + timedelta(days=2), "reason": ""}
    delegate(to="owner", by=people["platform"], at=timezone.now(), **period)
    number = ask().number
    page = browse("owner").get("/inbox").content.decode()
    assert "You also decide for platform" in page and f"#{number} " in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"plain", "prod", "motor", "due"}),
        ("environment=prod", {"prod"}),
        ("tenant=motor", {"motor"}),
        ("tenant=claims", {"plain", "prod", "due"}),
        ("kind=new-project", {"plain", "prod", "motor", "due"}),
        ("kind=change-policy", set()),
        ("group=platform", {"plain", "prod", "motor", "due"}),
        ("group=security", set()),
        ("risk=medium", {"prod"}),
        ("risk=low", {"plain", "motor", "due"}),
        ("risk=high", set()),
        ("age=soon", {"due"}),
        ("age=overdue", set()),
        ("q=guest", {"motor"}),
        ("q=nothing-like-it", set()),
        # What is not known leaves nothing out.
        ("risk=x&age=x&environment=moon&tenant=%00&group=..&kind=x&sort=x&page=x", {"plain", "prod", "motor", "due"}),
    ],
)
def test_inbox__filters__what_fits(browse, ask, query, found):
    made = {"plain": ask(), "prod": ask(environment="prod"), "motor": ask("guest", tenant="motor"), "due": ask()}
    Step.objects.filter(request=made["due"]).update(due_at=timezone.now() + timedelta(hours=2))
    answer = browse("platform").get(f"/inbox?{query}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert {name for name, one in made.items() if f'value="{choice(one)}"' in page} == found


def test_inbox__orders__by_deadline_age_and_risk(people, ask):
    first, prod, due = ask(), ask(environment="prod"), ask()
    Step.objects.filter(request=due).update(due_at=timezone.now() + timedelta(hours=2))
    unreachable(first)
    numbers = {order: [one.number for one in waiting(people["platform"], order=order)] for order in ("", "age", "risk")}
    assert numbers[""][0] == due.number
    assert numbers["age"] == [first.number, prod.number, due.number]
    assert numbers["risk"] == [first.number, prod.number, due.number]


def test_inbox__overdue__said_in_words(browse, ask):
    Step.objects.filter(request=ask()).update(due_at=timezone.now() - timedelta(hours=2))
    page = browse("platform").get("/inbox?age=overdue").content.decode()
    assert "Overdue" in page and "1 is due within a day" in page


def test_risk__little_left_of_the_budget__medium(people, ask):
    TenantBudget.objects.create(tenant=a_tenant("claims"), resource="cpu", amount=5000)
    first = ask(cpu="2")
    second = ask(cpu="2")
    found = {one.number: (inbox.LEVELS[one.risk], rows.risks_of(one)) for one in waiting(people["platform"])}
    assert found[first.number][0] == "low"
    assert found[second.number] == ("medium", ["Little is left of the tenant's budget after this"])


@pytest.mark.parametrize(("environment", "risk"), [("prod", "high"), ("test", "medium"), ("dev", "medium")])
def test_risk__a_kind_that_removes__high_in_production_medium_elsewhere(people, ask, environment, risk):
    request = ask()
    # As one whose plan says nothing of what goes: the portal keeps no object of the bundle.
    Request.objects.filter(pk=request.pk).update(kind="delete-project", environment=environment)
    Plan.objects.filter(request=request).update(changes=[])
    [row] = waiting(people["platform"], risk=risk)
    assert bool(inbox.locked_reason(row)) == (risk == "high")
    wanted = ["Removes something in production", "Production"] if risk == "high" else ["Removes something"]
    assert rows.risks_of(row) == wanted


@pytest.mark.parametrize(
    ("wished", "risk"),
    [({"cpu": "7"}, "low"), ({"cpu": "8"}, "medium"), ({"memory": "15Gi"}, "low"), ({"memory": "16Gi"}, "medium")],
)
def test_risk__much_at_once__medium(people, ask, wished, risk):
    ask(**wished)
    [row] = waiting(people["platform"])
    assert inbox.LEVELS[row.risk] == risk
    assert rows.risks_of(row) == (["Takes a lot at once"] if risk == "medium" else [])


@pytest.mark.parametrize("case", ["unreachable", "removes", "policy"])
def test_risk__high__as_the_database_weighs_it_and_as_the_page_says(browse, people, ask, case):
    request = ask(environment="prod")
    ref = {"api_version": "", "kind": "Policy", "namespace": "", "name": "x"}
    changes = {
        "removes": [{"ref": ref | {"kind": "Namespace"}, "action": "remove", "fields": []}],
        "policy": [{"ref": ref, "action": "change", "fields": [], "alteration": True}],
    }
    if case == "unreachable":
        unreachable(request)
    else:
        Plan.objects.filter(request=request).update(changes=changes[case])
    [row] = waiting(people["platform"], risk="high")
    assert inbox.locked_reason(row)
    page = browse("platform").get("/inbox").content.decode()
    assert re.search(rf'value="{choice(request)}"[^>]* disabled aria-describedby="locked-{request.number}"', page)
    assert "decided by itself only" in page


def test_inbox__300_rows__paged_with_the_same_few_queries(browse, people, ask):
    base = ask()
    fields = ("kind", "state", "tenant", "environment", "title", "values", "cluster", "asker", "facts", "policy")
    copied = {name: getattr(base, name) for name in fields} | {"wish_digest": "", "submitted_at": timezone.now()}
    plan = queries.newest_plan(base)
    looked = {name: getattr(plan, name) for name in ("number", "changes", "digest", "observed_at")}

    def grow(count):
        made = Request.objects.bulk_create(Request(target=f"copy:{n}", **copied) for n in range(count))
        Plan.objects.bulk_create(Plan(request=one, **looked) for one in made)
        for one in made:
            begin(one, base.policy, timezone.now())

    def counted(address):
        with CaptureQueriesContext(connection) as captured:
            page = client.get(address).content.decode()
        return page, [one["sql"][:150] for one in captured]

    client = browse("platform")
    grow(2)
    # The first call of a session writes down when it began.
    client.get("/inbox")
    few = counted("/inbox")[1]
    grow(297)
    seen = set()
    for number in range(1, 7):
        page, many = counted(f"/inbox?page={number}&sort=age")
        # Session, user and the bell, then what it is about.
        assert len(many) == len(few) <= 3 + 5, many
        seen |= set(re.findall(r'name="request" value="(\d+):', page))
        assert ('rel="next"' in page) == (number < 6)
    assert len(seen) == 300
    assert "Nothing matches" in counted("/inbox?page=7")[0]


def test_bulk__approve__a_result_for_each(browse, ask):
    first, second = ask(), ask()
    posted = {"verdict": "approve", "request": [choice(first), choice(second)]}
    page = browse("platform").post("/inbox/decisions", posted).content.decode()
    assert "2 decided, 0 not." in page
    assert set(Request.objects.values_list("state", flat=True)) == {"approved"}


def test_bulk__one_changed_one_closed__the_others_are_decided(browse, ask, people):
    fine, stale, closed, of_others = ask(), ask(), ask(), ask()
    browse("platform").post(f"/requests/{closed.number}/decision", {"verdict": "reject", "note": "No"})
    Step.objects.filter(request=of_others).update(group=Step.objects.get(request=fine).group_id)
    posted = {"verdict": "approve", "request": [choice(fine), f"{stale.number}:{'0' * 64}", choice(closed)]}
    page = browse("platform").post("/inbox/decisions", posted).content.decode()
    assert "1 decided, 2 not." in page
    assert "Please decide on the new plan" in page and "Look at the new plan" in page
    assert "is already closed" in page
    states = dict(Request.objects.values_list("pk", "state"))
    assert (states[fine.pk], states[stale.pk]) == ("approved", "submitted")


def test_bulk__high_risk_posted_all_the_same__is_not_decided(browse, ask):
    request, other = ask(), ask()
    unreachable(request)
    posted = {"verdict": "approve", "request": [choice(request), choice(other)]}
    page = browse("platform").post("/inbox/decisions", posted).content.decode()
    assert "Please decide this one by itself" in page and "1 decided, 1 not." in page
    assert Request.objects.get(pk=request.pk).state == "submitted"


@pytest.mark.parametrize("verdict", ["reject", "send_back"])
def test_bulk__refusal_without_a_note__list_again_with_the_choice_kept(browse, ask, verdict):
    request = ask()
    answer = browse("platform").post("/inbox/decisions?sort=age", {"verdict": verdict, "request": choice(request)})
    page = answer.content.decode()
    assert answer.status_code == 422 and "Please say why." in page
    assert re.search(rf'value="{choice(request)}"[^>]* checked', page)
    assert 'action="/inbox/decisions?sort=age"' in page
    assert Request.objects.get().state == "submitted"


@pytest.mark.parametrize("chosen", [[], [""], ["x"], ["1:zz"], ["1; drop"], ["٣:0"], ["9" * 30 + ":0"], ["1:\x00"]])
def test_bulk__nonsense__422(browse, ask, chosen):
    ask()
    answer = browse("platform").post("/inbox/decisions", {"verdict": "approve", "request": chosen})
    assert answer.status_code == 422
    assert "Please choose at least one request." in answer.content.decode()


def test_bulk__too_many_or_one_twice__422(browse, ask):
    one = choice(ask())
    for chosen in ([one, one], [f"{n}:0" for n in range(1, 60)]):
        answer = browse("platform").post("/inbox/decisions", {"verdict": "approve", "request": chosen})
        assert answer.status_code == 422
    assert Request.objects.get().state == "submitted"


@pytest.mark.parametrize("who", ["dev", "auditor", "datacenter", "guest"])
def test_bulk__wrong_role__nothing_is_decided(browse, ask, who):
    request = ask()
    posted = {"verdict": "reject", "note": "No", "request": choice(request)}
    assert "0 decided, 1 not." in browse(who).post("/inbox/decisions", posted).content.decode()
    assert Request.objects.get().state == "submitted"


def test_rest_inbox__filters__items_with_digest_risk_and_delta(program, ask):
    plain, prod = ask(), ask(environment="prod")
    client = program("platform")
    items = client.get("/api/v1/inbox").json()["items"]
    assert [one["number"] for one in items] == [plain.number, prod.number]
    assert items[0]["plan_digest"] == queries.newest_plan(plain).digest
    assert (items[0]["risk"], items[1]["risk"], items[0]["group"]) == ("low", "medium", "platform")
    assert items[0]["delta"] == {"cpu": 2000, "memory": 4 * 1024**3, "storage": 20 * 1024**3, "pods": 20}
    only = client.get("/api/v1/inbox?risk=medium").json()
    assert [one["number"] for one in only["items"]] == [prod.number] and only["next"] is None


@pytest.mark.parametrize("query", ["risk=x", "age=", "sort=%00", "environment=moon", "page=0", "page=x", "page=99999"])
def test_rest_inbox__unknown_filter__422_with_its_name(program, ask, query):
    answer = program("platform").get(f"/api/v1/inbox?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_rest_decisions__mixed__status_and_problem_of_each(program, ask):
    fine, stale, risky = ask(), ask(), ask()
    unreachable(risky)
    rows_ = [{"number": one.number, "plan_digest": queries.newest_plan(one).digest} for one in (fine, stale, risky)]
    rows_[1]["plan_digest"] = "0" * 64
    rows_.append({"number": 999_999})
    body = {"verdict": "approve", "requests": rows_}
    answer = program("platform").post("/api/v1/inbox/decisions", body, "application/json")
    assert answer.status_code == 200
    found = [(one["state"], (one["problem"] or {}).get("code")) for one in answer.json()["results"]]
    assert found == [("approved", None), ("", "plan-changed"), ("", "one-by-one"), ("", "not-found")]
    assert answer.json()["results"][1]["problem"]["plan_digest"] == queries.newest_plan(stale).digest


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": "approve"},
        {"verdict": "approve", "requests": []},
        {"verdict": "maybe", "requests": [{"number": 1}]},
        {"verdict": "approve", "requests": [{"number": "x"}]},
        {"verdict": "approve", "requests": [{"number": 10**40}]},
        {"verdict": "approve", "requests": "1"},
        {"verdict": "approve", "requests": [{"number": 1}] * 2},
        {"verdict": "approve", "requests": [{"number": n} for n in range(1, 60)]},
    ],
)
def test_rest_decisions__hostile_body__422(program, body):
    assert program("platform").post("/api/v1/inbox/decisions", body, "application/json").status_code == 422


def test_rest_decisions__token_that_may_not_decide__403(program, ask):
    body = {"verdict": "approve", "requests": [{"number": ask().number}]}
    assert (
        program("platform", "read", "request").post("/api/v1/inbox/decisions", body, "application/json").status_code
        == 403
    )


def test_rows__no_limit_among_the_facts__in_words_and_not_as_a_number(people):
    facts = {"delta.cpu": NO_LIMIT - 2000, "delta.memory": 1024**3, "requested.cpu": NO_LIMIT}
    assert rows.effect_of(facts) == "+1 Gi"
    (row,) = policy_rows.why_rows("requested.cpu > 1000", facts)
    assert row["value"] == "no limit"
