"""People and groups looked up in a real slapd."""

import pytest
from pytest_django.fixtures import Settings

from accounts import directory as people
from accounts.directory import DirectoryUnavailable, Group, Person, UnusableGroup
from tests.plugins.directory import BASE, Directory

TEAM = f"cn=claims-team,ou=groups,{BASE}"
GROUP = {"objectClass": ["groupOfNames"], "member": [f"uid=dev,ou=people,{BASE}"]}
LI_MING = Person("dev", "李明 Li Ming", "dev@insurer.example")


@pytest.mark.parametrize("text", ["dev", "DE", "李明", "li ming", "dev@insurer"])
def test_find_people__part_of_a_name__found(directory: Directory, text: str) -> None:
    assert LI_MING in people.find_people(text, 10)


def test_find_people__more_than_the_limit__cut(directory: Directory) -> None:
    assert len(people.find_people("insurer.example", 4)) == 4
    assert len(people.find_people("insurer.example", 50)) == 10


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


@pytest.mark.parametrize("dn", [TEAM, f"CN=Claims-Team, OU=Groups,{BASE}"])
def test_group_named__case_and_spaces__the_directorys_spelling(directory: Directory, dn: str) -> None:
    assert people.group_named(dn) == Group("claims-team", TEAM, "Claims")


@pytest.mark.parametrize(
    "dn",
    [
        f"cn=gone,ou=groups,{BASE}",
        f"uid=dev,ou=people,{BASE}",
        f"ou=groups,{BASE}",
        f"no-such-type=x,ou=groups,{BASE}",
        f"cn=x\\,ou=groups,{BASE}",
        "cn=claims-team",
        "cn=\\ff\\fe,dc=x",
        "not a dn",
        "",
        # A directory takes these for the same: full-width letters, another name of the attribute.
        f"cn=ｃlaims-team,ou=groups,{BASE}",
        f"2.5.4.3=claims-team,ou=groups,{BASE}",
    ],
)
def test_group_named__no_group_or_a_look_alike__missing(directory: Directory, dn: str) -> None:
    with pytest.raises(UnusableGroup, match="missing"):
        people.group_named(dn)


def test_group_named__kelvin_sign__is_no_k(directory: Directory) -> None:
    with directory.with_entry(f"cn=k8s,ou=groups,{BASE}", GROUP):
        assert people.group_named(f"cn=K8s,ou=groups,{BASE}").cn == "k8s"
        with pytest.raises(UnusableGroup, match="missing"):
            people.group_named(f"cn=\u212a8s,ou=groups,{BASE}")


def test_group_named__upper_case_in_the_directory__kept(directory: Directory) -> None:
    with directory.with_entry(f"cn=Platform-SRE,ou=groups,{BASE}", GROUP):
        found = people.group_named(f"CN=platform-sre,OU=groups,{BASE}")
    assert (found.cn, found.dn) == ("Platform-SRE", f"cn=Platform-SRE,ou=groups,{BASE}")


def test_group_named__several_values_in_the_name__its_cn(directory: Directory) -> None:
    dn = f"ou=Cluster-Admins+cn=Small,ou=groups,{BASE}"
    with directory.with_entry(dn, GROUP | {"objectClass": ["groupOfNames"], "ou": ["Cluster-Admins"]}):
        assert people.group_named(dn).cn == "Small"
        assert people.group_named(f"cn=small+ou=cluster-admins,ou=groups,{BASE}").cn == "Small"


def test_group_named__not_by_its_cn__unnamed(directory: Directory) -> None:
    other_case = f"cn=odd,ou=groups,{BASE}"
    by_ou = f"ou=Cluster-Admins,ou=groups,{BASE}"
    with (
        directory.with_entry(other_case, GROUP | {"cn": ["Odd"]}),
        directory.with_entry(by_ou, GROUP | {"cn": ["small"], "ou": ["Cluster-Admins"]}),
    ):
        for dn in (other_case, by_ou):
            with pytest.raises(UnusableGroup, match="unnamed"):
                people.group_named(dn)


def test_group_named__same_cn_in_another_place__ambiguous(directory: Directory) -> None:
    place = f"ou=elsewhere,ou=groups,{BASE}"
    with (
        directory.with_entry(place, {"objectClass": ["organizationalUnit"]}),
        directory.with_entry(f"cn=Claims-Team,{place}", GROUP),
        pytest.raises(UnusableGroup, match="ambiguous"),
    ):
        people.group_named(TEAM)


def test_groups_of_person__gone__none(directory: Directory) -> None:
    assert people.groups_of_person("dev") == [TEAM]
    assert people.groups_of_person("nobody-here") is None


def test_lookup__directory_down__said_so(directory: Directory) -> None:
    with directory.down():
        for ask in (
            lambda: people.find_people("dev", 5),
            lambda: people.find_groups("claims", 5),
            lambda: people.person_exists("dev"),
            lambda: people.group_named(TEAM),
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
