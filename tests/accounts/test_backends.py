"""Signing in against a real slapd."""

import time

import pytest
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts.backends import DirectoryBackend, NotAPerson
from accounts.directory import DirectoryUnavailable
from accounts.models import User
from tests.plugins.directory import BASE, PASSWORD, Directory

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_in(rf: RequestFactory) -> HttpRequest:
    """A request to sign in."""
    return rf.post("/login")


def _try(username: str, password: str = PASSWORD) -> User | None:
    return DirectoryBackend().authenticate(None, username, password)


def test_authenticate__right_password__account_as_in_the_directory(directory: Directory) -> None:
    user = _try("architect")
    assert user is not None
    assert (user.username, user.display_name, user.email) == (
        "architect",
        "张伟 Zhang Wei",
        "architect@insurer.example",
    )
    assert user.directory_groups == [f"cn=approvers-architecture,ou=groups,{BASE}"]
    assert user.roles == ["approver:architecture"]
    assert not user.has_usable_password()
    assert User.objects.get().roles == ["approver:architecture"]


def test_authenticate__through_django__backend_in_settings_answers(
    directory: Directory, request_in: HttpRequest
) -> None:
    user = authenticate(request_in, username="dev", password=PASSWORD)
    assert isinstance(user, User)
    assert user.roles == []


def test_authenticate__other_case__the_same_account(directory: Directory) -> None:
    first, second = _try("dev"), _try("DEV")
    assert first == second
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("dev", "wrong"),
        ("dev", ""),
        ("dev", PASSWORD + "\0"),
        ("dev", "x" * 513),
        ("nobody-here", PASSWORD),
        ("", PASSWORD),
        ("*", PASSWORD),
        ("de*", PASSWORD),
        ("dev)(uid=*", PASSWORD),
        ("dev\\", PASSWORD),
        ("dev\0", PASSWORD),
        ("dev\n", PASSWORD),
        ("ｄｅｖ", PASSWORD),
        ("d\u0435v", PASSWORD),
    ],
)
def test_authenticate__not_a_person_or_password__refused(directory: Directory, username: str, password: str) -> None:
    assert _try(username, password) is None
    assert not User.objects.exists()


@pytest.mark.parametrize("username", ["*", "dev)(uid=*", "dev\0", "ｄｅｖ", ""])
def test_authenticate__no_user_name__directory_not_asked(directory: Directory, username: str) -> None:
    with directory.down():
        assert _try(username) is None
        assert _try("dev", "") is None


def test_authenticate__no_password_set__refused(directory: Directory) -> None:
    entry = {"objectClass": ["inetOrgPerson"], "uid": ["newcomer"], "cn": ["New"], "sn": ["Comer"]}
    with directory.with_entry(f"uid=newcomer,ou=people,{BASE}", entry):
        assert _try("newcomer", "anything") is None
        assert _try("newcomer", "") is None


def test_authenticate__groups_change__roles_given_and_taken(directory: Directory) -> None:
    with directory.with_member("portal-auditors", "dev"):
        user = _try("dev")
        assert user is not None
        assert user.roles == ["auditor"]
        assert f"cn=claims-team,ou=groups,{BASE}" in user.directory_groups
    _try("dev")
    user = User.objects.get()
    assert user.roles == []
    assert user.directory_groups == [f"cn=claims-team,ou=groups,{BASE}"]


def test_authenticate__group_of_unique_names__counts(directory: Directory) -> None:
    member = f"uid=dev,ou=people,{BASE}"
    entry = {"objectClass": ["groupOfUniqueNames"], "cn": ["Unique Team"], "uniqueMember": [member]}
    with directory.with_entry(f"cn=Unique Team,ou=groups,{BASE}", entry):
        user = _try("dev")
    assert user is not None
    assert f"cn=unique team,ou=groups,{BASE}" in user.directory_groups


def test_authenticate__special_characters_in_dn__found_and_escaped(directory: Directory) -> None:
    dn = f"cn=50% (Li\\, Ming)*,ou=people,{BASE}"
    # {CLEARTEXT} is what slapd takes a value without scheme for.
    entry = {"objectClass": ["inetOrgPerson"], "uid": ["odd"], "sn": ["Li"], "userPassword": [PASSWORD]}
    with (
        directory.with_entry(dn, entry | {"cn": ["50% (Li, Ming)*"]}),
        directory.with_entry(
            f"cn=odd-team,ou=groups,{BASE}", {"objectClass": ["groupOfNames"], "cn": ["odd-team"], "member": [dn]}
        ),
    ):
        user = _try("odd")
    assert user is not None
    assert user.display_name == "50% (Li, Ming)*"
    assert user.directory_groups == [f"cn=odd-team,ou=groups,{BASE}"]


def test_authenticate__by_mail_where_the_filter_allows__account_of_the_user_name(
    directory: Directory, settings: Settings
) -> None:
    settings.LDAP_USER_FILTER = "(|(uid=%(user)s)(mail=%(user)s))"
    user = _try("Dev@insurer.example")
    assert user is not None
    assert user.username == "dev"
    assert _try("dev") == user


def test_authenticate__account_switched_off__refused(directory: Directory) -> None:
    User.objects.create(username="dev", is_active=False)
    assert _try("dev") is None


def test_authenticate__name_of_a_service_account__refused_and_untouched(directory: Directory, dev: User) -> None:
    User.objects.create(username="platform", owner=dev, roles=["auditor"])
    with pytest.raises(NotAPerson):
        _try("platform")
    assert _try("platform", "wrong") is None
    assert User.objects.get(username="platform").roles == ["auditor"]


def test_authenticate__directory_down__said_so(directory: Directory) -> None:
    with directory.down(), pytest.raises(DirectoryUnavailable):
        _try("dev")
    assert _try("dev") is not None


def test_authenticate__directory_hangs__said_so_within_seconds(directory: Directory) -> None:
    started = time.monotonic()
    with directory.frozen(), pytest.raises(DirectoryUnavailable):
        _try("dev")
    assert time.monotonic() - started < 12


def test_authenticate__certificate_of_another_authority__refused(directory: Directory, settings: Settings) -> None:
    settings.LDAP_CA_FILE = str(directory.other_ca_file)
    with pytest.raises(DirectoryUnavailable):
        _try("dev")


def test_authenticate__certificate_of_another_host__refused(directory: Directory, settings: Settings) -> None:
    settings.LDAP_URL = directory.misnamed_url
    with pytest.raises(DirectoryUnavailable):
        _try("dev")


def test_authenticate__start_tls__works(directory: Directory, settings: Settings) -> None:
    settings.LDAP_URL, settings.LDAP_START_TLS = directory.plain_url, True
    user = _try("admin")
    assert user is not None
    assert user.roles == ["administrator"]


def test_authenticate__start_tls_with_another_authority__refused(directory: Directory, settings: Settings) -> None:
    settings.LDAP_URL, settings.LDAP_START_TLS = directory.plain_url, True
    settings.LDAP_CA_FILE = str(directory.other_ca_file)
    with pytest.raises(DirectoryUnavailable):
        _try("dev")


def test_authenticate__service_password_wrong__said_as_unavailable(directory: Directory, settings: Settings) -> None:
    settings.LDAP_BIND_PASSWORD = "changed-since"
    with pytest.raises(DirectoryUnavailable):
        _try("dev")


def test_authenticate__group_base_missing__said_as_unavailable(directory: Directory, settings: Settings) -> None:
    settings.LDAP_GROUP_BASE = f"ou=nowhere,{BASE}"
    with pytest.raises(DirectoryUnavailable):
        _try("dev")
    assert not User.objects.exists()


def test_get_user__switched_off__nobody(dev: User) -> None:
    assert DirectoryBackend().get_user(dev.pk) == dev
    User.objects.update(is_active=False)
    assert DirectoryBackend().get_user(dev.pk) is None
