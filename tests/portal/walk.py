"""Every address of the portal in one table: what it is called with and who may, for tests that walk over all of them.

A new URL name needs one line in URLS; tests/portal/test_access.py fails until it has one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import issue_token
from audit.models import Event
from tenants.models import Project
from tests.builders import a_tenant, a_user, ready_portal, wish
from workflow import queries
from workflow.models import Request
from workflow.services import submit

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROLES: dict[str, tuple[str, ...]] = {
    "stranger": (),
    "guest": (),
    "dev": (),
    "owner": (),
    "auditor": ("auditor",),
    "platform": ("approver:platform",),
    "admin": ("administrator",),
}
EVERYBODY = frozenset(ROLES)
# Who may read what belongs to the tenant claims.
READERS = EVERYBODY - {"stranger"}
# What only they may ever read.
HIDDEN = ("claims-hidden", "Hidden imaging", "CC-4711", "Why we want it")
SCOPES = ["read", "request", "decide"]


@dataclass
class World:
    """People of every role; of the tenant claims an open request, a project and a token of the developer's."""

    people: dict[str, User]
    request: Request
    project: Project
    tokens: dict[str, str]
    prefix: str

    def person(self, name: str, **options: Any) -> Client:
        """A browser in which the person is signed in."""
        client = Client(headers={"Accept-Language": "en"}, **options)
        client.force_login(self.people[name], backend="accounts.backends.DirectoryBackend")
        return client

    def program(self, name: str) -> Client:
        """A program with the person's token, which has all scopes."""
        return with_token(self.tokens[name])

    def token(self, name: str, *scopes: str) -> Client:
        """A program with a token of these scopes alone."""
        return with_token(_token(self.people[name], list(scopes))[1])

    def expired(self, name: str) -> Client:
        """A program with a token that is over."""
        token, text = _token(self.people[name], SCOPES)
        long_ago = timezone.now() - timedelta(days=30)
        ApiToken.objects.filter(pk=token.pk).update(created_at=long_ago, expires_at=long_ago + timedelta(days=1))
        return with_token(text)


def build() -> World:
    """The world; needs a cluster that offers all environments."""
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger="developer")
    people = {name: a_user(name, *roles) for name, roles in ROLES.items()}
    shown = {"display_name": "Hidden imaging", "cost_centre": "CC-4711", "reason": "Why we want it"}
    made = [
        submit(kind="new-project", values=wish(environment=e, name=f"hidden{e}", **shown), by=people["dev"], at=_now())
        for e in ("test", "dev")
    ]
    tokens = {name: _token(user, SCOPES) for name, user in people.items()}
    texts = {name: text for name, (_token, text) in tokens.items()}
    return World(people, made[0], Project.objects.get(), texts, tokens["dev"][0].prefix)


def with_token(text: str) -> Client:
    """A program that sends this token."""
    return Client(headers={"Accept-Language": "en", "Authorization": f"Bearer {text}"})


Arguments = Callable[[World], list[Any]]
Body = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Url:
    """How an address is called, and who may by method; `is_hidden`: it is about something of the tenant claims."""

    may: dict[str, frozenset[str]]
    arguments: Arguments = field(default=lambda world: [])
    body: Body = field(default=lambda world: {})
    is_hidden: bool = False


def _read(arguments: Arguments = lambda world: []) -> Url:
    return Url({"GET": EVERYBODY, "HEAD": EVERYBODY}, arguments)


def _read_hidden(arguments: Arguments) -> Url:
    return Url({"GET": READERS, "HEAD": READERS}, arguments, is_hidden=True)


def _number(world: World) -> list[Any]:
    return [world.request.number]


def _project(world: World) -> list[Any]:
    return [world.project.uid]


def _kind(world: World) -> list[Any]:
    return ["new-project"]


def _wish(world: World) -> dict[str, Any]:
    return wish(name="walked")


def _asking(world: World) -> dict[str, Any]:
    return {"kind": "new-project", "values": _wish(world)}


def _approval(world: World) -> dict[str, Any]:
    return {"verdict": "approve", "note": "", "plan_digest": queries.newest_plan(world.request).digest}


def _token_wish(world: World) -> dict[str, Any]:
    return {"name": "walked", "scopes": ["read"], "days": "30"}


ASKERS = frozenset({"dev", "owner"})
DEV = frozenset({"dev"})
URLS: dict[str, Url] = {
    "healthz": _read(),
    "readyz": _read(),
    "login": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}),
    "preferences": Url({"POST": EVERYBODY}, body=lambda world: {"theme": "dark"}),
    "logout": Url({"POST": EVERYBODY}),
    "home": _read(),
    "home-requests": _read(),
    "home-projects": _read(),
    "tokens": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}, body=_token_wish),
    "token-revoke": Url({"POST": DEV}, lambda world: [world.prefix]),
    "requests": _read(),
    "requests-mine": _read(),
    "request-new": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": ASKERS}, _kind, _wish),
    "request-approval": _read(_kind),
    "request-namespace": _read(_kind),
    "request-detail": _read_hidden(_number),
    "request-timeline": _read_hidden(_number),
    "request-objects": _read_hidden(_number),
    "request-decide": Url({"POST": frozenset({"platform"})}, _number, _approval, is_hidden=True),
    "request-withdraw": Url({"POST": DEV}, _number, is_hidden=True),
    "inbox": _read(),
    "projects": _read(),
    "project-detail": _read_hidden(_project),
    "project-state": _read_hidden(_project),
    "api-schema": _read(),
    "api-me": _read(),
    "api-tokens": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}, body=_token_wish),
    "api-token": Url({"DELETE": DEV}, lambda world: [world.prefix]),
    "api-requests": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": ASKERS}, body=_asking),
    "api-request": _read_hidden(_number),
    "api-request-plan": _read_hidden(_number),
    "api-request-decision": Url({"POST": frozenset({"platform"})}, _number, _approval, is_hidden=True),
    "api-request-withdrawal": Url({"POST": DEV}, _number, is_hidden=True),
    "api-projects": _read(),
    "api-project": _read_hidden(_project),
    "api-tenants": _read(),
}


def call(world: World, client: Client, name: str, method: str, **headers: str) -> HttpResponse:
    """Calls the address with its body; whatever that changes in the database is taken back, as is the client's."""
    url = URLS[name]
    body: dict[str, Any] = {}
    if method not in ("GET", "HEAD"):
        body = {"data": url.body(world)}
        if name.startswith("api-") or method != "POST":
            body["content_type"] = "application/json"
    cookies = client.cookies.copy()
    with taken_back():
        # Else an exception of a view would end the walk instead of being seen as a 500.
        client.raise_request_exception = False
        answer = getattr(client, method.lower())
        response: HttpResponse = answer(reverse(name, args=url.arguments(world)), headers=headers, **body)
        response.changed = changed()
    client.cookies = cookies
    return response


@contextmanager
def taken_back() -> Iterator[None]:
    """Nothing that happens inside stays in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def changed() -> tuple[Any, ...]:
    """What differs once somebody did something, apart from what people do to their own accounts: every deed has its
    event."""
    states = tuple(Request.objects.order_by("pk").values_list("pk", "state"))
    return states, Event.objects.exclude(action__startswith="user.").exclude(action="token.issue").count()


def _token(user: User, scopes: list[str]) -> tuple[ApiToken, str]:
    return issue_token(user=user, name="walk", scopes=scopes, days=90, by=user, at=_now())


def _now() -> Any:
    return timezone.now()
