"""Reading what happened: who may, filters, pages, one event, files."""

import ast
import csv
import io
import json
import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone, translation

from audit import sealing, services
from audit.models import Event, Seal, Unsealed
from portal import audit_narrowing, audit_rows, queries
from portal.audit_words import ACTIONS, action_label
from script.local import ROOT
from tests.builders import a_tenant, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    a_tenant("claims", owner="owner", dev="developer")
    a_tenant("motor", stranger="owner")
    roles = {"owner": (), "dev": (), "stranger": (), "auditor": ("auditor",), "admin": ("administrator",)}
    roles["platform"] = ("approver:platform",)
    return {name: a_user(name, *given) for name, given in roles.items()}


@pytest.fixture
def client_of(people, client):
    def signed_in(name):
        client.force_login(people[name], backend="accounts.backends.DirectoryBackend")
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    return signed_in


def _event(action="thing.do", actor=None, subject="thing:1", at=None, **more):
    return services.record(actor=actor, action=action, subject=subject, at=at or timezone.now(), **more)


def _shown(client, query=""):
    response = client.get(f"/audit{query}")
    assert response.status_code == 200, response.content[:500]
    return [row["id"] for row in response.context["rows"]]


def test_visible__by_role__all_for_auditors_and_administrators_own_tenants_for_owners(people):
    ours, theirs, nobodys = _event(tenant="claims"), _event(tenant="motor"), _event()
    expected = {
        "auditor": {ours.pk, theirs.pk, nobodys.pk},
        "admin": {ours.pk, theirs.pk, nobodys.pk},
        "owner": {ours.pk},
        "stranger": {theirs.pk},
        "dev": set(),
        "platform": set(),
    }
    for name, wanted in expected.items():
        assert set(queries.events_visible_to(people[name]).values_list("pk", flat=True)) == wanted, name


@pytest.mark.parametrize("address", ["/audit", "/audit/events.csv", "/audit/events.jsonl", "/audit/{pk}"])
@pytest.mark.parametrize("name", ["dev", "platform"])
def test_pages__neither_auditor_nor_owner__refused(client_of, name, address):
    event = _event(tenant="claims")
    assert client_of(name).get(address.format(pk=event.pk)).status_code == 403


def test_event__of_another_tenant__is_not_there_for_an_owner(client_of):
    event = _event(tenant="motor", after={"secret": "of motor"})
    for address in (f"/audit/{event.pk}", f"/api/v1/audit/events/{event.pk}"):
        response = client_of("owner").get(address)
        assert response.status_code == 404
        assert "of motor" not in response.content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?actor=owner", [1]),
        ("?action=cluster.probe", [2]),
        ("?subject=cluster:prod-1", [2]),
        ("?request=17", [3]),
        ("?request=%2317", [3]),
        ("?tenant=claims", [3]),
        ("?call=0123456789abcdef", [1]),
        ("?since=2026-03-02&until=2026-03-02", [2]),
        ("?since=2026-03-02T00:00:00%2B08:00&until=2026-03-03T00:00:00%2B08:00", [2]),
        ("?until=2026-03-01", [1]),
        ("?q=理赔系统", [3]),
        ("?q=REASON", [3]),
        ("?q=prod-1", [2]),
        ("?q=nowhere", []),
        ("?actor=owner&action=cluster.probe", []),
        ("?q=100%25", []),
    ],
)
def test_list__filtered__what_fits(client_of, people, query, expected):
    zone = timezone.get_default_timezone()
    days = [datetime(2026, 3, day, 12, tzinfo=zone) for day in (1, 2, 4)]
    events = [
        _event(actor=people["owner"], at=days[0]),
        _event(action="cluster.probe", subject="cluster:prod-1", at=days[1]),
        _event(subject="request:17", tenant="claims", at=days[2], after={"reason": "理赔系统 要扩容"}),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE audit_event SET request_id = '0123456789abcdef' WHERE id = %s", [events[0].pk])
        cursor.execute("SET session_replication_role = DEFAULT")
    assert _shown(client_of("auditor"), query) == [events[number - 1].pk for number in expected]


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=2026-02-30",
        "since=9999-12-32",
        "until=9999-12-31",
        "since=2026-03-01T10:00:00",
        "request=x",
        "request=9" + "9" * 20,
        "q=%00",
        "actor=" + "a" * 65,
        "after=x",
    ],
)
def test_list__what_cannot_be_read__said_beside_the_field_and_as_problem(client_of, query):
    client = client_of("auditor")
    page = client.get(f"/audit?{query}")
    assert page.status_code == 422
    assert not page.context["exports"]
    answer = client.get(f"/api/v1/audit/events?{query}")
    assert answer.status_code == 422
    pointer = f"/{query.partition('=')[0]}"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_list__page_after_page__every_event_once(client_of):
    made = [_event(subject=f"thing:{number}").pk for number in range(7)]
    client, seen, query = client_of("auditor"), [], "?limit=3"
    while query:
        response = client.get(f"/audit{query}")
        seen += [row["id"] for row in response.context["rows"]]
        query = response.context["next_url"]
    assert seen == sorted(made, reverse=True)


def test_list__a_rare_text__is_searched_so_far_at_a_time_and_goes_on(client_of, monkeypatch):
    monkeypatch.setattr(audit_narrowing, "SEARCHED", 5)
    rare = _event(after={"note": "needle"})
    others = [_event(subject=f"thing:{number}").pk for number in range(12)]
    client, queries_made, query, seen = client_of("auditor"), 0, "?q=needle", []
    while query:
        response = client.get(f"/audit{query}")
        seen += [row["id"] for row in response.context["rows"]]
        until = response.context["searched_until"]
        query, queries_made = response.context["next_url"], queries_made + 1
        assert bool(query) == bool(until)
    assert seen == [rare.pk]
    assert queries_made == 3
    assert len(others) == 12


def test_list__hundred_thousand_bytes_of_detail__page_stays_small(client_of):
    for number in range(60):
        _event(action="bundle.set-desired", subject=f"thing:{number}", after={"text": "x" * 5000})
    page = client_of("admin").get("/audit").content
    assert len(page) < 40_000


def test_list__names_and_links__what_the_objects_are_called(client_of):
    _event(action="cluster.probe", subject="cluster:prod-1")
    _event(action="request.submit", subject="request:17")
    _event(action="user.login-failed", subject="user:?")
    _event(action="request.odd", subject="request:no number")
    rows = client_of("auditor").get("/audit").context["rows"]
    assert [(row["action"], row["subject"]["name"], row["subject"]["url"]) for row in rows] == [
        ("request.odd", "#no number", ""),
        ("Login refused", "?", ""),
        ("Submitted a request", "#17", "/requests/17"),
        ("Cluster looked at", "prod-1", "/clusters/prod-1"),
    ]


def test_event__with_before_and_after__the_difference_and_its_seal(client_of):
    event = _event(before={"cpu": 4, "same": 1}, after={"cpu": 8, "same": 1, "new": {"a": [1, {"b": 2}]}})
    response = client_of("auditor").get(f"/audit/{event.pk}")
    assert response.context["e"]["lines"] == [
        ("-", "cpu: 4"),
        ("+", "cpu: 8"),
        (" ", "same: 1"),
        ("+", "new.a[0]: 1"),
        ("+", "new.a[1].b: 2"),
    ]
    assert "Not sealed yet" in response.content.decode()
    seal = sealing.seal_waiting(at=timezone.now())
    assert seal.hash in client_of("auditor").get(f"/audit/{event.pk}").content.decode()
    assert client_of("auditor").get(f"/api/v1/audit/events/{event.pk}").json()["seal"] == seal.number


def test_event__an_owner__is_shown_no_seal(client_of):
    event = _event(tenant="claims")
    seal = sealing.seal_waiting(at=timezone.now())
    assert seal.hash not in client_of("owner").get(f"/audit/{event.pk}").content.decode()


def test_difference__nothing_before__as_it_is():
    assert audit_rows.difference(None, {"a": "x"}) == [(" ", "a: x")]
    assert audit_rows.difference({"a": "x"}, None) == [(" ", "a: x")]
    assert audit_rows.difference(None, None) == []
    assert len(audit_rows.difference(None, {str(n): n for n in range(1000)})) == audit_rows.MOST_LINES + 1
    assert len(audit_rows.difference(None, {"a": "x" * 9999})[0][1]) < 500


def _read(response):
    return b"".join(response.streaming_content).decode()


FORMULAS = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "  =1"]


@pytest.mark.parametrize("prefix", ["/audit", "/api/v1/audit"])
def test_csv__whatever_people_typed__is_no_formula(client_of, prefix):
    for text in FORMULAS:
        _event(subject=text.strip("\t") if text.startswith("\t") else text)
    response = client_of("auditor").get(f"{prefix}/events.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-\d{4}-\d{2}-\d{2}\.csv"', response["Content-Disposition"])
    text = _read(response)
    assert text.startswith("\ufeffid,at,actor,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == len(FORMULAS)
    for row in rows:
        assert not [cell for cell in row.values() if cell.lstrip(" ")[:1] in tuple("=+-@\t＝＋－＠") and cell]


def test_csv__the_filter_of_the_page__and_all_pages_of_it(client_of, monkeypatch):
    monkeypatch.setattr("portal.audit_export._BATCH", 3)
    for number in range(8):
        _event(subject="thing:1", after={"number": number})
        _event(subject="thing:2")
    rows = list(csv.reader(io.StringIO(_read(client_of("auditor").get("/audit/events.csv?subject=thing:1&limit=2")))))
    assert [json.loads(row[7])["number"] for row in rows[1:]] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_json_lines__read_again__the_events_as_they_are(client_of):
    event = _event(after={"said": "理赔"}, before={"n": 1})
    lines = _read(client_of("auditor").get("/audit/events.jsonl")).splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "id": event.pk,
            "at": event.at.astimezone(tz=None)
            .astimezone(timezone.get_fixed_timezone(0))
            .isoformat(timespec="microseconds"),
            "actor": "system",
            "action": "thing.do",
            "subject": "thing:1",
            "tenant": "",
            "before": {"n": 1},
            "after": {"said": "理赔"},
            "request_id": event.request_id,
        }
    ]


@pytest.mark.parametrize("address", ["/audit/events.csv", "/audit/events.jsonl", "/api/v1/audit/events.csv"])
def test_export__whoever_takes_one__is_written_down_with_the_filter(client_of, address):
    _event()
    _read(client_of("auditor").get(f"{address}?actor=dev&q=x"))
    event = Event.objects.get(action="audit.export")
    sort = address.rpartition(".")[2]
    assert (event.actor, event.after) == ("auditor", {"as": sort, "filter": {"actor": "dev", "q": "x"}})


def test_export__a_program_that_accepts_csv_alone__gets_it(client_of):
    response = client_of("auditor").get("/api/v1/audit/events.csv", headers={"Accept": "text/csv"})
    assert response.status_code == 200
    refused = client_of("dev").get("/api/v1/audit/events.csv", headers={"Accept": "text/csv"})
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")


def test_export__head__is_no_export(client_of):
    assert client_of("auditor").head("/audit/events.csv").status_code == 200
    assert not Event.objects.filter(action="audit.export").exists()


def test_export__an_owner__gets_the_own_tenants_alone(client_of):
    _event(tenant="claims", after={"x": "ours"})
    _event(tenant="motor", after={"x": "theirs"})
    text = _read(client_of("owner").get("/api/v1/audit/events.jsonl"))
    assert "ours" in text and "theirs" not in text


def test_seals__auditors__the_newest_hash_to_keep_elsewhere(client_of):
    _event()
    sealing.seal_waiting(at=timezone.now())
    answer = client_of("auditor").get("/api/v1/audit/seals").json()
    assert [(one["number"], one["hash"]) for one in answer["items"]] == [(1, Seal.objects.get().hash)]
    assert client_of("owner").get("/api/v1/audit/seals").status_code == 403


def test_seal_over__an_event_that_committed_late__the_seal_that_covers_it(people):
    events = [_event() for _number in range(3)]
    late = events[0].pk
    Unsealed.objects.filter(pk=late).delete()
    sealing.seal_waiting(at=timezone.now())
    Unsealed.objects.create(pk=late)
    events.append(_event())
    second = sealing.seal_waiting(at=timezone.now())
    assert queries.seal_over(late, people["auditor"]) == second
    assert queries.seal_over(events[1].pk, people["auditor"]).number == 1
    assert queries.seal_over(events[1].pk, people["owner"]) is None


def _actions_of_the_code():
    """Every text that is given as `action=`; of those that are put together the beginning, such as "webhook."."""
    found = set()
    rooms = ("accounts", "audit", "clusters", "notify", "onboarding", "catalog", "portal", "tenants", "workflow")
    for path in [path for room in rooms for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "action":
                value = node.value.values[0] if isinstance(node.value, ast.JoinedStr) else node.value
                found |= {value.value} if isinstance(value, ast.Constant) else set()
    return {action for action in found if isinstance(action, str) and re.fullmatch(r"[a-z-]+\.[a-z-]*", action)}


def test_words__every_action_of_the_code__has_words_in_both_languages():
    actions = _actions_of_the_code()
    assert len(actions) > 20
    missing = [action for action in actions if not any(known.startswith(action) for known in ACTIONS)]
    assert not missing
    assert {action for action in actions if not action.endswith(".")} <= set(ACTIONS)
    with translation.override("zh-hans"):
        missing = [action for action in ACTIONS if not re.search("[\u4e00-\u9fff]", action_label(action))]
    assert not missing


def test_list__within_the_period__by_index(people):
    """Neither a period nor a filter makes PostgreSQL read the whole table, however long it is."""
    at = timezone.now() - timedelta(days=400)
    rows = [
        Event(at=at + timedelta(minutes=n), actor=f"u{n % 50}", action="thing.do", subject=f"thing:{n}")
        for n in range(20_000)
    ]
    Event.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_event")
    for filters in ({"actor": "u7"}, {"subject": "thing:7"}, {"action": "other.do"}, {"request": "7"}, {}):
        wanted = audit_narrowing.read(filters)
        found = audit_narrowing.narrowed(queries.events_visible_to(people["auditor"]), wanted).order_by("-pk")[:51]
        plan = found.explain()
        assert "Seq Scan" not in plan, (filters, plan)
