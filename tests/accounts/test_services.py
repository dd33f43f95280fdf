"""Tokens, preferences and approver groups as use cases."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as portal_settings
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts import rules, services, tokens
from accounts.models import ApiToken, ApproverGroup, User
from audit.models import Event
from web.errors import Conflict, Forbidden, Invalid

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def _issue(user: User, **changes: object) -> tuple[ApiToken, str]:
    asked: dict = {"user": user, "by": user, "name": "pipeline", "scopes": ["read"], "days": 30, "at": NOW}
    return services.issue_token(**(asked | changes))


def test_issue_token__works__secret_only_as_keyed_hash(dev: User) -> None:
    token, secret = _issue(dev, name=" pipeline ", scopes=["decide", "read"])
    row = ApiToken.objects.values().get()
    assert secret.startswith(f"cp_{token.prefix}_")
    assert secret.split("_", 2)[2] not in str(row)
    assert row["digest"] == tokens.digest_of(secret, portal_settings.TOKEN_PEPPER)
    assert (row["name"], row["scopes"]) == ("pipeline", ["read", "decide"])
    assert row["expires_at"] == NOW + timedelta(days=30)


def test_issue_token__works__audited_without_secret(dev: User) -> None:
    token, secret = _issue(dev)
    event = Event.objects.get()
    assert (event.actor, event.action, event.subject) == ("dev", "token.issue", f"token:{token.prefix}")
    assert secret.split("_", 2)[2] not in str(event.after)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["read", "admin"]}, "/scopes"),
        ({"days": 0}, "/days"),
        ({"days": -5}, "/days"),
        ({"days": 366}, "/days"),
    ],
)
def test_issue_token__not_valid__refused_by_field(dev: User, changes: dict, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        _issue(dev, **changes)
    assert list(refusal.value.fields) == [pointer]
    assert not ApiToken.objects.exists()


def test_issue_token__for_somebody_else__refused(dev: User) -> None:
    admin = User.objects.create(username="admin", roles=["administrator"])
    with pytest.raises(Forbidden):
        _issue(dev, by=admin)


def test_issue_token__for_own_service_account__works(dev: User) -> None:
    robot = User.objects.create(username="claims-robot", owner=dev)
    token, _secret = _issue(robot, by=dev)
    assert token.user == robot


def test_issue_token__twenty_active__the_next_refused_until_one_ends(dev: User) -> None:
    issued = [_issue(dev)[0] for _ in range(rules.MOST_ACTIVE_TOKENS)]
    with pytest.raises(Conflict):
        _issue(dev)
    services.revoke_token(token=issued[0], by=dev, at=NOW)
    _issue(dev)
    _issue(dev, at=NOW + timedelta(days=31))


@pytest.mark.parametrize("changes", [{"scopes": ["decide"]}, {"scopes": ["read"], "days": 31}])
def test_issue_token__by_a_token__never_beyond_it(dev: User, changes: dict) -> None:
    through, _secret = _issue(dev, scopes=["read", "request"])
    with pytest.raises(Forbidden):
        _issue(dev, through=through, **changes)
    _issue(dev, through=through, scopes=["read"], days=30)


def test_revoke_token__twice__once_audited(dev: User) -> None:
    token, _secret = _issue(dev)
    services.revoke_token(token=token, by=dev, at=NOW)
    services.revoke_token(token=token, by=dev, at=NOW + timedelta(hours=1))
    assert ApiToken.objects.get().revoked_at == NOW
    assert Event.objects.filter(action="token.revoke").count() == 1


def test_revoke_token__stranger__refused(dev: User) -> None:
    token, _secret = _issue(dev)
    with pytest.raises(Forbidden):
        services.revoke_token(token=token, by=User.objects.create(username="stranger"), at=NOW)
    assert ApiToken.objects.get().revoked_at is None


def test_revoke_token__administrator__may(dev: User) -> None:
    token, _secret = _issue(dev)
    admin = User.objects.create(username="admin", roles=["administrator"])
    services.revoke_token(token=token, by=admin, at=NOW)
    assert Event.objects.get(action="token.revoke").actor == "admin"


def test_set_preferences__one_of_two__other_as_it_was(dev: User) -> None:
    services.set_preferences(user=dev, language="en", theme="dark", at=NOW)
    services.set_preferences(user=dev, language=None, theme="", at=NOW)
    dev.refresh_from_db()
    assert (dev.language, dev.theme) == ("en", "")


def test_set_preferences__same_again__not_audited(dev: User) -> None:
    services.set_preferences(user=dev, language="en", theme=None, at=NOW)
    services.set_preferences(user=dev, language="en", theme=None, at=NOW)
    assert Event.objects.filter(action="user.prefer").count() == 1


@pytest.mark.parametrize(("language", "theme"), [("fr", None), (None, "pink"), ("zh-hans'", "dark")])
def test_set_preferences__unknown__refused(dev: User, language: str | None, theme: str | None) -> None:
    with pytest.raises(Invalid):
        services.set_preferences(user=dev, language=language, theme=theme, at=NOW)


def test_sync_groups__first_time__groups_with_names(settings: Settings) -> None:
    settings.ROLE_GROUPS = {
        "administrator": "cn=a,dc=x",
        "approver:security": "CN=Sec, DC=x",
        "approver:risk": "cn=r,dc=x",
    }
    changed = services.sync_groups(at=NOW)
    assert [group.slug for group in changed] == ["administrators", "risk", "security"]
    security = ApproverGroup.objects.get(slug="security")
    assert (security.name_zh, security.name_en, security.ldap_dn) == ("安全", "Security", "cn=sec,dc=x")
    assert ApproverGroup.objects.get(slug="risk").name_en == "risk"
    assert Event.objects.filter(action="approver-group.sync").count() == 3


def test_sync_groups__again__changes_nothing(settings: Settings) -> None:
    settings.ROLE_GROUPS = {"approver:security": "cn=sec,dc=x"}
    services.sync_groups(at=NOW)
    ApproverGroup.objects.update(name_zh="信息安全")
    assert services.sync_groups(at=NOW) == []
    assert ApproverGroup.objects.get().name_zh == "信息安全"


def test_sync_groups__gone_from_settings__kept_without_dn(settings: Settings) -> None:
    settings.ROLE_GROUPS = {"approver:security": "cn=sec,dc=x"}
    services.sync_groups(at=NOW)
    settings.ROLE_GROUPS = {}
    call_command("sync_approver_groups", verbosity=0)
    assert ApproverGroup.objects.get().ldap_dn == ""
    assert services.sync_groups(at=NOW) == []
