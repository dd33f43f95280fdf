"""The audit over many events: sealing, verifying and reading stay bounded. bench/audit.py runs it with 500,000."""

import os
import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import timezone

from audit import sealing
from audit.models import Event
from audit.verifying import verify
from bench.audit import peak_mib
from portal import audit_narrowing, queries
from tests.builders import a_user

EVENTS = int(os.environ.get("AUDIT_EVENTS", 6000))

# As the portal writes them: a hundred people, two hundred tenants, nine tenths about requests and bundles.
SEED = """
    INSERT INTO audit_event (at, actor, action, subject, tenant, before, after, request_id)
    SELECT now() - (%(count)s - n) * interval '1 minute', 'user' || n %% 100, (%(actions)s)[1 + n %% 5],
           CASE WHEN n %% 5 = 3 THEN 'bundle:' || md5((n / 50)::text)::uuid ELSE 'request:' || n / 5 END,
           't' || n %% 200, CASE WHEN n %% 5 = 1 THEN '{"state": "submitted"}'::jsonb END,
           jsonb_build_object('number', n, 'digest', md5(n::text), 'reason', 'Space for claim ' || n, 'steps', 2),
           md5((n / 3)::text)
    FROM generate_series(1, %(count)s) AS n
"""
ACTIONS = ["request.submit", "request.approve-step", "request.approve", "bundle.set-desired", "user.login"]
LOOKS = [
    {},
    {"actor": "user7"},
    {"action": "user.login"},
    {"request": "77"},
    {"tenant": "t7"},
    {"q": "claim 4711"},
    {"q": "nothing of that kind"},
]


def tell(text):
    print(f"\naudit: {text}")


def took(deed):
    began = time.monotonic()
    answer = deed()
    return answer, time.monotonic() - began


def seal_all():
    count = 0
    while True:
        with transaction.atomic():
            if sealing.seal_waiting(at=timezone.now()) is None:
                return count
        count += 1


@pytest.mark.django_db(transaction=True)
def test_audit__many_events__sealed_verified_and_found():
    with connection.cursor() as cursor:
        cursor.execute(SEED, {"count": EVENTS, "actions": ACTIONS})
        cursor.execute("ANALYZE audit_event")
    seals, seconds = took(seal_all)
    tell(f"{EVENTS} events in {seals} seals, {seconds:.1f} s, {EVENTS / seconds:.0f} events/s")
    before = peak_mib()
    report, seconds = took(lambda: verify(at=timezone.now(), limit=timedelta(days=4000)))
    grown = peak_mib() - before
    speed = f"{seconds:.1f} s, {EVENTS / seconds:.0f} events/s"
    tell(f"verified in {speed}; peak {peak_mib():.0f} MiB, {grown:.0f} of it new")
    assert (report.difference, report.events, report.seals) == ("", EVENTS, seals)
    # All of them together would take a few hundred.
    assert grown < 60
    auditor = a_user("auditor", "auditor")
    middle = timezone.now() - timedelta(minutes=EVENTS // 2)
    period = {"since": middle.isoformat(), "until": (middle + timedelta(days=1)).isoformat()}
    for filters in (*LOOKS, period):
        wanted = audit_narrowing.read(filters)
        events = queries.events_visible_to(auditor)
        _page, seconds = took(partial(audit_narrowing.page_of, events, wanted, QueryDict("")))
        plan = audit_narrowing.narrowed(events, wanted).order_by("-pk")[:51].explain()
        named = "period" if "since" in filters else ", ".join(f"{k}={v}" for k, v in filters.items()) or "no filter"
        tell(f"page, {named}: {seconds * 1000:.1f} ms; {plan.splitlines()[1].strip().removeprefix('->').strip()}")
    assert Event.objects.count() == EVENTS
