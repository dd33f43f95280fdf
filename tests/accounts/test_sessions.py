"""A session ends when nothing happens and after its life; its key changes with what the person may do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings as portal_settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from accounts.models import User
from audit.models import Event
from tests.builders import a_user

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
COOKIE = portal_settings.SESSION_COOKIE_NAME
FRAGMENT = {"HX-Request": "true", "HX-Current-URL": "https://testserver/requests"}


def _aged(browser: Client, **ages: timedelta) -> None:
    """Moves times in the session into the past."""
    session = browser.session
    for name, age in ages.items():
        session[name] -= int(age.total_seconds())
    session.save()


def _signed_in(as_person: SignedIn, *roles: str) -> Client:
    browser = as_person(a_user("dev", *roles))
    assert browser.get(reverse("tokens")).status_code == 200
    return browser


def test_session__nothing_happened_for_too_long__ends_and_says_why(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    _aged(browser, seen_at=timedelta(minutes=31))
    response = browser.get(reverse("tokens"))
    assert (response.status_code, response["Location"]) == (302, "/login?next=/account/tokens&ended=idle")
    event = Event.objects.get()
    assert (event.actor, event.action, event.after) == ("dev", "user.session-end", {"why": "idle"})
    assert not Session.objects.exists()
    assert (
        "Nothing happened for 30 minutes"
        in browser.get(response["Location"], headers={"Accept-Language": "en"}).content.decode()
    )


def test_session__just_within__goes_on(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    _aged(browser, seen_at=timedelta(minutes=29))
    assert browser.get(reverse("tokens")).status_code == 200
    _aged(browser, seen_at=timedelta(minutes=29))
    assert browser.get(reverse("tokens")).status_code == 200


def test_session__used_all_the_time__ends_after_its_life(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    _aged(browser, began_at=timedelta(hours=12))
    response = browser.get(reverse("tokens"))
    assert response["Location"] == "/login?next=/account/tokens&ended=over"
    assert Event.objects.get().after == {"why": "over"}


def test_session__a_page_asks_by_itself__is_not_kept_alive_by_that(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    _aged(browser, seen_at=timedelta(minutes=20))
    by_itself = FRAGMENT | {"X-By-Itself": "true"}
    assert browser.get(reverse("home-requests"), headers=by_itself).status_code == 200
    _aged(browser, seen_at=timedelta(minutes=11))
    response = browser.get(reverse("home-requests"), headers=by_itself)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/login?next=/requests&ended=idle"


def test_session__somebody_writes_on_a_page__is_kept_alive(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    for _time in range(3):
        _aged(browser, seen_at=timedelta(minutes=20))
        assert browser.get(reverse("session")).status_code == 204


def test_session__rest_by_a_session_that_ended__401(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    _aged(browser, seen_at=timedelta(hours=1))
    assert browser.get(reverse("api-me")).status_code == 401


def test_session__noted_to_the_minute__no_write_for_every_page(as_person: SignedIn, django_assert_num_queries) -> None:
    browser = _signed_in(as_person)
    with django_assert_num_queries(2):
        browser.get(reverse("session"))


@pytest.mark.parametrize(("before", "after"), [([], ["auditor"]), (["administrator"], [])])
def test_session__roles_changed__another_key_and_the_old_one_is_worth_nothing(
    as_person: SignedIn, before: list[str], after: list[str]
) -> None:
    browser = _signed_in(as_person, *before)
    old = browser.cookies[COOKIE].value
    User.objects.update(roles=after, roles_seen_at=timezone.now())
    assert browser.get(reverse("tokens")).status_code == 200
    assert browser.cookies[COOKIE].value != old
    thief = Client(**{"wsgi.url_scheme": "https"})
    thief.cookies[COOKIE] = old
    assert thief.get(reverse("tokens")).status_code == 302
    assert browser.get(reverse("tokens")).status_code == 200


def test_logout__the_key__is_worth_nothing(as_person: SignedIn) -> None:
    browser = _signed_in(as_person)
    key = browser.cookies[COOKIE].value
    browser.post(reverse("logout"))
    browser.cookies[COOKIE] = key
    assert browser.get(reverse("tokens")).status_code == 302


def test_limits__emergency_access__shorter() -> None:
    owner = a_user("dev")
    until = {"local_until": timezone.now(), "local_reason": "The directory is down"}
    emergency = a_user("break-glass-dev", owner=owner, **until)
    assert all(short < long for short, long in zip(sessions.limits(emergency), sessions.limits(owner), strict=True))
