"""Deciding several in one go, and saying something without deciding."""

import pytest
from django.utils import timezone

from audit.models import Event
from web.errors import Forbidden, Invalid, NotFound
from workflow import queries
from workflow.services import comment, decide_many

pytestmark = pytest.mark.django_db


def rows_of(*requests):
    return [(request.number, queries.newest_plan(request).digest) for request in requests]


def many(rows, by, verdict="approve", note=""):
    return decide_many(rows=rows, verdict=verdict, note=note, by=by, at=timezone.now())


def test_decide_many__one_of_each__a_result_per_row(people, ask, say):
    good, closed, own, changed = ask(), ask(), ask(), ask(environment="prod")
    say(closed, "second")
    rows = [*rows_of(good, closed), (own.number, "0" * 64), *rows_of(changed), (999_999, "")]
    results = many(rows, people["platform"])
    codes = [result.error.code if result.error else result.state for result in results]
    assert codes == ["approved", "conflict", "plan-changed", "forbidden", "not-found"]
    assert [result.number for result in results] == [number for number, _digest in rows]


def test_decide_many__rejected_without_a_note__each_is_told(people, ask):
    first, second = ask(), ask()
    results = many(rows_of(first, second), people["platform"], verdict="reject")
    assert [result.error.code for result in results] == ["invalid", "invalid"]


@pytest.mark.parametrize("rows", [[], [(1, "")] * 2, [(number, "") for number in range(51)]])
def test_decide_many__none_twice_or_too_many__refused(people, rows):
    with pytest.raises(Invalid):
        many(rows, people["platform"])


@pytest.mark.parametrize("who", ["dev", "owner", "guest", "platform", "datacenter", "admin"])
def test_comment__has_a_part_in_it__kept_with_its_event(people, ask, who):
    request = ask()
    said = comment(number=request.number, text=" Why so much?\nReally. ", by=people[who], at=timezone.now())
    assert (said.by, said.text) == (people[who], "Why so much?\nReally.")
    assert Event.objects.get(action="request.comment").actor == who


@pytest.mark.parametrize(("who", "error"), [("auditor", Forbidden), ("stranger", NotFound)])
def test_comment__no_part_in_it__refused(people, ask, who, error):
    with pytest.raises(error):
        comment(number=ask().number, text="Hello", by=people[who], at=timezone.now())


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2001, "a\0b", "abc\u202egnp"])
def test_comment__hostile__named(people, ask, text):
    with pytest.raises(Invalid) as refused:
        comment(number=ask().number, text=text, by=people["dev"], at=timezone.now())
    assert list(refused.value.fields) == ["/text"]


def test_comment__closed_request__still_possible(people, ask, say):
    request = say(ask(), "platform", "reject", "No")
    comment(number=request.number, text="I understand", by=people["dev"], at=timezone.now())
    assert request.comments.count() == 1
