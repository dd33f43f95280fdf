"""The language of a page."""

from collections.abc import Callable

import pytest
from django.conf import settings as portal_settings
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db


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
