"""What rounds of a request have differently: field by field, for whoever decides anew."""

import re

import pytest
from django.test import Client
from django.utils import timezone, translation

from tests.builders import decided_by, wish
from workflow.changes import changed_fields
from workflow.kinds import all_kinds
from workflow.models import EarlierValues
from workflow.services import edit

pytestmark = pytest.mark.django_db

SCHEMA = all_kinds()["new-project"].schema


def differences(before, after):
    return [
        (row["label"], row["before"], row["after"], row["added"], row["removed"])
        for row in changed_fields(SCHEMA, before, after)
    ]


def test_changed_fields__texts_choices_and_lists__as_the_form_calls_them():
    before = wish(name="imaging", isolation="shared", developers=["dev", "owner"], cost_centre="", reason="Old")
    after = before | {"isolation": "dedicated", "developers": ["guest", "dev"], "cost_centre": "CC-1", "reason": ""}
    assert differences(before, after) == [
        ("Isolation", "Shared cluster", "Dedicated cluster", [], []),
        ("Developers", "", "", ["guest"], ["owner"]),
        ("Cost centre", "", "CC-1", [], []),
        ("Reason", "Old", "", [], []),
    ]
    assert differences(before, before) == []


def test_changed_fields__environments__found_again_by_their_name():
    one = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    before = wish(name="x", environments=[one | {"environment": "dev"}, one | {"environment": "test"}])
    after = wish(name="x", environments=[one | {"environment": "test", "cpu": "1"}, one | {"environment": "prod"}])
    after["name"] = before["name"]
    assert differences(before, after) == [
        ("Environments Development", "asked for", "", [], []),
        ("Test · CPU", "2", "1", [], []),
        ("Environments Production", "", "asked for", [], []),
    ]


@pytest.mark.parametrize("slug", sorted(all_kinds()))
@pytest.mark.parametrize("junk", [{}, {"x": 1}, dict.fromkeys(["environments", "found", "steps", "developers"], 7)])
def test_changed_fields__whatever_was_kept__answered(slug, junk):
    schema = all_kinds()[slug].schema
    full = {name: field.get("default", "x") for name, field in schema["properties"].items()}
    for before, after in ((junk, full), (full, junk), (junk, junk)):
        for row in changed_fields(schema, before, after):
            assert set(row) == {"label", "before", "after", "added", "removed"}


def page(people, who, request, language="en"):
    client = Client(headers={"Accept-Language": language})
    client.force_login(people[who], backend="accounts.backends.DirectoryBackend")
    html = client.get(f"/requests/{request.number}").content.decode()
    found = re.search(r'aria-labelledby="changes">.*?</section>', html, re.S)
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", found[0])) if found else ""


def changed(people, request, **values):
    return edit(number=request.number, values=request.values | values, by=people["dev"], at=timezone.now())


def test_page__first_round__nothing_about_changes(people, ask):
    assert page(people, "platform", ask()) == ""


def test_page__sent_back_and_changed__approver_sees_before_and_now(people, ask, say):
    decided_by("platform")
    request = say(ask(reason="Because", cost_centre="CC-1"), "platform", "send_back", "Which data?")
    request = changed(people, request, reason="Scans of claims", display_name="Scans")
    text = page(people, "platform", request)
    assert "Changed since it was sent back 2" in text
    assert "Reason Because Scans of claims" in text and "Display name Claims imaging Scans" in text
    assert "CC-1" not in text
    assert "退回后的修改" in page(people, "platform", request, "zh-CN")


def test_page__changed_twice_after_it_was_sent_back__compared_with_what_the_approver_saw(people, ask, say):
    decided_by("platform")
    request = say(ask(reason="One"), "platform", "send_back", "Which data?")
    request = changed(people, changed(people, request, reason="Two"), reason="Three")
    assert "Reason One Three" in page(people, "platform", request)


def test_page__changed_by_who_asked__said_so(people, ask):
    decided_by("platform")
    request = changed(people, ask(reason="One"), reason="Two")
    assert "Changed by who asked 1" in page(people, "platform", request)


def test_page__decided__no_longer_shown(people, ask, say):
    decided_by("platform")
    request = say(changed(people, ask(reason="One"), reason="Two"), "platform", "reject", "No")
    assert page(people, "platform", request) == ""


def test_rest__record__earlier_rounds_with_their_values(people, ask, say):
    decided_by("platform")
    request = say(ask(reason="One"), "platform", "send_back", "Which data?")
    changed(people, changed(people, request, reason="Two"), reason="Three")
    client = Client()
    client.force_login(people["dev"], backend="accounts.backends.DirectoryBackend")
    rounds = client.get(f"/api/v1/requests/{request.number}/record").json()["earlier_rounds"]
    assert [(one["round"], one["values"]["reason"], one["was_sent_back"]) for one in rounds] == [
        (1, "One", True), (2, "Two", False)
    ]  # fmt: skip
    assert EarlierValues.objects.count() == 2


def test_changed_fields__chinese__labels_translated():
    with translation.override("zh-hans"):
        assert differences(wish(reason="a"), wish(reason="b"))[-1][0] == "申请理由"
