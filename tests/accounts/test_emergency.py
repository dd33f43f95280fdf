"""Emergency access: closed until it is opened, for somebody and a while; used while the directory is down."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import emergency, rules, services
from accounts.models import User
from audit.models import Event
from clusters.models import Cluster
from tests.builders import a_user, ready_portal
from tests.plugins.directory import Directory
from web.errors import Conflict, Forbidden, Invalid
from workflow import permissions
from workflow.services import submit

pytestmark = pytest.mark.django_db
REASON = "The directory is down, ticket 4711"


def _open(person: str = "boss", hours: int = 1, reason: str = REASON) -> tuple[User, str]:
    return emergency.open_access(person=person, reason=reason, hours=hours, at=timezone.now())


def _sign_in(browser: Client, name: str, password: str):
    return browser.post(reverse("login"), {"username": name, "password": password})


def test_login__nothing_was_opened__refused(directory: Directory, browser: Client) -> None:
    assert _sign_in(browser, "break-glass-boss", "portal-demo").status_code == 403
    assert not User.objects.filter(username__startswith=rules.EMERGENCY).exists()


def test_login__opened__works_without_the_directory_and_says_so_on_every_page(
    directory: Directory, browser: Client
) -> None:
    user, password = _open()
    with directory.down():
        assert _sign_in(browser, "Break-Glass-Boss", password).status_code == 302
        page = browser.get(reverse("tokens"), headers={"Accept-Language": "en"}).content.decode()
    assert "Emergency access until" in page
    assert REASON in page
    user.refresh_from_db()
    assert user.is_administrator
    assert list(Event.objects.order_by("pk").values_list("action", "actor")) == [
        ("emergency.open", "system"),
        ("emergency.login", "break-glass-boss"),
    ]
    assert Event.objects.get(action="emergency.login").after["reason"] == REASON


def test_password__stored__slowly_hashed_and_in_no_event(db: None) -> None:
    user, password = _open()
    assert user.password.startswith("pbkdf2_sha256$")
    assert password not in str(list(Event.objects.values()))
    assert len(password) >= 30


def test_login__its_time_is_over__refused_and_the_session_ends(directory: Directory, browser: Client) -> None:
    _user, password = _open()
    _sign_in(browser, "break-glass-boss", password)
    assert browser.get(reverse("tokens")).status_code == 200
    User.objects.filter(username="break-glass-boss").update(local_until=timezone.now() - timedelta(seconds=1))
    assert browser.get(reverse("tokens")).status_code == 302
    assert _sign_in(browser, "break-glass-boss", password).status_code == 403


def test_close__sessions__end_at_once(directory: Directory, browser: Client) -> None:
    user, password = _open()
    _sign_in(browser, user.username, password)
    assert emergency.close_access(person="boss", at=timezone.now())
    assert browser.get(reverse("tokens")).status_code == 302
    assert not emergency.close_access(person="boss", at=timezone.now())
    assert Event.objects.filter(action="emergency.close").count() == 1


def test_open__again__another_password_and_old_sessions_end(directory: Directory, browser: Client) -> None:
    user, password = _open()
    _sign_in(browser, user.username, password)
    _open()
    assert browser.get(reverse("tokens")).status_code == 302
    assert _sign_in(browser, user.username, password).status_code == 403


def test_login__tried_too_often__locked(directory: Directory, browser: Client) -> None:
    user, password = _open()
    for _try in range(5):
        _sign_in(browser, user.username, "wrong")
    response = _sign_in(browser, user.username, password)
    assert response.status_code == 429
    assert Event.objects.filter(action="user.login-failed", subject=f"user:{user.username}").count() == 6


def test_login__a_namesake_in_the_directory__is_not_let_in(directory: Directory) -> None:
    assert rules.account_name("break-glass-boss") is None
    assert rules.emergency_name("Break-Glass-boss") == "break-glass-boss"
    assert rules.emergency_name("boss") is None
    assert rules.emergency_name("break-glass-\u212a") is None


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"person": "no body"}, Invalid),
        ({"person": "x" * 60}, Invalid),
        ({"reason": "short"}, Invalid),
        ({"reason": "x" * 301}, Invalid),
        ({"hours": 0}, Invalid),
        ({"hours": 9}, Invalid),
    ],
)
def test_open__what_is_not_valid__refused(wrong: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        _open(**wrong)
    assert not User.objects.filter(local_until__isnull=False).exists()


def test_open__forbidden_by_the_settings__refused(settings: Settings) -> None:
    settings.BREAK_GLASS_HOURS = 0
    with pytest.raises(Conflict, match="PORTAL_BREAK_GLASS_HOURS"):
        _open()


def test_tokens__emergency_access__makes_none(db: None) -> None:
    user, _password = _open()
    with pytest.raises(Forbidden):
        services.issue_token(user=user, name="t", scopes=["read"], days=1, by=user, at=timezone.now())


def test_decide__what_the_same_person_asked_for__refused(gitops_cluster: Cluster) -> None:
    ready_portal()
    now = timezone.now()
    steps = [{"group": "platform"}]
    values = {"action": "create", "slug": "quick", "name_zh": "快", "name_en": "Quick", "priority": 77, "steps": steps}
    asked = submit(kind="change-policy", values=values, by=a_user("boss", "administrator"), at=now)
    assert not permissions.can_decide(asked, _open("boss")[0], now)
    assert permissions.can_decide(asked, _open("another")[0], now)


def test_command__open_list_close__say_what_was_done(db: None) -> None:
    said = io.StringIO()
    call_command("break_glass", "open", "boss", "--reason", REASON, "--hours", "2", stdout=said)
    password = said.getvalue().split("Password:")[1].split()[0]
    assert User.objects.get(username="break-glass-boss").check_password(password)
    said = io.StringIO()
    call_command("break_glass", "list", stdout=said)
    assert "break-glass-boss" in said.getvalue() and REASON in said.getvalue()
    call_command("break_glass", "close", "boss", stdout=io.StringIO())
    with pytest.raises(CommandError, match="No emergency access"):
        call_command("break_glass", "close", "boss")
    with pytest.raises(CommandError, match="1 to 8 hours"):
        call_command("break_glass", "open", "boss", "--reason", REASON, "--hours", "99")
