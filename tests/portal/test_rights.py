"""docs/rights.csv says what every sort of person is answered everywhere; and whatever the table says, these rules hold.

WRITE_RIGHTS=1 pytest tests/portal/test_rights.py writes the table. Read what it changed: the test then only says that
the portal still does it.
"""

import pytest

from portal.access import ACCESS
from tests.plugins.directory import BASE
from tests.portal import rights, walk
from tests.portal.rights import CALLERS, METHODS, TO_LOGIN, USER_FILTER, WROTE
from tests.portal.walk import URLS

pytestmark = pytest.mark.django_db
DENIED = {"anonymous", "expired token", "disabled"}
# Whoever is signed in may do this, as it concerns nobody else: one's own account, questions that store nothing, and
# lists of decisions whose result says of each row whether it was allowed.
OWN = {
    "login",
    "logout",
    "preferences",
    "tokens",
    "api-tokens",
    "api-foresee",
    "inbox-decide",
    "api-inbox-decisions",
    "api-requests-bulk",
    "request-check",
    "notifications-read",
    "api-notifications-read",
    "notification-preferences",
    "api-notification-preferences",
}
# Who may write at all, beside what is their own.
WRITERS = {"developer", "owner", "platform", "datacenter", "security", "architecture", "administrator"}
WRITERS |= {"service account"}
# Whoever belongs to the tenant may say something about its requests, but auditors leave no trace in what they read.
REMARKS = {"request-comment", "api-request-comments"}
ADMINISTRATORS_ONLY = ("cluster-new", "cluster-edit", "cluster-capacity", "cluster-probe", "cluster-restore", "policy-")


@pytest.fixture
def world(gitops_cluster, directory, settings):
    """The world, beside a directory that knows a person it no longer lets in."""
    settings.LDAP_USER_FILTER = USER_FILTER
    names = {"uid": ["leaver"], "cn": ["Leaver"], "sn": ["Leaver"], "employeeType": [rights.DISABLED]}
    entry = names | {"objectClass": ["inetOrgPerson"]}
    with directory.with_entry(f"uid=leaver,ou=people,{BASE}", entry):
        yield walk.build()


@pytest.mark.parametrize("who", CALLERS)
def test_rights__every_address_and_method__as_the_table_says(world, who):
    found = rights.column(world, who)
    if rights.is_writing():
        rights.write(who, found)
    table = rights.read().get(who, {})
    addresses = {(name, method) for name in rights.routes() for method in METHODS}
    assert set(table) == addresses, f"WRITE_RIGHTS=1: {sorted(set(table) ^ addresses)}"
    differing = {f"{method} {name}": (table[name, method], cell) for (name, method), cell in found.items()}
    assert not {where: pair for where, pair in differing.items() if pair[0] != pair[1]}, "(table, portal)"


@pytest.fixture(scope="module")
def table():
    """Every cell as (caller, URL name, method, status, what else it says)."""
    cells = []
    for who, column in rights.read().items():
        for (name, method), cell in column.items() if who in CALLERS else ():
            status, _space, more = cell.partition(" ")
            cells.append((who, name, method, int(status), more))
    assert {who for who, *_rest in cells} == set(CALLERS)
    return cells


def _succeeded(status, more):
    return status < 400 and more != TO_LOGIN.strip()


def test_rules__nobody__breaks_the_portal(table):
    assert not [cell for cell in table if cell[3] >= 500]


def test_rules__reading__writes_nothing_but_who_took_the_audit_along(table):
    wrote = {cell[1].removeprefix("api-") for cell in table if cell[2] == "GET" and WROTE.strip() in cell[4]}
    assert all(name.startswith("audit-") for name in wrote), wrote


def test_rules__what_an_address_does_not_take__is_refused_to_all(table):
    for who, name, method, status, more in table:
        if method not in URLS[name].may:
            assert not _succeeded(status, more), (who, name, method, status)


def test_rules__whoever_is_nobody__reaches_public_addresses_alone(table):
    for who, name, method, status, more in table:
        if who not in DENIED or ACCESS[name] == "public":
            continue
        if ACCESS[name] == "monitor":
            assert status == (401 if method == "GET" else 405), (who, name, method, status)
            continue
        right = {401} if ACCESS[name] == "api" else {302}
        assert status in right, (who, name, method, status)
        assert ACCESS[name] == "api" or more == TO_LOGIN.strip(), (who, name, method, more)


def test_rules__token_on_a_page__is_nobody(table):
    for who, name, method, _status, more in table:
        if who.endswith("token") and ACCESS[name] == "session":
            assert more == TO_LOGIN.strip(), (who, name, method)


def test_rules__token_without_scope__reads_nothing(table):
    for who, name, method, status, _more in table:
        if who == "token without scope" and ACCESS[name] == "api":
            assert status == 403, (name, method, status)


def test_rules__read_only_token__changes_nothing(table):
    for who, name, method, status, _more in table:
        if who == "read-only token" and ACCESS[name] == "api" and method != "GET":
            assert status == 403, (name, method, status)


def test_rules__only_who_has_a_part_in_it__writes(table):
    for who, name, method, status, more in table:
        writers = WRITERS | {"viewer"} if name in REMARKS else WRITERS
        if method != "GET" and _succeeded(status, more) and name not in OWN and ACCESS[name] != "public":
            assert who in writers, (who, name, method, status)
        if WROTE.strip() in more and method != "GET":
            assert who in writers, (who, name, method, status)


def test_rules__stranger__finds_nothing_of_another_tenant(table):
    for who, name, method, status, _more in table:
        if who == "stranger" and URLS[name].is_hidden:
            assert status in (404, 405), (name, method, status)


def test_rules__decision__is_of_the_group_whose_turn_it_is(table):
    deciding = {"request-decide", "api-request-decision"}
    allowed = {who for who, name, _method, status, more in table if name in deciding and _succeeded(status, more)}
    assert allowed == {"platform"}


def test_rules__what_administrators_keep__is_theirs_alone(table):
    for who, name, method, status, more in table:
        kept = name.removeprefix("api-")
        if method == "GET" or not kept.startswith(ADMINISTRATORS_ONLY) or not _succeeded(status, more):
            continue
        assert who == "administrator", (who, name, method, status)


def test_rules__service_account__may_no_more_than_its_owner(table):
    answered = {(who, name, method): (status, more) for who, name, method, status, more in table}
    for (who, name, method), (status, more) in answered.items():
        if who == "service account" and ACCESS[name] == "api" and _succeeded(status, more):
            assert _succeeded(*answered["owner", name, method]), (name, method, status)
