"""The table of rights, docs/rights.csv: every address and method called by every sort of person, and the answer."""

import csv
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.rules import PROGRAM_SCOPES
from accounts.tokens import prefix_of
from portal.access import ACCESS
from script.local import ROOT
from tenants.services import service_accounts
from tests.builders import a_tenant, a_user
from tests.portal.walk import SCOPES, URLS, World, call, changed, with_token

TABLE = ROOT / "docs" / "rights.csv"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# An entry of the directory with this is no longer let in (PORTAL_LDAP_USER_FILTER).
DISABLED = "disabled"
USER_FILTER = f"(&(uid=%(user)s)(!(employeeType={DISABLED})))"
# What a cell says of a call beside its status: where it led, and that something was written.
TO_LOGIN, WROTE = " to login", " *"


@dataclass(frozen=True)
class Caller:
    """One sort of person: a browser for pages and a program for the API."""

    browser: Callable[[World], Client]
    program: Callable[[World], Client]


def _person(name: str) -> Caller:
    return Caller(lambda world: world.person(name), lambda world: world.program(name))


def _with_token(make: Callable[[World], Client]) -> Caller:
    """Somebody who has a token alone, and sends it to pages too."""
    return Caller(make, make)


def _without_scope(world: World) -> Client:
    """The administrator's token without any right; none can be made so, an older portal might have."""
    client = world.token("admin", "read")
    ApiToken.objects.filter(user=world.people["admin"]).exclude(prefix=_prefix(world.tokens["admin"])).update(scopes=[])
    return client


def _disabled(world: World) -> User:
    """Once an administrator and an owner of the tenant; the directory was last asked before they were disabled."""
    a_tenant("claims", leaver="owner")
    long_ago = timezone.now() - timedelta(hours=1)
    return a_user("leaver", "administrator", "approver:platform", roles_seen_at=long_ago)


def _disabled_browser(world: World) -> Client:
    world.people["leaver"] = _disabled(world)
    return world.person("leaver")


def _disabled_program(world: World) -> Client:
    world.people["leaver"] = _disabled(world)
    return world.token("leaver", *SCOPES)


def _robot(world: World) -> Client:
    """A service account of the tenant, a developer, for which the owner answers."""
    given = {"by": world.people["owner"], "at": timezone.now()}
    tenant = a_tenant("claims")
    account = service_accounts.create(tenant=tenant, name="robot", role="developer", description="", **given)
    _token, text = service_accounts.issue_token(
        account=account, name="robot", scopes=sorted(PROGRAM_SCOPES), days=90, **given
    )
    return with_token(text)


CALLERS: dict[str, Caller] = {
    "anonymous": _with_token(lambda world: Client(headers={"Accept-Language": "en"})),
    "stranger": _person("stranger"),
    "viewer": _person("guest"),
    "developer": _person("dev"),
    "owner": _person("owner"),
    "platform": _person("platform"),
    "datacenter": _person("datacenter"),
    "security": _person("security"),
    "architecture": _person("architect"),
    "administrator": _person("admin"),
    "auditor": _person("auditor"),
    "expired token": _with_token(lambda world: world.expired("admin")),
    "token without scope": _with_token(_without_scope),
    "read-only token": _with_token(lambda world: world.token("admin", "read")),
    "disabled": Caller(_disabled_browser, _disabled_program),
    "service account": _with_token(_robot),
}


def column(world: World, who: str) -> dict[tuple[str, str], str]:
    """What each address answers the caller to each method: {(URL name, method): cell}. HEAD is called as well and has
    to answer as GET does."""
    caller = CALLERS[who]
    program = caller.program(world)
    browser = program if caller.browser is caller.program else caller.browser(world)
    # Making some of them writes, a service account for one.
    before, cells = changed(), {}
    for name in URLS:
        client = program if ACCESS.get(name) == "api" else browser
        for method in METHODS:
            cells[name, method] = _cell(call(world, client, name, method), before)
        head = _cell(call(world, client, name, "HEAD"), before)
        # A download is audited, a look at its headers is not.
        assert head == cells[name, "GET"].removesuffix(WROTE), (name, "HEAD", head, cells[name, "GET"])
    return cells


def read() -> dict[str, dict[tuple[str, str], str]]:
    """The committed table by caller: {caller: {(URL name, method): cell}}, {} without one."""
    if not TABLE.exists():
        return {}
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {who: {(row["name"], row["method"]): row[who] for row in rows} for who in (rows[0] if rows else {})}


def write(who: str, cells: dict[tuple[str, str], str]) -> None:
    """Puts one column into the table, one process after the other; rows of addresses that are gone leave it."""
    folder = os.open(TABLE.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        _write(who, cells)
    finally:
        os.close(folder)


def _write(who: str, cells: dict[tuple[str, str], str]) -> None:
    table, addresses = read(), routes()
    table[who] = cells
    with TABLE.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "route", "open to", "method", *CALLERS])
        for name, route in sorted(addresses.items(), key=lambda pair: (pair[1], pair[0])):
            for method in METHODS:
                found = [table.get(one, {}).get((name, method), "") for one in CALLERS]
                out.writerow([name, route, ACCESS.get(name, ""), method, *found])


def is_writing() -> bool:
    """Whether the table is to be written instead of compared."""
    return os.environ.get("WRITE_RIGHTS") == "1"


def routes() -> dict[str, str]:
    """{URL name: its route} of the whole portal."""
    return dict(_routes(get_resolver().url_patterns, "/"))


def _routes(patterns: list, prefix: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield pattern.name, prefix + str(pattern.pattern)


def _cell(response: HttpResponse, before: tuple) -> str:
    cell = str(response.status_code)
    if response.status_code == 302 and response["Location"].partition("?")[0] == "/login":
        cell += TO_LOGIN
    return cell + (WROTE if response.changed != before else "")


def _prefix(text: str) -> str:
    return prefix_of(text) or ""
