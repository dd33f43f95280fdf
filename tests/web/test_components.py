"""Building blocks as they come out of a template."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, engines
from django.utils import timezone, translation


@pytest.fixture(autouse=True)
def plain(settings):
    """English, and static files by their plain names, as no test here is about hashed ones."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    with translation.override("en"), timezone.override("Asia/Shanghai"):
        yield


def rendered(source, **context):
    return engines["django"].engine.from_string(source).render(Context(context))


def test_status__healthy__is_outlined_with_icon_and_word():
    html = rendered("{% status s %}", s={"label": "Ready", "tone": "success", "icon": "check"})
    assert "pf-m-outline" in html and "#check" in html and "Ready" in html


def test_status__unknown_tone__is_neutral():
    html = rendered("{% status s %}", s={"label": "<b>", "tone": "odd", "icon": ""})
    assert 'class="pf-v6-c-label pf-m-compact"' in html and "&lt;b&gt;" in html


def test_status__none__is_nothing():
    assert rendered("{% status s %}", s=None) == ""


def test_when__time__is_relative_with_the_exact_time_on_hover():
    at = timezone.now() - timedelta(hours=3)
    html = rendered("{% when at %}", at=at)
    assert "3 hours ago" in html and "(UTC+8)" in html


def test_when__none__is_a_dash():
    assert rendered("{% when at %}", at=None) == "—"


def test_quota_bar__over_the_limit__says_so_in_words_and_colour():
    html = rendered("{% quota_bar b %}", b={"name": "Memory", "used": 51, "ask": 40, "limit": 64, "unit": "Gi"})
    assert "over the limit" in html and "url(#pt-hatch-bad)" in html and "style=" not in html


@pytest.mark.parametrize(("language", "text"), [("en", "2 +6 held +4 / 64 cores"), ("zh-hans", "+6")])
def test_quota_bar__held_by_others__figures_add_up(language, text):
    bar = {"name": "CPU", "used": 2, "held": 6, "ask": 4, "limit": 64, "unit": "cores"}
    with translation.override(language):
        html = rendered("{% quota_bar b %}", b=bar)
    head = re.sub("<[^>]+>", "", html.partition("<svg")[0])
    assert text in head
    # 12 of 64.
    assert "19%" in head


def test_quota_bar__use_unknown__shows_no_percentage():
    html = rendered("{% quota_bar b %}", b={"name": "CPU", "used": 0, "limit": 8, "unit": "cores", "known": False})
    assert "— / 8 cores" in html and "%</span>" not in html


def test_timeline__steps__pending_ones_have_no_icon():
    steps = [
        {"title": "Asked", "text": "", "at": datetime(2026, 11, 23, tzinfo=UTC), "state": "done", "icon": "send"},
        {"title": "Ready", "text": "", "at": None, "state": "todo", "icon": "clock"},
    ]
    html = rendered("{% timeline steps %}", steps=steps)
    assert "#send" in html and "#clock" not in html
    assert "completed: " in html and "pending: " in html


def test_timeline__deadline_of_the_current_step__goes_on_with_its_time():
    at = timezone.now() + timedelta(days=10)
    steps = [
        {"title": "Waits", "text": "1 of 2 people · due", "at": at, "state": "now", "icon": "clock"},
        {"title": "Waits", "text": "A sentence.", "at": at, "state": "now", "icon": "clock"},
        {"title": "Approved", "text": "by Li", "at": timezone.now(), "state": "done", "icon": "check"},
    ]
    said = re.sub("<[^>]+>", "", rendered("{% timeline steps %}", steps=steps))
    for words in ("1 of 2 people · due in 10 days", "A sentence. · in 10 days", "by Li · just now"):
        assert words in said


def test_diff__lines__have_words_beside_the_signs():
    html = rendered("{% diff lines 'Difference of compute' %}", lines=[("-", "cpu: 4"), ("+", "cpu: <8>"), (" ", "x")])
    assert "removed " in html and "added " in html and "cpu: &lt;8&gt;" in html
    assert 'aria-label="Difference of compute"' in html


@pytest.mark.parametrize("kind", ["text", "number", "textarea", "select", "radio", "checkbox", "people"])
def test_field__every_kind__is_labelled_and_keeps_its_name(kind):
    options = [{"value": "a", "label": "A"}] if kind in ("select", "radio") else []
    described = {"name": "n", "label": "The name", "kind": kind, "value": "a", "help": "Why", "options": options}
    html = rendered("{% field f %}", f=described)
    assert 'name="n"' in html and "The name" in html and 'id="id_n-help"' in html


def test_field__error__is_bound_to_the_control():
    html = rendered("{% field f %}", f={"name": "n", "label": "N", "kind": "text", "value": "", "errors": ["Taken."]})
    assert 'aria-describedby="id_n-error"' in html and 'id="id_n-error"' in html and "Taken." in html


def test_field__hidden__is_nothing_but_the_input():
    html = rendered("{% field f %}", f={"name": "n", "label": "", "kind": "hidden", "value": "7"})
    assert html.strip().startswith("<input") and "<label" not in html


def test_role_name__approver__names_the_group():
    assert rendered("{{ r|role_name }}", r="approver:security") == "Approver: security"
