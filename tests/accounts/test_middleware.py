"""Roles that follow the directory in a session, and the language of a page."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings as portal_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from tests.builders import a_user
from tests.plugins.directory import Directory

pytestmark = pytest.mark.django_db


SignedIn = Callable[[User], Client]


def _long_ago() -> None:
    User.objects.update(roles_seen_at=timezone.now() - timedelta(hours=1))


def _roles(browser: Client) -> list[str]:
    return browser.get(reverse("api-me")).json()["roles"]


def test_roles__seen_long_ago__as_in_the_directory(directory: Directory, as_person: SignedIn) -> None:
    browser = as_person(a_user("dev"))
    with directory.with_member("portal-auditors", "dev"):
        assert _roles(browser) == []
        _long_ago()
        assert _roles(browser) == ["auditor"]
    assert _roles(browser) == ["auditor"]
    _long_ago()
    assert _roles(browser) == []
    event = Event.objects.order_by("pk").last()
    assert event is not None
    assert (event.action, event.subject) == ("user.roles", "user:dev")
    assert (event.before, event.after) == ({"roles": ["auditor"]}, {"roles": []})


def test_roles__person_left__all_sessions_ended(directory: Directory, as_person: SignedIn) -> None:
    leaver = a_user("leaver", "administrator", directory_groups=["cn=x,dc=y"])
    browser, other = as_person(leaver), as_person(leaver)
    _long_ago()
    assert browser.get(reverse("tokens")).status_code == 302
    leaver.refresh_from_db()
    assert (leaver.roles, leaver.directory_groups) == ([], [])
    with directory.down():
        assert other.get(reverse("tokens")).status_code == 302
    assert Event.objects.get().action == "user.gone"


def test_roles__directory_down__goes_on_and_spares_it_for_a_while(directory: Directory, as_person: SignedIn) -> None:
    browser = as_person(a_user("dev", "auditor"))
    User.objects.update(roles_seen_at=None)
    with directory.down():
        assert _roles(browser) == ["auditor"]
    assert _roles(browser) == ["auditor"]
    User.objects.update(roles_missed_at=timezone.now() - timedelta(minutes=2))
    assert _roles(browser) == []


@pytest.mark.parametrize(
    ("accepted", "language"), [("zh-CN,zh;q=0.9,en;q=0.8", "zh-hans"), ("en-US", "en"), ("fr", "en"), ("", "en")]
)
def test_language__nobody_signed_in__the_browsers(browser: Client, accepted: str, language: str) -> None:
    response = browser.get(reverse("login"), headers={"Accept-Language": accepted})
    assert response["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in response["Vary"].split(",")}


def test_language__cookie__before_the_browser(browser: Client) -> None:
    browser.cookies[portal_settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert browser.get(reverse("login"), headers={"Accept-Language": "en"})["Content-Language"] == "zh-hans"


def test_language__nonsense_in_cookie__passed_over(browser: Client) -> None:
    browser.cookies[portal_settings.LANGUAGE_COOKIE_NAME] = "../../etc"
    assert browser.get(reverse("login"), headers={"Accept-Language": "zh"})["Content-Language"] == "zh-hans"


def test_language__persons_setting__before_all(dev: User, as_person: Callable[[User], Client]) -> None:
    User.objects.update(language="en")
    browser = as_person(dev)
    browser.cookies[portal_settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    assert browser.get(reverse("tokens"), headers={"Accept-Language": "zh"})["Content-Language"] == "en"
