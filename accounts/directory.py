"""The enterprise directory, asked live: people and groups, also those who never came to the portal."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ldap
import ldap.filter
from django.conf import settings
from django.utils.translation import gettext as _

from accounts import ldap_settings, rules
from web import measures
from web.errors import UserError

logger = logging.getLogger(__name__)

MEASURED = "portal_directory_request_duration_seconds"
_GROUP_CLASSES = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=group))"
# A person with more groups than this is a fault of the directory; it must not become a row without bounds.
_MOST_GROUPS = 2000


class DirectoryUnavailable(UserError):
    """The directory does not answer, or not as it should; whoever is signed in goes on."""

    status = 503
    code = "directory-unavailable"

    def __init__(self) -> None:
        super().__init__(_("The company directory does not answer. Try again in a few minutes."))


class UnusableGroup(Exception):
    """No cluster can be told of this group; the code says why: missing, unnamed, ambiguous."""


@dataclass(frozen=True)
class Person:
    """Somebody in the directory; `username` is lower case, as in the portal's accounts."""

    username: str
    display_name: str
    email: str


@dataclass(frozen=True)
class Group:
    """A group in the directory; `cn` and `dn` are spelt as the directory spells them."""

    cn: str
    dn: str
    description: str


def find_people(text: str, limit: int) -> list[Person]:
    """At most `limit` people whose user name, name or mail contains `text`, by user name.

    Raises DirectoryUnavailable.
    """
    text = _plain(text)
    if not text:
        return []
    name = rules.username_attribute(settings.LDAP_USER_FILTER)
    anywhere = _containing(text, [name, "cn", "displayName", "mail"])
    found = _search(
        settings.LDAP_USER_BASE,
        f"(&(objectClass=person){anywhere})",
        ldap_settings.person_attributes(),
        limit,
    )
    people = [person_from(attributes) for _dn, attributes in found]
    return sorted((person for person in people if person), key=lambda person: person.username)


def find_groups(text: str, limit: int) -> list[Group]:
    """At most `limit` groups whose name or description contains `text`, by name. Raises DirectoryUnavailable."""
    text = _plain(text)
    if not text:
        return []
    found = _search(
        settings.LDAP_GROUP_BASE,
        f"(&{_GROUP_CLASSES}{_containing(text, ['cn', 'description'])})",
        ["cn", "description"],
        limit,
    )
    groups = [
        Group(cn=_first(attributes, "cn"), dn=dn, description=_first(attributes, "description"))
        for dn, attributes in found
    ]
    return sorted(groups, key=lambda group: group.cn.lower())


def person_exists(username: str) -> bool:
    """Whether exactly one person of the directory, who is not switched off there, signs in under this name. Raises
    DirectoryUnavailable."""
    name = rules.account_name(username)
    if name is None:
        return False
    with _bound() as connection:
        return _person_dn(connection, name) is not None


def groups_of_person(username: str) -> list[str] | None:
    """The normal DNs, sorted, of the groups of whoever signs in as `username`, or None where nobody does any more: the
    entry is gone, or switched off.

    Raises DirectoryUnavailable.
    """
    name = rules.account_name(username)
    if name is None:
        return None
    with _bound() as connection:
        dn = _person_dn(connection, name)
        return None if dn is None else groups_of(connection, dn)


def group_named(dn: str) -> Group:
    """The group below LDAP_GROUP_BASE that is meant by `dn`, in the directory's own spelling.

    A directory also takes letters for equal that only look alike (RFC 4518, 2.3); a person who reads the DN does not,
    so only upper and lower case and optional spaces may differ. Clusters know groups by their cn, with its case: it
    must be in the DN as it is in the entry, and no other group may have it. Raises UnusableGroup, DirectoryUnavailable.
    """
    try:
        wanted = rules.normal_dn(dn)
    except ValueError:
        raise UnusableGroup("missing") from None
    if not rules.is_below(wanted, settings.LDAP_GROUP_BASE):
        raise UnusableGroup("missing")
    with _bound() as connection:
        try:
            found = _entries(connection, wanted, ldap.SCOPE_BASE, _GROUP_CLASSES, ["cn", "description"], 1)
        except (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX):
            found = []
        if not found or rules.normal_dn(found[0][0]) != wanted:
            raise UnusableGroup("missing")
        [(own_dn, attributes)] = found
        cn = _cn_of(own_dn, attributes)
        same_name = f"(&{_GROUP_CLASSES}(cn={ldap.filter.escape_filter_chars(cn)}))"
        if len(_entries(connection, settings.LDAP_GROUP_BASE, ldap.SCOPE_SUBTREE, same_name, ["cn"], 2)) != 1:
            raise UnusableGroup("ambiguous")
    return Group(cn=cn, dn=own_dn, description=_first(attributes, "description"))


def groups_of(connection: Any, person_dn: str) -> list[str]:
    """Normal DNs, sorted, of the groups that name `person_dn` as member, over a bound `connection`.

    Raises DirectoryUnavailable: without the answer nobody knows what the person may do.
    """
    member = ldap.filter.escape_filter_chars(person_dn)
    wanted = f"(&{_GROUP_CLASSES}(|(member={member})(uniqueMember={member})))"
    try:
        found = _entries(connection, settings.LDAP_GROUP_BASE, ldap.SCOPE_SUBTREE, wanted, ["cn"], _MOST_GROUPS)
    except ldap.LDAPError as error:
        logger.warning("the directory does not say who is in which group: %r", error)
        raise DirectoryUnavailable from error
    return sorted(rules.normal_dn(dn) for dn, _attributes in found)


def person_from(attributes: Mapping[str, Any]) -> Person | None:
    """The person an entry tells of, or None where its user name is none the portal accepts."""
    name = rules.account_name(_first(attributes, rules.username_attribute(settings.LDAP_USER_FILTER)))
    if name is None:
        return None
    email = _first(attributes, "mail")
    return Person(
        username=name,
        display_name=(_first(attributes, "displayName") or _first(attributes, "cn"))[:128],
        email=email if len(email) <= 254 else "",
    )


@contextlib.contextmanager
def _bound() -> Iterator[Any]:
    """A connection bound as the service account; every failure of the directory becomes DirectoryUnavailable."""
    connection = None
    try:
        with measures.timed(MEASURED, ldap.LDAPError, operation="bind"):
            connection = _connection()
        with measures.timed(MEASURED, ldap.LDAPError, operation="search"):
            yield connection
    except ldap.LDAPError as error:
        logger.warning("the directory does not answer as it should: %r", error)
        raise DirectoryUnavailable from error
    finally:
        if connection is not None:
            with contextlib.suppress(ldap.LDAPError):
                connection.unbind_s()


def _connection() -> Any:
    """Bound as the service account."""
    connection = ldap.initialize(ldap_settings.answering_url())
    for option, value in ldap_settings.connection_options().items():
        connection.set_option(option, value)
    if settings.LDAP_START_TLS:
        connection.start_tls_s()
    connection.simple_bind_s(settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD)
    return connection


def _search(base: str, wanted: str, attributes: list[str], limit: int) -> list[tuple[str, dict[str, Any]]]:
    with _bound() as connection:
        return _entries(connection, base, ldap.SCOPE_SUBTREE, wanted, attributes, limit)


def _person_dn(connection: Any, name: str) -> str | None:
    wanted = settings.LDAP_USER_FILTER % {"user": ldap.filter.escape_filter_chars(name)}
    attribute = rules.username_attribute(settings.LDAP_USER_FILTER)
    asked = [attribute, *rules.SWITCHING_OFF]
    found = _entries(connection, settings.LDAP_USER_BASE, ldap.SCOPE_SUBTREE, wanted, asked, 2)
    # A filter may also match a mail address; the account is kept under the user name alone.
    is_one = len(found) == 1 and _first(found[0][1], attribute).lower() == name
    if not is_one or rules.is_switched_off({key: _all(found[0][1], key) for key in found[0][1]}):
        return None
    return found[0][0]


def _cn_of(dn: str, attributes: Mapping[str, Any]) -> str:
    """The cn in the DN, where the entry has it letter for letter; else nobody knows which one a cluster hears of."""
    try:
        cn = rules.common_name(dn)
    except ValueError:
        raise UnusableGroup("unnamed") from None
    if cn not in _all(attributes, "cn"):
        raise UnusableGroup("unnamed")
    return cn


def _entries(
    connection: Any, base: str, scope: int, wanted: str, attributes: list[str], limit: int
) -> list[tuple[str, dict[str, Any]]]:
    """At most `limit` entries. A search that finds more ends in an error after `limit` of them; they are kept."""
    message = connection.search_ext(
        base, scope, wanted, attributes, timeout=ldap_settings.ANSWER_SECONDS, sizelimit=limit
    )
    found: list[tuple[str, dict[str, Any]]] = []
    with contextlib.suppress(ldap.SIZELIMIT_EXCEEDED):
        while True:
            kind, rows = connection.result(message, all=0, timeout=ldap_settings.ANSWER_SECONDS)
            # A reference to another server comes without a DN and is not followed.
            found += [(dn, attributes) for dn, attributes in rows if dn is not None]
            if kind == ldap.RES_SEARCH_RESULT:
                break
    return found[:limit]


def _plain(text: str) -> str:
    """Without what directories take for nothing when they compare (RFC 4518, 2.2), which would match everybody."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _containing(text: str, attributes: list[str]) -> str:
    part = ldap.filter.escape_filter_chars(text[:128])
    return "(|" + "".join(f"({attribute}=*{part}*)" for attribute in attributes) + ")"


def _first(attributes: Mapping[str, Any], name: str) -> str:
    """The first value of an attribute as text, "" where there is none."""
    return next(iter(_all(attributes, name)), "")


def _all(attributes: Mapping[str, Any], name: str) -> list[str]:
    """An attribute's values as text; names compare without case, as servers spell them as they like."""
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for key, values in attributes.items()
        if key.lower() == name.lower()
        for value in values
    ]
