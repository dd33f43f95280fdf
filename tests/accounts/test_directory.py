"""People and groups looked up in a real slapd."""

import pytest
from pytest_django.fixtures import Settings

from accounts import directory as people
from accounts.directory import DirectoryUnavailable, Group, Person
from tests.plugins.directory import BASE, Directory

LI_MING = Person("dev", "李明 Li Ming", "dev@insurer.example")


@pytest.mark.parametrize("text", ["dev", "DE", "李明", "li ming", "dev@insurer"])
def test_find_people__part_of_a_name__found(directory: Directory, text: str) -> None:
    assert LI_MING in people.find_people(text, 10)


def test_find_people__more_than_the_limit__cut(directory: Directory) -> None:
    assert len(people.find_people("insurer.example", 4)) == 4
    assert len(people.find_people("insurer.example", 50)) == 9


@pytest.mark.parametrize("text", ["", "  ", "*", "dev)(uid=*", "\\", "\0", "(objectClass=*)"])
def test_find_people__filter_characters__plain_text(directory: Directory, text: str) -> None:
    assert people.find_people(text, 10) == []


def test_find_groups__part_of_a_name__found(directory: Directory) -> None:
    assert people.find_groups("claims", 10) == [Group("claims-team", f"cn=claims-team,ou=groups,{BASE}", "Claims")]
    assert [group.cn for group in people.find_groups("approvers", 10)] == [
        "approvers-architecture",
        "approvers-datacenter",
        "approvers-platform",
        "approvers-security",
    ]


@pytest.mark.parametrize("text", ["", "*", "claims)(cn=*"])
def test_find_groups__filter_characters__plain_text(directory: Directory, text: str) -> None:
    assert people.find_groups(text, 10) == []


@pytest.mark.parametrize(
    ("username", "exists"),
    [
        ("dev", True),
        ("DEV", True),
        ("nobody-here", False),
        ("*", False),
        ("d*v", False),
        ("", False),
        ("ｄｅｖ", False),
    ],
)
def test_person_exists__user_name__whole_and_exact(directory: Directory, username: str, exists: bool) -> None:
    assert people.person_exists(username) is exists


def test_person_exists__mail_address__not_a_user_name(directory: Directory, settings: Settings) -> None:
    settings.LDAP_USER_FILTER = "(|(uid=%(user)s)(mail=%(user)s))"
    assert people.person_exists("dev")
    assert not people.person_exists("dev@insurer.example")


@pytest.mark.parametrize(
    ("dn", "exists"),
    [
        (f"cn=claims-team,ou=groups,{BASE}", True),
        (f"CN=Claims-Team, OU=Groups,{BASE}", True),
        (f"cn=gone,ou=groups,{BASE}", False),
        (f"uid=dev,ou=people,{BASE}", False),
        (f"ou=groups,{BASE}", False),
        ("cn=claims-team", False),
        ("not a dn", False),
        ("", False),
    ],
)
def test_group_exists__dn__only_groups_below_the_base(directory: Directory, dn: str, exists: bool) -> None:
    assert people.group_exists(dn) is exists


def test_lookup__directory_down__said_so(directory: Directory) -> None:
    with directory.down():
        for ask in (
            lambda: people.find_people("dev", 5),
            lambda: people.find_groups("claims", 5),
            lambda: people.person_exists("dev"),
            lambda: people.group_exists(f"cn=claims-team,ou=groups,{BASE}"),
        ):
            with pytest.raises(DirectoryUnavailable):
                ask()


def test_lookup__certificate_of_another_authority__refused(directory: Directory, settings: Settings) -> None:
    settings.LDAP_CA_FILE = str(directory.other_ca_file)
    with pytest.raises(DirectoryUnavailable):
        people.find_people("dev", 5)


def test_lookup__start_tls__works(directory: Directory, settings: Settings) -> None:
    settings.LDAP_URL, settings.LDAP_START_TLS = directory.plain_url, True
    assert people.person_exists("dev")


def test_lookup__base_missing__said_as_unavailable(directory: Directory, settings: Settings) -> None:
    settings.LDAP_USER_BASE = f"ou=nowhere,{BASE}"
    with pytest.raises(DirectoryUnavailable):
        people.find_people("dev", 5)
