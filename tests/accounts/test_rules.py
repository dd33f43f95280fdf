"""The pure rules of who you are."""

import pytest

from accounts import rules


@pytest.mark.parametrize("typed", ["dev", "DEV", "li.ming", "a_b-c", "li@insurer.example", "x" * 64])
def test_account_name__plain__lower_case(typed: str) -> None:
    assert rules.account_name(typed) == typed.lower()


@pytest.mark.parametrize(
    "typed",
    ["", "*", "de*", "dev)(uid=*", "(dev)", "dev\\2a", "dev\0", "dev\n", " dev", "a b", "x" * 65, "system", "System"],
)
def test_account_name__characters_of_a_filter__refused(typed: str) -> None:
    assert rules.account_name(typed) is None


@pytest.mark.parametrize("typed", ["d\u0435v", "ｄｅｖ", "dev\u200b", "de\u0301v", "\u212aim", "李明", "dev\u0661"])
def test_account_name__look_alike_letters__refused(typed: str) -> None:
    assert rules.account_name(typed) is None


def test_normal_dn__spaces_and_case__one_spelling() -> None:
    assert rules.normal_dn("CN=Team A, OU=Groups,dc=Insurer,DC=example") == "cn=team a,ou=groups,dc=insurer,dc=example"


def test_normal_dn__several_values_in_one_name__in_one_order() -> None:
    assert rules.normal_dn("OU=B+cn=A,dc=x") == rules.normal_dn("cn=a+ou=b,DC=x")


def test_normal_dn__letters_that_look_alike__stay_different() -> None:
    assert rules.normal_dn("cn=\u212a8s") != rules.normal_dn("cn=k8s") != rules.normal_dn("cn=ｋ8s")
    assert rules.normal_dn("cn=ÄRZTE") == "cn=ärzte"


def test_common_name__escapes_and_order__the_value_of_cn() -> None:
    assert rules.common_name("ou=Admins+CN=a\\, B,dc=x") == "a, B"
    for dn in ("ou=Admins,cn=b", "", "no dn"):
        with pytest.raises(ValueError, match=r"begin with a cn|distinguished"):
            rules.common_name(dn)


def test_normal_dn__no_dn__refused() -> None:
    with pytest.raises(ValueError, match="not a distinguished name"):
        rules.normal_dn("somebody")


def test_roles_of__groups_in_other_spelling__roles_sorted() -> None:
    mapping = {
        "auditor": "cn=Auditors,ou=groups,dc=x",
        "administrator": "CN=admins, OU=Groups, DC=x",
        "approver:security": "cn=security,ou=groups,dc=x",
    }
    groups = ["cn=admins,ou=groups,dc=x", "CN=auditors,OU=groups,DC=X", "cn=other,ou=groups,dc=x"]
    assert rules.roles_of(groups, mapping) == ["administrator", "auditor"]


def test_roles_of__no_groups__no_roles() -> None:
    assert rules.roles_of([], {"auditor": "cn=auditors,dc=x"}) == []


@pytest.mark.parametrize(
    ("user_filter", "attribute"),
    [
        ("(uid=%(user)s)", "uid"),
        ("(&(objectClass=user)(sAMAccountName=%(user)s))", "sAMAccountName"),
        ("(|(uid=%(user)s)(mail=%(user)s))", "uid"),
    ],
)
def test_username_attribute__first_compared__found(user_filter: str, attribute: str) -> None:
    assert rules.username_attribute(user_filter) == attribute


def test_username_attribute__none_compared__refused() -> None:
    with pytest.raises(ValueError, match="must compare"):
        rules.username_attribute("(objectClass=person)")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (["zh-CN", "en"], "zh-hans"),
        (["zh-TW"], "zh-hans"),
        (["en-GB", "zh"], "en"),
        (["fr", "zh"], "zh-hans"),
        (["fr"], "en"),
        (["*"], "en"),
        ([], "en"),
    ],
)
def test_language_for__browser_languages__best_spoken(wanted: list[str], language: str) -> None:
    assert rules.language_for(wanted) == language


@pytest.mark.parametrize(
    ("attributes", "is_off"),
    [
        ({}, False),
        ({"userAccountControl": ["514"]}, True),
        ({"useraccountcontrol": ["66050"]}, True),
        ({"userAccountControl": ["512"]}, False),
        ({"userAccountControl": ["x"]}, False),
        ({"userAccountControl": ["٥١٤"]}, False),
        ({"nsAccountLock": ["true"]}, True),
        ({"nsaccountlock": ["false"]}, False),
        ({"loginDisabled": ["TRUE"]}, True),
        ({"pwdAccountLockedTime": ["000001010000Z"]}, True),
        # After wrong passwords, for a while.
        ({"pwdAccountLockedTime": ["20261127051500Z"]}, False),
        ({"description": ["TRUE"]}, False),
    ],
    ids=str,
)
def test_is_switched_off__what_directories_say(attributes, is_off):
    assert rules.is_switched_off(attributes) is is_off


def test_account_name__of_a_service_account__nobody_signs_in_under_it():
    assert rules.account_name("service.claims.deploy") is None
    assert rules.account_name("Service.claims.deploy") is None
    assert rules.account_name("service") == "service"
