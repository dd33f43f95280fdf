"""How many queries an answer costs: the same for 3 and for 30 rows, and within the budget."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.builders import wish
from workflow import queries
from workflow.models import Request
from workflow.services import decide, submit

pytestmark = pytest.mark.django_db

# Who is it: session and user, and what the bell counts; or token and user in one query.
SESSION, TOKEN = 3, 1
# The last two are above the aim of 12. Submitting: six reads find out whether and where, three rows are written
# before pools are locked, six statements hold (two locks, two limits, one for all sums, the claims), two choose the
# policy, the rest writes facts, event, steps, clock, notices, webhooks. Deciding asks without a lock, then under it.
LIST, DETAIL, SUBMIT, DECIDE = 5, 10, 25, 37

# (address, role, budget beyond the lookup of the person)
LISTS = [
    # Requests and projects, each with what its rows need.
    ("/", "dev", LIST + 3),
    # Also the inbox: its rows, their steps and plans.
    ("/", "platform", LIST + 3),
    ("/requests", "dev", LIST),
    # Also what waits for them.
    ("/requests", "platform", LIST + 1),
    ("/requests/mine", "dev", LIST),
    ("/inbox", "platform", LIST),
    ("/notifications", "platform", LIST),
    ("/api/v1/notifications", "platform", LIST),
    ("/api/v1/webhooks", "owner", LIST),
    ("/projects", "dev", LIST),
    # One for each sort of thing, and what waits for who decides.
    ("/search?q=imaging", "dev", LIST),
    ("/search?q=imaging", "platform", LIST + 1),
    ("/api/v1/search?q=imaging", "dev", LIST),
    ("/api/v1/requests", "dev", LIST),
    ("/api/v1/requests", "auditor", LIST),
    ("/api/v1/projects", "dev", LIST),
    ("/api/v1/tenants", "dev", LIST),
    ("/api/v1/tokens", "dev", LIST),
    ("/audit", "auditor", LIST),
    ("/audit?q=claims", "auditor", LIST),
    ("/audit?tenant=claims", "owner", LIST),
    ("/api/v1/audit/events", "auditor", LIST),
    ("/api/v1/audit/events?q=claims", "owner", LIST),
    ("/api/v1/requests?order=oldest&mine=true", "dev", LIST),
    ("/api/v1/projects?tenant=claims&order=namespace", "dev", LIST),
    ("/api/v1/tenants/claims/service-accounts", "owner", LIST),
    ("/tenants/claims/service-accounts", "owner", LIST),
    ("/reference", "dev", LIST),
]


def _client(world, address, who):
    return world.program(who) if address.startswith("/api/") else world.person(who)


def _counted(client, call):
    """(answer, statements) of the second call: the first one writes down that the token was used."""
    call(client)
    answers = []
    statements = _statements(lambda: answers.append(call(client)))
    return answers[0], statements


def _statements(call):
    """The SQL of a call, without what frames transactions; each cut off so that a failure can be read."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return [q["sql"][:120] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def _grow(world, times):
    for _ in range(times):
        for environment in ("dev", "test"):
            submit(kind="new-project", values=wish(environment=environment), by=world.people["dev"], at=timezone.now())


@pytest.mark.parametrize(("address", "who", "budget"), LISTS)
def test_list__ten_times_the_rows__same_queries_within_the_budget(world, address, who, budget):
    _grow(world, 2)
    client = _client(world, address, who)
    few = _counted(client, lambda c: c.get(address))[1]
    _grow(world, 27)
    answer, many = _counted(client, lambda c: c.get(address))
    assert answer.status_code == 200
    assert len(few) == len(many), many
    lookup = TOKEN if address.startswith("/api/") else SESSION
    assert len(many) <= lookup + budget, many


@pytest.mark.parametrize("who", ["dev", "platform"])
@pytest.mark.parametrize("what", ["requests/{number}", "requests/{closed}", "projects/{uid}"])
def test_detail__page_and_endpoint__within_the_budget(world, who, what):
    closed = Request.objects.exclude(outcomes=None).get().number
    address = what.format(number=world.request.number, closed=closed, uid=world.project.uid)
    for prefix, lookup in (("/", SESSION), ("/api/v1/", TOKEN)):
        client = _client(world, prefix, who)
        answer, statements = _counted(client, lambda c, prefix=prefix: c.get(prefix + address))
        assert answer.status_code == 200
        # Of an open request also the tenant's budget and the cluster's capacity.
        room = 4 if "{number}" in what else 0
        assert len(statements) <= lookup + DETAIL + room, statements


# Approved by policy it also makes the bundle, its revision, the project, its members and three events.
@pytest.mark.parametrize(("environment", "budget"), [("test", SUBMIT), ("dev", SUBMIT + 12)])
def test_submit__service__within_the_budget(world, environment, budget):
    asked = {"kind": "new-project", "values": wish(environment=environment), "by": world.people["dev"]}
    statements = _statements(lambda: submit(**asked, at=timezone.now(), idempotency_key="k"))
    assert len(statements) <= budget, statements


def test_decide__service__within_the_budget(world):
    digest = queries.newest_plan(world.request).digest
    said = {"number": world.request.number, "verdict": "approve", "note": "", "plan_digest": digest}
    statements = _statements(lambda: decide(**said, by=world.people["platform"], at=timezone.now()))
    assert len(statements) <= DECIDE, statements
