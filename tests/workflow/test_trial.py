"""Trying a change of a policy: the comparison by itself, and on requests that were made."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.builders import a_tenant, a_user, ready_portal, wish
from web.errors import Forbidden, Invalid
from workflow.models import Policy, Request
from workflow.services import submit
from workflow.services.trial import Past, applied, compared, try_policy

NOW = timezone.now()
PLATFORM = {"group": "platform", "minimum": 1, "deadline_hours": 240}


def policy(slug: str, priority: int, condition: str = "", *groups: str, **fields: object) -> Policy:
    steps = [{"group": group, "minimum": 1, "deadline_hours": 240} for group in groups]
    names = {"name_zh": slug, "name_en": slug}
    return Policy(slug=slug, priority=priority, condition=condition, steps=steps, **names, **fields)


LAST = policy("otherwise", 10_000, "", "platform", is_fixed=True)
PRESENT = [policy("dev", 100, 'environment == "dev"'), policy("prod", 110, 'environment == "prod"', "datacenter"), LAST]


def past(number: int, environment: str, kind: str = "new-project", **facts: object) -> Past:
    known = {"kind": kind, "environment": environment, **facts}
    return Past(number, f"claims-a-{environment}", kind, known, NOW, None, (("platform", 1),))


def change(**changes: object) -> dict[str, object]:
    values = {"action": "create", "slug": "x", "name_zh": "x", "name_en": "x", "kind": "", "condition": ""}
    return values | {"priority": 50, "steps": [], "reason": ""} | changes


def test_compared__policy_above_the_others__what_it_takes_over():
    values = change(condition='environment == "prod" && requested.cpu > 8000', steps=[PLATFORM, PLATFORM])
    requests = [past(1, "prod", **{"requested.cpu": 9000}), past(2, "prod", **{"requested.cpu": 10}), past(3, "dev")]
    trial = compared(requests, PRESENT, applied(PRESENT, values))
    assert [row.past.number for row in trial.changed] == [1]
    row = trial.rows[0]
    assert (row.goes_now.policy.slug, row.would_go_to.policy.slug) == ("prod", "x")
    assert row.would_go_to.steps == (("platform", 1), ("platform", 1))
    assert (trial.automatic_before, trial.automatic_after, trial.newly_automatic, trial.problems) == (1, 1, 0, 0)


def test_compared__automatic_policy__counted_as_newly_automatic():
    trial = compared([past(1, "prod"), past(2, "dev"), past(3, "test")], PRESENT, applied(PRESENT, change()))
    assert (trial.automatic_before, trial.automatic_after, trial.newly_automatic) == (1, 3, 2)
    assert [row.past.number for row in trial.changed] == [1, 3]


def test_compared__retired_policy__next_one_that_fits():
    trial = compared([past(1, "prod"), past(2, "dev")], PRESENT, applied(PRESENT, {"action": "retire", "slug": "dev"}))
    assert [(row.past.number, row.would_go_to.policy.slug) for row in trial.changed] == [(2, "otherwise")]
    assert (trial.automatic_before, trial.automatic_after) == (1, 0)


def test_compared__fact_the_request_has_not__problem_and_who_decides_otherwise():
    values = change(condition="delta.cpu > 1", steps=[PLATFORM])
    trial = compared([past(1, "prod"), past(2, "dev")], PRESENT, applied(PRESENT, values))
    assert trial.problems == 2
    assert {row.would_go_to.policy.slug for row in trial.rows} == {"otherwise", "prod"}
    assert "delta.cpu" in str(trial.rows[0].would_go_to.problem)


def test_compared__only_the_name_or_deadline_differs__nothing_changed():
    steps = [{"group": "datacenter", "minimum": 1, "deadline_hours": 1}]
    values = change(action="change", slug="prod", condition='environment == "prod"', priority=111, steps=steps)
    assert not compared([past(1, "prod")], PRESENT, applied(PRESENT, values)).changed


def test_compared__no_policy_fits__said_and_nothing_automatic():
    trial = compared([past(1, "test")], [], [])
    assert trial.rows[0].would_go_to.policy is None and trial.automatic_after == 0


def test_applied__change__the_present_ones_stay_as_they_are():
    after = applied(PRESENT, change(action="change", slug="dev", priority=7))
    assert [one.priority for one in PRESENT] == [100, 110, 10_000]
    assert sorted(one.priority for one in after) == [7, 110, 10_000]


@pytest.fixture
def people(db):
    ready_portal()
    a_tenant("claims", dev="developer")
    return {"admin": a_user("admin", "administrator"), "dev": a_user("dev")}


def stored(by, count: int, at=NOW, **fields: object) -> None:
    for _ in range(count):
        request = Request.objects.create(
            **{"kind": "new-project", "state": "submitted", "title": "claims-a-prod", "values": {}, "target": "t"}
            | {"asker": by, "facts": {"environment": "prod", "kind": "new-project"}, "submitted_at": at}
            | {"policy": Policy.objects.get(slug="prod"), "wish_digest": ""}
            | fields
        )
        request.steps.create(group_id=_group("datacenter"), position=0, state="approved")


def _group(slug: str) -> int:
    from accounts.models import ApproverGroup

    return ApproverGroup.objects.get(slug=slug).pk


def test_try__requests_that_were_made__where_they_really_went(people, gitops_cluster):
    several = [{"environment": e, "cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20} for e in ("dev", "prod")]
    submit(kind="new-project", values=wish(environments=several), by=people["dev"], at=NOW)
    values = change(kind="new-project", condition='environment == "dev"', steps=[PLATFORM])
    trial = try_policy(proposed=values, by=people["admin"], at=NOW)
    # The parent, which nobody decides, is not among them.
    assert sorted(row.past.facts["environment"] for row in trial.rows) == ["dev", "prod"]
    row = trial.changed[0]
    assert (row.went_to.policy.slug, row.went_to.steps, row.went_to.is_automatic) == ("dev", (), True)
    assert (row.would_go_to.policy.slug, row.would_go_to.steps) == ("x", (("platform", 1),))
    other = next(row for row in trial.rows if not row.is_changed)
    assert other.went_to.steps == (("datacenter", 1), ("security", 1))


def test_try__old_ones_and_more_than_asked_for__left_out(people):
    stored(people["dev"], 3)
    stored(people["dev"], 1, at=NOW - timedelta(days=91))
    assert len(try_policy(proposed=change(), by=people["admin"], at=NOW).rows) == 3
    newest = try_policy(proposed=change(), by=people["admin"], at=NOW, most=2).rows
    numbers = [row.past.number for row in newest]
    assert len(numbers) == 2 and numbers == sorted(numbers, reverse=True)


def test_try__many_requests__as_many_queries_as_for_few(people):
    counts = []
    for more in (1, 30):
        stored(people["dev"], more)
        with CaptureQueriesContext(connection) as captured:
            try_policy(proposed=change(steps=[PLATFORM]), by=people["admin"], at=NOW)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6


def test_try__no_administrator__refused(people):
    with pytest.raises(Forbidden):
        try_policy(proposed=change(), by=people["dev"], at=NOW)


@pytest.mark.parametrize("proposed", [None, [], "x", {}, {"action": "create"}, change(condition="(((")])
def test_try__not_a_policy__refused(people, proposed):
    with pytest.raises(Invalid):
        try_policy(proposed=proposed, by=people["admin"], at=NOW)
