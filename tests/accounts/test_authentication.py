"""Bearer tokens and their rights, through the real REST endpoints."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import services
from accounts.models import ApiToken, User
from audit.models import Event
from tests.builders import a_user
from tests.plugins.directory import BASE, Directory

pytestmark = pytest.mark.django_db

CONTRACTOR = {
    "objectClass": ["inetOrgPerson", "switchable"],
    "cn": ["Contractor"],
    "sn": ["Contractor"],
    "uid": ["contractor"],
}
SWITCHED_OFF = [{"userAccountControl": "514"}, {"nsAccountLock": "TRUE"}, {"loginDisabled": "TRUE"}]


def _token(user: User, *scopes: str) -> str:
    return services.issue_token(user=user, by=user, name="t", scopes=scopes, days=30, at=timezone.now())[1]


def _get(browser: Client, text: str, name: str = "api-me"):
    return browser.get(reverse(name), headers={"Authorization": f"Bearer {text}"})


def _post(browser: Client, text: str, **changes: object):
    asked = {"name": "child", "scopes": ["read"], "days": 1} | changes
    return browser.post(
        reverse("api-tokens"), asked, content_type="application/json", headers={"Authorization": f"Bearer {text}"}
    )


def test_token__valid__knows_the_person(browser: Client, dev: User) -> None:
    response = _get(browser, _token(dev, "read"))
    assert response.status_code == 200
    assert response.json()["username"] == "dev"
    assert response.json()["roles"] == []


@pytest.mark.parametrize(
    "text", ["", "x", "cp_000000000000_abc", "cp_a_b_c", "Bearer", "cp_\u00e9_x", "cp_000000000000_\u00e9"]
)
def test_token__unknown__401_with_challenge(browser: Client, dev: User, text: str) -> None:
    response = _get(browser, text)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_token__none_sent__401_with_challenge(browser: Client) -> None:
    response = browser.get(reverse("api-me"))
    assert response.status_code == 401
    assert "Bearer" in response["WWW-Authenticate"]


def test_token__right_prefix_wrong_secret__401(browser: Client, dev: User) -> None:
    text = _token(dev, "read")
    assert _get(browser, text[:-1] + ("a" if text[-1] != "a" else "b")).status_code == 401
    assert ApiToken.objects.get().last_used_at is None


def test_token__expired__401(browser: Client, dev: User) -> None:
    text = _token(dev, "read")
    long_ago = timezone.now() - timedelta(days=60)
    ApiToken.objects.update(created_at=long_ago, expires_at=long_ago + timedelta(days=30))
    assert _get(browser, text).status_code == 401


def test_token__revoked__401(browser: Client, dev: User) -> None:
    text = _token(dev, "read")
    services.revoke_token(token=ApiToken.objects.get(), by=dev, at=timezone.now())
    assert _get(browser, text).status_code == 401


@pytest.mark.parametrize("who", ["dev", "robot"])
def test_token__person_or_owner_switched_off__401(browser: Client, dev: User, who: str) -> None:
    robot = User.objects.create(username="robot", owner=dev)
    text = services.issue_token(user=robot, by=dev, name="t", scopes=["read"], days=30, at=timezone.now())[1]
    assert _get(browser, text).status_code == 200
    User.objects.filter(username=who).update(is_active=False)
    assert _get(browser, text).status_code == 401


def _seen(ago: timedelta | None) -> None:
    User.objects.update(roles_seen_at=None if ago is None else timezone.now() - ago)


def test_token__roles_seen_long_ago__those_of_the_directory(browser: Client, directory: Directory) -> None:
    text = _token(a_user("dev", "auditor"), "read")
    with directory.with_member("portal-auditors", "dev"):
        _seen(timedelta(minutes=6))
        assert _get(browser, text).json()["roles"] == ["auditor"]
    assert _get(browser, text).json()["roles"] == ["auditor"]
    _seen(timedelta(minutes=6))
    assert _get(browser, text).json()["roles"] == []
    assert User.objects.get().roles == []


def test_token__roles_just_seen__directory_not_asked(browser: Client, directory: Directory) -> None:
    text = _token(a_user("platform", "approver:platform"), "read")
    with directory.down():
        _seen(timedelta(minutes=4))
        assert _get(browser, text).status_code == 200
    assert User.objects.get().roles_missed_at is None


def test_token__person_left__401_and_written_down_once(browser: Client, directory: Directory) -> None:
    text = _token(a_user("leaver", "approver:platform"), "read")
    _seen(timedelta(minutes=6))
    for _ in range(2):
        response = _get(browser, text)
        assert response.status_code == 401
        assert "does not know this person" in response.json()["detail"]
    event = Event.objects.get(action="user.gone")
    assert (event.subject, event.before) == ("user:leaver", {"roles": ["approver:platform"]})


def test_token__service_account__as_long_as_its_owner_is_there(browser: Client, directory: Directory) -> None:
    robot = a_user("platform", owner=a_user("owner"))
    text = _token(robot, "read")
    _seen(timedelta(minutes=6))
    assert _get(browser, text).status_code == 200
    robot.refresh_from_db()
    # What its namesake in the directory is, it is not.
    assert robot.roles == []
    User.objects.filter(username="owner").update(username="leaver")
    _seen(timedelta(minutes=6))
    assert _get(browser, text).status_code == 401


@pytest.mark.parametrize("change", SWITCHED_OFF, ids=str)
def test_token__switched_off_in_the_directory__401_within_the_interval(
    browser: Client, directory: Directory, change: dict[str, str]
) -> None:
    text = _token(a_user("contractor"), "read")
    with directory.with_entry(f"uid=contractor,ou=people,{BASE}", CONTRACTOR):
        _seen(timedelta(minutes=6))
        assert _get(browser, text).status_code == 200
    with directory.with_entry(f"uid=contractor,ou=people,{BASE}", CONTRACTOR | {n: [v] for n, v in change.items()}):
        assert _get(browser, text).status_code == 200
        _seen(timedelta(minutes=6))
        assert _get(browser, text).status_code == 401
    assert User.objects.get().roles_seen_at is None


def test_token__told_apart_by_the_filter__401_within_the_interval(
    browser: Client, directory: Directory, settings: Settings
) -> None:
    settings.LDAP_USER_FILTER = "(&(uid=%(user)s)(!(employeeType=left)))"
    text = _token(a_user("contractor"), "read")
    with directory.with_entry(f"uid=contractor,ou=people,{BASE}", CONTRACTOR | {"employeeType": ["left"]}):
        _seen(timedelta(minutes=6))
        assert _get(browser, text).status_code == 401


@pytest.mark.parametrize("change", [{"userAccountControl": "512"}, {"nsAccountLock": "FALSE"}], ids=str)
def test_token__not_switched_off__goes_on(browser: Client, directory: Directory, change: dict[str, str]) -> None:
    text = _token(a_user("contractor"), "read")
    with directory.with_entry(f"uid=contractor,ou=people,{BASE}", CONTRACTOR | {n: [v] for n, v in change.items()}):
        _seen(timedelta(minutes=6))
        assert _get(browser, text).status_code == 200


@pytest.mark.parametrize(
    ("seen", "status"),
    [(timedelta(hours=11), 200), (timedelta(hours=13), 503), (timedelta(days=300), 503), (None, 503)],
)
def test_token__directory_down__what_was_seen_today_counts(
    browser: Client, directory: Directory, seen: timedelta | None, status: int
) -> None:
    text = _token(a_user("dev"), "read")
    _seen(seen)
    with directory.down():
        assert [_get(browser, text).status_code for _ in range(2)] == [status] * 2
    User.objects.update(roles_missed_at=None)
    assert _get(browser, text).status_code == 200


def test_token__other_pepper__401(browser: Client, dev: User, settings: Settings) -> None:
    text = _token(dev, "read")
    settings.TOKEN_PEPPER = "another-pepper-of-at-least-32-characters"
    assert _get(browser, text).status_code == 401


def test_token__used__noted_once_a_minute(browser: Client, dev: User, django_assert_num_queries: Callable) -> None:
    text = _token(dev, "read")
    _get(browser, text)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        _get(browser, text)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    _get(browser, text)
    assert ApiToken.objects.get().last_used_at >= first


def test_scope__read_alone__may_not_ask(browser: Client, dev: User) -> None:
    text = _token(dev, "read")
    assert _get(browser, text, "api-tokens").status_code == 200
    assert _post(browser, text).status_code == 403


def test_scope__request_alone__may_not_read(browser: Client, dev: User) -> None:
    text = _token(dev, "request")
    assert _get(browser, text).status_code == 403


def test_tokens_api__request__child_token_works(browser: Client, dev: User) -> None:
    response = _post(browser, _token(dev, "read", "request"))
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert _get(browser, response.json()["secret"]).status_code == 200


@pytest.mark.parametrize("changes", [{"scopes": ["decide"]}, {"days": 300}])
def test_tokens_api__beyond_the_calling_token__refused(browser: Client, dev: User, changes: dict) -> None:
    assert _post(browser, _token(dev, "read", "request"), **changes).status_code == 403


def test_tokens_api__list__no_secrets(browser: Client, dev: User) -> None:
    text = _token(dev, "read")
    [row] = _get(browser, text, "api-tokens").json()["items"]
    assert row["state"] == "active"
    assert text.split("_", 2)[2] not in str(row)
    assert "digest" not in row


def test_tokens_api__somebody_elses__not_found(browser: Client, dev: User) -> None:
    _token(dev, "read")
    prefix = ApiToken.objects.get().prefix
    text = _token(a_user("stranger"), "read", "request")
    response = browser.delete(reverse("api-token", args=[prefix]), headers={"Authorization": f"Bearer {text}"})
    assert response.status_code == 404


def test_tokens_api__revoked_by_itself__works_no_longer(browser: Client, dev: User) -> None:
    text = _token(dev, "read", "request")
    address = reverse("api-token", args=[ApiToken.objects.get().prefix])
    assert browser.delete(address, headers={"Authorization": f"Bearer {text}"}).status_code == 204
    assert _get(browser, text).status_code == 401


def test_session__signed_in__all_rights(dev: User, as_person: Callable[[User], Client]) -> None:
    browser = as_person(dev)
    assert browser.get(reverse("api-me")).status_code == 200
    asked = {"name": "mine", "scopes": ["decide"], "days": 10}
    assert browser.post(reverse("api-tokens"), asked, content_type="application/json").status_code == 201


def test_session__without_csrf_token__refused(dev: User) -> None:
    careful = Client(enforce_csrf_checks=True, **{"wsgi.url_scheme": "https"})
    careful.force_login(dev, backend="accounts.backends.DirectoryBackend")
    asked = {"name": "mine", "scopes": ["decide"], "days": 10}
    assert careful.post(reverse("api-tokens"), asked, content_type="application/json").status_code == 403
    assert not ApiToken.objects.exists()
