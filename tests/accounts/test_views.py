"""The pages of signing in, preferences and tokens, in a browser's place."""

from collections.abc import Callable

import pytest
from django.conf import settings as portal_settings
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.models import ApiToken, User
from audit.models import Event
from tests.builders import a_user
from tests.plugins.directory import PASSWORD, Directory

pytestmark = pytest.mark.django_db
HOME = portal_settings.LOGIN_REDIRECT_URL


def _sign_in(browser: Client, username: str = "dev", password: str = PASSWORD, **more: str):
    address = more.pop("REMOTE_ADDR", "127.0.0.1")
    return browser.post(reverse("login"), {"username": username, "password": password, **more}, REMOTE_ADDR=address)


def test_login__right_password__signed_in_and_home(directory: Directory, browser: Client) -> None:
    response = _sign_in(browser, " Dev ")
    assert response.status_code == 302
    assert response["Location"] == reverse(HOME)
    event = Event.objects.get()
    assert (event.actor, event.action, event.subject) == ("dev", "user.login", "user:dev")
    assert browser.get(reverse("tokens")).status_code == 200


def test_login__session__rotated(directory: Directory, browser: Client) -> None:
    browser.cookies[portal_settings.SESSION_COOKIE_NAME] = "chosen-by-an-attacker"
    _sign_in(browser)
    assert browser.cookies[portal_settings.SESSION_COOKIE_NAME].value != "chosen-by-an-attacker"


def test_login__page__not_stored_anywhere(browser: Client) -> None:
    response = browser.get(reverse("login"), {"next": "/projects"})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response.context["next"] == "/projects"
    assert response.context["error"] is None


def test_login__without_csrf_token__refused(directory: Directory) -> None:
    careful = Client(enforce_csrf_checks=True, **{"wsgi.url_scheme": "https"})
    assert _sign_in(careful).status_code == 403
    assert not Event.objects.exists()


def test_login__wrong_password__says_how_many_tries_are_left(directory: Directory, browser: Client) -> None:
    response = _sign_in(browser, password="wrong-secret")
    assert response.status_code == 403
    error = response.context["error"]
    assert "4 more times" in error["text"]
    assert response.context["username"] == "dev"
    event = Event.objects.get()
    assert (event.actor, event.action, event.after["reason"]) == ("system", "user.login-failed", "wrong")
    assert "wrong-secret" not in str(event.after)
    assert browser.get(reverse("tokens")).status_code != 200


@pytest.mark.parametrize("username", ["nobody-here", "*", "dev)(uid=*", "dev\0", "ｄｅｖ", "", "x" * 70])
def test_login__no_such_person__same_title_as_wrong_password(
    directory: Directory, browser: Client, username: str
) -> None:
    wrong = _sign_in(browser, password="wrong").context["error"]["title"]
    response = _sign_in(browser, username)
    assert response.status_code == 403
    assert response.context["error"]["title"] == wrong
    assert not User.objects.exists()


def test_login__empty_password__refused(directory: Directory, browser: Client) -> None:
    assert _sign_in(browser, password="").status_code == 403


def test_login__password_in_the_name_field__not_written_down(directory: Directory, browser: Client) -> None:
    _sign_in(browser, "S3cret! of mine")
    assert Event.objects.get().subject == "user:?"


def test_login__too_many_tries__that_person_locked_at_that_address(directory: Directory, browser: Client) -> None:
    names = ["dev", "DEV", "Dev", "dEv", "deV"]
    assert len(names) == portal_settings.AXES_FAILURE_LIMIT
    responses = [_sign_in(browser, name, "wrong") for name in names]
    assert [response.status_code for response in responses] == [403] * 4 + [429]
    locked = _sign_in(browser)
    assert locked.status_code == 429
    assert locked.context["locked"] is True
    assert int(locked["Retry-After"]) == 3600
    assert Event.objects.filter(after__reason="locked").count() == 2
    assert _sign_in(browser, REMOTE_ADDR="10.1.1.1").status_code == 302
    assert _sign_in(Client(**{"wsgi.url_scheme": "https"}), "owner").status_code == 302


def test_login__success_in_between__counts_anew(directory: Directory, browser: Client) -> None:
    for _ in range(portal_settings.AXES_FAILURE_LIMIT - 1):
        _sign_in(browser, password="wrong")
    assert _sign_in(browser).status_code == 302
    browser.logout()
    assert "4 more times" in _sign_in(browser, password="wrong").context["error"]["text"]


def test_login__name_of_a_service_account__clear_words_and_written_down(
    directory: Directory, browser: Client, dev: User
) -> None:
    User.objects.create(username="platform", owner=dev)
    response = _sign_in(browser, "platform")
    assert response.status_code == 403
    assert "service account" in response.context["error"]["title"]
    assert browser.get(reverse("tokens")).status_code != 200
    event = Event.objects.get()
    assert (event.action, event.subject) == ("user.login-failed", "user:platform")
    assert event.after["reason"] == "service-account"


def test_login__wrong_password__says_how_long_the_pause_is(
    directory: Directory, browser: Client, settings: Settings
) -> None:
    assert "before a pause of 1 hour." in _sign_in(browser, password="wrong").context["error"]["text"]
    settings.AXES_COOLOFF_TIME = 3
    assert "before a pause of 3 hours." in _sign_in(browser, password="wrong").context["error"]["text"]


def test_login__directory_down__says_so_and_sessions_go_on(directory: Directory, browser: Client) -> None:
    _sign_in(browser)
    other = Client(**{"wsgi.url_scheme": "https"})
    with directory.down():
        response = _sign_in(other, "owner")
        assert response.status_code == 503
        assert "directory does not answer" in response.context["error"]["title"]
        assert browser.get(reverse("tokens")).status_code == 200
    assert Event.objects.get(action="user.login-failed").after["reason"] == "unavailable"
    # It was nobody's wrong try.
    assert "4 more times" in _sign_in(other, "owner", "wrong").context["error"]["text"]


def test_login__account_switched_off__refused_and_session_ended(directory: Directory, browser: Client) -> None:
    _sign_in(browser)
    User.objects.update(is_active=False)
    assert browser.get(reverse("tokens")).status_code != 200
    assert _sign_in(Client(**{"wsgi.url_scheme": "https"})).status_code == 403


@pytest.mark.parametrize("wanted", ["/projects", "/projects?page=2", "/"])
def test_login__next_of_ours__followed(directory: Directory, browser: Client, wanted: str) -> None:
    assert _sign_in(browser, next=wanted)["Location"] == wanted


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "x", ""],
)
def test_login__next_elsewhere__home(directory: Directory, browser: Client, wanted: str) -> None:
    assert browser.get(reverse("login"), {"next": wanted}).context["next"] == ""
    assert _sign_in(browser, next=wanted)["Location"] == reverse(HOME)


def test_login__already_signed_in__home(dev: User, as_person: Callable[[User], Client]) -> None:
    response = as_person(dev).get(reverse("login"))
    assert response["Location"] == reverse(HOME)


def test_login__language_kept_by_the_portal__in_the_cookie(directory: Directory, browser: Client) -> None:
    User.objects.create(username="dev", language="en", theme="dark")
    _sign_in(browser)
    assert browser.cookies[portal_settings.LANGUAGE_COOKIE_NAME].value == "en"
    assert browser.cookies["theme"].value == "dark"


def test_logout__post__session_gone_and_audited(dev: User, as_person: Callable[[User], Client]) -> None:
    browser = as_person(dev)
    assert browser.get(reverse("logout")).status_code == 405
    assert browser.post(reverse("logout"))["Location"] == reverse("login")
    assert browser.get(reverse("tokens")).status_code != 200
    assert Event.objects.get().action == "user.logout"


def test_preferences__signed_in__kept_for_the_person(dev: User, as_person: Callable[[User], Client]) -> None:
    browser = as_person(dev)
    response = browser.post(reverse("preferences"), {"language": "en", "next": "/account/tokens"})
    assert response["Location"] == "/account/tokens"
    dev.refresh_from_db()
    assert dev.language == "en"
    assert browser.cookies[portal_settings.LANGUAGE_COOKIE_NAME].value == "en"


def test_preferences__anonymous__kept_in_the_browser(browser: Client) -> None:
    browser.post(reverse("preferences"), {"language": "zh-hans", "theme": "dark"})
    assert browser.cookies["theme"].value == "dark"
    assert browser.get(reverse("login"), headers={"Accept-Language": "en"})["Content-Language"] == "zh-hans"


@pytest.mark.parametrize("header", [{"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}])
def test_preferences__by_script__nothing_to_show(browser: Client, header: dict) -> None:
    response = browser.post(reverse("preferences"), {"theme": "light"}, headers=header)
    assert response.status_code == 204
    assert "HX-Refresh" not in response


def test_preferences__empty__browser_decides_again(browser: Client) -> None:
    browser.post(reverse("preferences"), {"theme": "dark"})
    browser.post(reverse("preferences"), {"theme": ""})
    assert browser.cookies["theme"]["max-age"] == 0


@pytest.mark.parametrize("sent", [{"language": "fr"}, {"theme": "pink"}])
def test_preferences__unknown__refused(browser: Client, sent: dict) -> None:
    response = browser.post(reverse("preferences"), sent)
    assert response.status_code == 422
    assert "theme" not in browser.cookies


def test_preferences__next_elsewhere__home(browser: Client) -> None:
    sent = {"theme": "dark", "next": "https://evil.example/"}
    assert browser.post(reverse("preferences"), sent)["Location"] == reverse(HOME)


def test_tokens__new_one__secret_shown_once(dev: User, as_person: Callable[[User], Client]) -> None:
    browser = as_person(dev)
    response = browser.post(reverse("tokens"), {"name": "pipeline", "scopes": ["read", "request"], "days": "30"})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    secret = response.context["fresh"]["secret"]
    again = browser.get(reverse("tokens"))
    assert secret not in again.content.decode()
    assert again.context["fresh"] is None
    [row] = again.context["tokens"]
    assert (row["name"], row["status"]["tone"]) == ("pipeline", "success")
    assert again.context["action"] == reverse("tokens")


def test_tokens__not_valid__fields_say_so(dev: User, as_person: Callable[[User], Client]) -> None:
    response = as_person(dev).post(reverse("tokens"), {"name": "", "scopes": ["root"], "days": "9999"})
    assert response.status_code == 422
    assert all(field["errors"] for field in response.context["fields"])
    assert not ApiToken.objects.exists()


def test_tokens__list__same_queries_for_many(
    dev: User, as_person: Callable[[User], Client], django_assert_max_num_queries: Callable
) -> None:
    browser = as_person(dev)
    for number in range(10):
        browser.post(reverse("tokens"), {"name": str(number), "scopes": ["read"], "days": "30"})
    # One of them is the bell's.
    with django_assert_max_num_queries(5):
        browser.get(reverse("tokens"))


def test_token_revoke__own__ended(dev: User, as_person: Callable[[User], Client]) -> None:
    browser = as_person(dev)
    browser.post(reverse("tokens"), {"name": "pipeline", "scopes": ["read"], "days": "30"})
    token = ApiToken.objects.get()
    assert browser.post(reverse("token-revoke", args=[token.prefix]))["Location"] == reverse("tokens")
    token.refresh_from_db()
    assert token.revoked_at is not None
    [row] = browser.get(reverse("tokens")).context["tokens"]
    assert row["revoke_url"] == ""


def test_token_revoke__somebody_elses__not_found(dev: User, as_person: Callable[[User], Client]) -> None:
    as_person(dev).post(reverse("tokens"), {"name": "pipeline", "scopes": ["read"], "days": "30"})
    stranger = as_person(a_user("stranger"))
    assert stranger.post(reverse("token-revoke", args=[ApiToken.objects.get().prefix])).status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_tokens__nobody__sent_to_sign_in(browser: Client) -> None:
    assert reverse("login") in browser.get(reverse("tokens"))["Location"]


def test_tokens__page_with_the_secret_loaded_again__no_second_token(browser: Client, directory: Directory) -> None:
    _sign_in(browser)
    page = browser.get("/account/tokens")
    once = page.context["once"]
    form = page.content.decode().partition('action="/account/tokens"')[2].partition("</form>")[0]
    assert f'name="once" value="{once}"' in form
    asked = {"name": "pipeline", "scopes": ["read"], "days": "30", "once": once}
    first = browser.post("/account/tokens", asked)
    assert first.context["fresh"]
    again = browser.post("/account/tokens", asked)
    assert (again.status_code, again.url) == (302, "/account/tokens")
    assert ApiToken.objects.count() == 1
