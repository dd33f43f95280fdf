"""The pure rules of who you are: user names, roles from groups, scopes, the language to speak."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import ldap.dn

# What may be typed as a user name: nothing with a meaning in an LDAP filter or a DN, and no letter that looks like
# another one. 64 is the width of the column and of a Kubernetes user in a role binding.
_USERNAME = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
# The audit names the portal itself so; nobody may sign in under that name.
_RESERVED = {"system"}
# Names of tenants' service accounts, which somebody chooses: nobody may sign in under one.
_OF_PROGRAMS = "service."

# How the names of accounts for emergencies begin; nobody in the directory is known here by such a name.
EMERGENCY = "break-glass-"
LONGEST_NAME = 64

# The width of the columns that keep one.
LONGEST_DN = 512

SCOPES = ("read", "request", "decide")
# A program of a tenant decides nothing.
PROGRAM_SCOPES = ("read", "request")
LONGEST_TOKEN_DAYS = 365
MOST_ACTIVE_TOKENS = 20

# The approver groups of the enterprise, as people call them: slug -> (Chinese, English).
APPROVER_GROUP_NAMES = {
    "architecture": ("架构", "Architecture"),
    "datacenter": ("数据中心", "Data centre"),
    "security": ("安全", "Security"),
    "platform": ("平台", "Platform"),
    "administrators": ("平台管理员", "Platform administrators"),
}


def account_name(typed: str) -> str | None:
    """The name an account is kept under, lower case, or None where `typed` can be nobody's user name."""
    name = typed.lower()
    is_reserved = name in _RESERVED or name.startswith((_OF_PROGRAMS, EMERGENCY))
    return name if _USERNAME.fullmatch(typed) and not is_reserved else None


def emergency_name(typed: str) -> str | None:
    """The name of an account for emergencies, lower case, or None where `typed` can be none."""
    name = typed.lower()
    return name if _USERNAME.fullmatch(typed) and name.startswith(EMERGENCY) else None


def normal_dn(dn: str) -> str:
    """A distinguished name in the one spelling in which two are compared: lower case, no optional spaces (RFC 4514).

    Raises ValueError when it is none.
    """
    # What is named by several values together has no order among them.
    return str(
        ldap.dn.dn2str([sorted((_lower(kind), _lower(value), how) for kind, value, how in p) for p in _parts(dn)])
    )


def is_below(dn: str, base: str) -> bool:
    """Whether the entry `dn` would stand somewhere below `base`. Raises ValueError when one is no DN."""
    parts, above = _parts(normal_dn(dn)), _parts(normal_dn(base))
    return len(parts) > len(above) and parts[-len(above) :] == above


def common_name(dn: str) -> str:
    """The cn by which `dn` names its entry, in its case and without the DN's own escapes: "a,b" of cn=a\\,b,ou=groups.

    Raises ValueError where it is not named by a cn.
    """
    for kind, value, _how in (_parts(dn) or [[]])[0]:
        if kind.lower() == "cn":
            return value
    raise ValueError(f"{dn!r} does not begin with a cn.")


def roles_of(group_dns: Iterable[str], mapping: Mapping[str, str]) -> list[str]:
    """The portal roles, sorted, of whoever is in the groups `group_dns`; `mapping` is role -> DN of its group."""
    groups = {normal_dn(dn) for dn in group_dns}
    return sorted(role for role, dn in mapping.items() if normal_dn(dn) in groups)


# What says in a directory that an account is switched off for good, which a search finds all the same: attribute ->
# whether this value does. A lock after wrong passwords passes and is not meant: anybody could put it on anybody.
_SWITCHED_OFF: dict[str, Callable[[str], bool]] = {
    # Active Directory, 2 is ACCOUNTDISABLE: learn.microsoft.com/windows/win32/adschema/a-useraccountcontrol.
    "userAccountControl": lambda value: value.isascii() and value.isdigit() and bool(int(value) & 2),
    # 389 Directory Server, FreeIPA.
    "nsAccountLock": lambda value: value.lower() == "true",
    # eDirectory.
    "loginDisabled": lambda value: value.lower() == "true",
    # OpenLDAP: "locked permanently" (slapo-ppolicy(5)).
    "pwdAccountLockedTime": lambda value: value == "000001010000Z",
}
SWITCHING_OFF = tuple(_SWITCHED_OFF)


def is_switched_off(attributes: Mapping[str, Sequence[str]]) -> bool:
    """Whether one of the attributes of an entry (names as the server spells them) says that it is switched off."""
    tests = {name.lower(): is_off for name, is_off in _SWITCHED_OFF.items()}
    return any(
        tests[name.lower()](value) for name, values in attributes.items() if name.lower() in tests for value in values
    )


def username_attribute(user_filter: str) -> str:
    """The attribute that holds the user name: the first one compared with %(user)s in the search filter.

    Raises ValueError when the filter compares none.
    """
    found = re.search(r"\(([A-Za-z][A-Za-z0-9-]*)=%\(user\)s\)", user_filter)
    if found is None:
        raise ValueError(f"{user_filter!r} must compare an attribute with %(user)s.")
    return found[1]


def language_for(wanted: Sequence[str]) -> str:
    """The language to speak, zh-hans or en: the first of `wanted` (codes, best first) that is spoken, else English."""
    for code in wanted:
        if code.lower().partition("-")[0] == "zh":
            return "zh-hans"
        if code.lower().partition("-")[0] == "en":
            return "en"
    return "en"


def _parts(dn: str) -> list[list[tuple[str, str, int]]]:
    try:
        return list(ldap.dn.str2dn(dn))
    except ldap.DECODING_ERROR:
        raise ValueError(f"{dn!r} is not a distinguished name.") from None


def _lower(text: str) -> str:
    """Lower case, but no letter becomes one of ASCII that was none: the Kelvin sign is not a k."""
    return "".join(letter if not letter.isascii() and letter.lower().isascii() else letter.lower() for letter in text)
