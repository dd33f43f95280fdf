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
from clusters.models import Bundle, Cluster, DriftCheck, Health
from notify import signing
from notify.models import Delivery, Endpoint, Message, Occurrence
from tenants.models import Deletion, Project
from tenants.services import service_accounts
from tests.builders import a_tenant, a_user, as_form, ready_portal, wish
from web import sealing
from workflow import queries
from workflow.models import Delegation, Request
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
# Approvers whose turn it is not in this world; the table of rights (test_rights) asks them too.
OTHER_APPROVERS = {
    "architect": ("approver:architecture",),
    "datacenter": ("approver:datacenter",),
    "security": ("approver:security",),
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
    claims = a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor", stranger="developer")
    people = {name: a_user(name, *roles) for name, roles in (ROLES | OTHER_APPROVERS).items()}
    shown = {"display_name": "Hidden imaging", "cost_centre": "CC-4711", "reason": "Why we want it"}
    made = [
        submit(kind="new-project", values=wish(environment=e, name=f"hidden{e}", **shown), by=people["dev"], at=_now())
        for e in ("test", "dev")
    ]
    # Not in force yet, so that nobody may more than by their role.
    period = {"starts_at": _now() + timedelta(days=1), "ends_at": _now() + timedelta(days=2), "created_at": _now()}
    Delegation.objects.create(by=people["platform"], to=people["owner"], **period)
    of_owner = {"by": people["owner"], "at": _now()}
    account = service_accounts.create(tenant=claims, name="walker", role="viewer", description="CC-4711", **of_owner)
    service_accounts.issue_token(account=account, name="walk", scopes=["read"], days=90, **of_owner)
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


def _read_by(people: frozenset[str]) -> Url:
    return Url({"GET": people, "HEAD": people})


def _read_hidden_by(people: frozenset[str], arguments: Arguments) -> Url:
    return Url({"GET": people, "HEAD": people}, arguments)


def _event(world: World) -> list[Any]:
    """An event of the tenant claims."""
    return [Event.objects.filter(tenant="claims").order_by("pk").values_list("pk", flat=True)[0]]


def _message(world: World) -> list[Any]:
    """What an approver was told of the open request."""
    return [Message.objects.get(to=world.people["platform"], about=f"request:{world.request.number}").pk]


def _number(world: World) -> list[Any]:
    return [world.request.number]


def _project(world: World) -> list[Any]:
    return [world.project.uid]


def _leaving(world: World) -> list[Any]:
    """The project, about to be removed by the developer's wish."""
    due_from = _now() + timedelta(days=1)
    Deletion.objects.get_or_create(project=world.project, request=world.request, defaults={"due_from": due_from})
    return [world.project.uid]


def _kind(world: World) -> list[Any]:
    return ["new-project"]


def _wish(world: World) -> dict[str, Any]:
    return wish(name="walked")


def _asking(world: World) -> dict[str, Any]:
    return {"kind": "new-project", "values": _wish(world)}


def _approval(world: World) -> dict[str, Any]:
    return {"verdict": "approve", "note": "", "plan_digest": queries.newest_plan(world.request).digest}


def _asking_form(world: World) -> dict[str, Any]:
    return as_form(_wish(world))


def _edited(world: World) -> dict[str, Any]:
    return {"values": world.request.values | {"reason": "Walked"}}


def _edited_form(world: World) -> dict[str, Any]:
    return as_form(_edited(world)["values"])


def _bulk(world: World) -> dict[str, Any]:
    said = _approval(world)
    row = {"number": world.request.number, "plan_digest": said["plan_digest"]}
    return {"verdict": "approve", "note": "", "requests": [row]}


def _bulk_form(world: World) -> dict[str, Any]:
    return {"verdict": "approve", "request": f"{world.request.number}:{_approval(world)['plan_digest']}"}


def _delegation(world: World) -> dict[str, Any]:
    ends_at = _now() + timedelta(days=3)
    return {"to": "owner", "ends_at": ends_at.isoformat(), "reason": "Walked"}


def _delegation_pk(world: World) -> list[Any]:
    return [Delegation.objects.get(by=world.people["platform"]).pk]


def _token_wish(world: World) -> dict[str, Any]:
    return {"name": "walked", "scopes": ["read"], "days": 30}


def _policy_values(world: World) -> dict[str, Any]:
    names = {"action": "create", "slug": "walked", "name_zh": "走过", "name_en": "Walked"}
    return names | {"priority": 77, "steps": [{"group": "platform"}]}


def _policy_entries(world: World) -> dict[str, Any]:
    step = {"steps-0-group": "platform", "steps-0-minimum": "1", "steps-0-deadline": "2", "steps-0-unit": "days"}
    return {name: value for name, value in _policy_values(world).items() if name != "steps"} | step


def _cluster(world: World) -> list[Any]:
    return ["gitops"]


def _held(world: World) -> list[Any]:
    """A cluster that waits for a person after a restore, and was looked at since."""
    Cluster.objects.filter(name="gitops").update(held_since=_now())
    Health.objects.filter(cluster__name="gitops").update(checked_at=_now())
    return ["gitops"]


def _bundle(world: World) -> list[Any]:
    """The project's, from which somebody removed an object."""
    ref = {"api_version": "v1", "kind": "LimitRange", "namespace": world.project.namespace, "name": "claims-hidden"}
    found = {"ref": ref, "sort": "missing", "place": "", "fields": [], "uid": "", "by": "", "at": ""}
    found |= {"since": _now().isoformat(), "refused": None, "held_back": None}
    bundle = world.project.bundle
    Bundle.objects.filter(pk=bundle.pk).update(observed_generation=bundle.generation)
    DriftCheck.objects.update_or_create(bundle=bundle, defaults={"found": [found], "found_at": _now()})
    return [bundle.uid]


def _capacity(world: World) -> dict[str, Any]:
    return {"source": "stated", "cpu_overcommit": "1.5", "memory_overcommit": "1"}


def _stopped(world: World) -> list[Any]:
    """The project's bundle, which the cluster refused."""
    Bundle.objects.update(blocked=True)
    return _bundle(world)


def _revision(world: World) -> list[Any]:
    return [*_bundle(world), 1]


def _new_cluster(world: World) -> dict[str, Any]:
    known = {"name": "walked", "driver": "kubernetes", "flavour": "kubernetes", "environments": ["dev"]}
    return known | {"address": "https://127.0.0.1:1", "token": "walked-token"}


def _claims(world: World) -> list[Any]:
    return ["claims"]


def _service_account(world: World) -> list[Any]:
    return ["claims", "walker"]


def _service_token(world: World) -> list[Any]:
    return ["claims", "walker", ApiToken.objects.get(user__username="service.claims.walker").prefix]


def _new_service_account(world: World) -> dict[str, Any]:
    # Administrators name an owner of the tenant.
    return {"name": "walked", "role": "viewer", "description": "walked"}


def _mail_wishes(world: World) -> dict[str, Any]:
    wishes = dict.fromkeys(("waiting", "mine", "talk", "portal"), "off")
    return wishes | {"daily_at": "09:00", "time_zone": "Europe/Berlin"}


def _new_webhook(world: World) -> dict[str, Any]:
    return {"tenant": "claims", "url": "https://127.0.0.1:1/walked", "events": ["request.approved"], "description": ""}


def _endpoint(world: World) -> Endpoint:
    """Of the tenant claims."""
    known = {"url": "https://127.0.0.1:1/claims-hidden", "created_by": world.people["owner"], "created_at": _now()}
    endpoint, is_new = Endpoint.objects.get_or_create(tenant=world.project.tenant, defaults=known)
    if is_new:
        endpoint.secret_sealed = sealing.seal(signing.new_secret(), signing.place_of(endpoint, "secret"))
        endpoint.save()
    return endpoint


def _webhook(world: World) -> list[Any]:
    return [_endpoint(world).uid]


def _delivery(world: World) -> list[Any]:
    """One that was given up."""
    endpoint, now = _endpoint(world), _now()
    sent = Occurrence.objects.create(type="request.approved", data={}, at=now)
    values = {"endpoint": endpoint, "occurrence": sent, "created_at": now, "state": "failed"}
    return [endpoint.uid, Delivery.objects.create(**values).pk]


ADMIN = frozenset({"admin"})
KEEPERS = frozenset({"owner", "admin"})
OWNER = frozenset({"owner"})
KEEPERS = OWNER | ADMIN
KEEPER_FORM = {"GET": KEEPERS, "HEAD": KEEPERS, "POST": OWNER}
# Auditors read, and change nothing.
KEEPER_REST = {"GET": KEEPERS | {"auditor"}, "HEAD": KEEPERS | {"auditor"}}
ADMIN_FORM = {"GET": ADMIN, "HEAD": ADMIN, "POST": ADMIN}
ASKERS = frozenset({"dev", "owner"})
DECIDERS = frozenset({"platform", "admin"})
COMMENTERS = READERS - {"auditor"}
DEV = frozenset({"dev"})
AUDIT_READERS = frozenset({"owner", "auditor", "admin"})
REPAIRERS = ASKERS | DECIDERS
URLS: dict[str, Url] = {
    "healthz": _read(),
    "readyz": _read(),
    "metrics": _read_by(frozenset({"auditor", "admin"})),
    "login": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}),
    "preferences": Url({"POST": EVERYBODY}, body=lambda world: {"theme": "dark"}),
    "logout": Url({"POST": EVERYBODY}),
    "session": _read(),
    "home": _read(),
    "home-requests": _read(),
    "home-projects": _read(),
    "search": _read(),
    # Whoever opens a part of a page by hand is sent to the page.
    "search-panel": _read(),
    "api-search": Url({"GET": EVERYBODY, "HEAD": EVERYBODY}),
    "reference": _read(),
    "reference-operation": _read(lambda world: ["requests_create"]),
    "tokens": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}, body=_token_wish),
    "token-revoke": Url({"POST": DEV}, lambda world: [world.prefix]),
    "notifications": _read(),
    "notification-count": _read(),
    "notifications-newest": _read(),
    "notifications-read": Url({"POST": EVERYBODY}),
    "notification-read": Url({"POST": frozenset({"platform"})}, _message),
    "api-notifications": _read(),
    "api-notifications-read": Url({"POST": EVERYBODY}),
    "api-notification-read": Url({"POST": frozenset({"platform"})}, _message),
    "notification-preferences": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}),
    "api-notification-preferences": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "PUT": EVERYBODY}, body=_mail_wishes),
    "webhooks": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": KEEPERS}, body=_new_webhook),
    "webhook": Url({"GET": KEEPERS, "HEAD": KEEPERS, "POST": KEEPERS}, _webhook, _new_webhook, is_hidden=True),
    "webhook-act": Url({"POST": KEEPERS}, _webhook, lambda world: {"what": "disable"}, is_hidden=True),
    "webhook-replay": Url({"POST": KEEPERS}, _delivery, is_hidden=True),
    "api-webhooks": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": KEEPERS}, body=_new_webhook),
    "api-webhook": Url(
        {"GET": KEEPERS, "HEAD": KEEPERS, "PUT": KEEPERS, "DELETE": KEEPERS}, _webhook, _new_webhook, is_hidden=True
    ),
    "api-webhook-state": Url({"PUT": KEEPERS}, _webhook, lambda world: {"is_enabled": False}, is_hidden=True),
    "api-webhook-secret": Url({"POST": KEEPERS}, _webhook, lambda world: {"hours": 1}, is_hidden=True),
    "api-webhook-test": Url({"POST": KEEPERS}, _webhook, is_hidden=True),
    "api-webhook-deliveries": Url({"GET": KEEPERS, "HEAD": KEEPERS}, _webhook, is_hidden=True),
    "api-webhook-replay": Url({"POST": KEEPERS}, _delivery, is_hidden=True),
    "requests": _read(),
    "requests-mine": _read(),
    "request-new": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": ASKERS}, _kind, _asking_form),
    "request-check": Url({"POST": EVERYBODY}, _kind, _asking_form),
    "people": _read(),
    "api-people": _read(),
    "requests-new": _read(),
    "request-edit": Url({"GET": DEV, "HEAD": DEV, "POST": DEV}, _number, _edited_form, is_hidden=True),
    "request-comment": Url({"POST": COMMENTERS}, _number, lambda world: {"text": "Walked"}, is_hidden=True),
    # Whoever may not decide a row is told so in its result.
    "inbox-decide": Url({"POST": EVERYBODY}, body=_bulk_form),
    "delegations": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": DECIDERS}, body=_delegation),
    "delegation-revoke": Url({"POST": frozenset({"platform", "admin"})}, _delegation_pk),
    "request-detail": _read_hidden(_number),
    "request-timeline": _read_hidden(_number),
    "request-objects": _read_hidden(_number),
    "request-decide": Url({"POST": frozenset({"platform"})}, _number, _approval, is_hidden=True),
    "request-withdraw": Url({"POST": DEV}, _number, is_hidden=True),
    "inbox": _read(),
    "projects": _read(),
    "project-detail": _read_hidden(_project),
    "project-state": _read_hidden(_project),
    "project-usage": _read_hidden(_project),
    "api-schema": _read(),
    "api-me": _read(),
    "api-tokens": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": EVERYBODY}, body=_token_wish),
    "api-token": Url({"DELETE": DEV}, lambda world: [world.prefix]),
    "api-requests": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": ASKERS}, body=_asking),
    "api-request": Url({"GET": READERS, "HEAD": READERS, "PUT": DEV}, _number, _edited, is_hidden=True),
    "api-request-plan": _read_hidden(_number),
    "api-request-decision": Url({"POST": frozenset({"platform"})}, _number, _approval, is_hidden=True),
    "api-request-withdrawal": Url({"POST": DEV}, _number, is_hidden=True),
    "api-request-comments": Url({"POST": COMMENTERS}, _number, lambda world: {"text": "Walked"}, is_hidden=True),
    "api-request-record": _read_hidden(_number),
    "api-foresee": Url({"POST": EVERYBODY}, body=_asking),
    "api-rehearse": Url({"POST": ASKERS}, body=_asking),
    # Whoever may not ask for a row is told so in its result.
    "api-requests-bulk": Url({"POST": EVERYBODY}, body=lambda world: {"requests": [_asking(world)]}),
    "api-kinds": _read(),
    "api-inbox": _read(),
    "api-inbox-decisions": Url({"POST": EVERYBODY}, body=_bulk),
    "api-delegations": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": DECIDERS}, body=_delegation),
    "api-delegation": Url({"DELETE": frozenset({"platform", "admin"})}, _delegation_pk),
    "api-projects": _read(),
    "api-project": _read_hidden(_project),
    "api-project-usage": _read_hidden(_project),
    "api-tenants": _read(),
    "project-call-off": Url({"POST": frozenset({"dev", "owner", "admin"})}, _leaving, is_hidden=True),
    "api-project-call-off": Url({"POST": frozenset({"dev", "owner", "admin"})}, _leaving, is_hidden=True),
    "policies": _read(),
    "policy-new": Url(ADMIN_FORM, body=_policy_entries),
    "policy-trial": Url({"POST": ADMIN}, body=_policy_entries),
    "policy-edit": Url(ADMIN_FORM, lambda world: ["dev"], lambda world: {"action": "retire", "slug": "dev"}),
    "api-policies": _read(),
    "api-policy-facts": _read(),
    "api-policy-trial": Url({"POST": ADMIN}, body=_policy_values),
    "api-policy": _read(lambda world: ["dev"]),
    "tenants": _read(),
    "tenant-detail": _read_hidden(lambda world: ["claims"]),
    "service-accounts": Url(KEEPER_FORM, _claims, _new_service_account, is_hidden=True),
    # Only its owner makes tokens.
    "service-account": Url(KEEPER_FORM | {"POST": OWNER}, _service_account, _token_wish, is_hidden=True),
    "service-account-change": Url({"POST": KEEPERS}, _service_account, lambda world: {"switch": "off"}, is_hidden=True),
    "service-account-token-revoke": Url({"POST": KEEPERS}, _service_token, is_hidden=True),
    "api-service-accounts": Url(KEEPER_REST | {"POST": OWNER}, _claims, _new_service_account, is_hidden=True),
    "api-service-account": Url(
        KEEPER_REST | {"PATCH": KEEPERS}, _service_account, lambda world: {"is_active": False}, is_hidden=True
    ),
    "api-service-account-tokens": Url(KEEPER_REST | {"POST": OWNER}, _service_account, _token_wish, is_hidden=True),
    "api-service-account-token": Url({"DELETE": KEEPERS}, _service_token, is_hidden=True),
    "clusters": _read(),
    "cluster-new": Url(ADMIN_FORM, body=lambda world: _new_cluster(world) | {"environments": "dev"}),
    "cluster-edit": Url(ADMIN_FORM, _cluster, lambda world: {"description": "walked"}),
    "cluster-capacity": Url(ADMIN_FORM, _cluster, _capacity),
    "cluster": _read(_cluster),
    "cluster-health": _read(_cluster),
    "cluster-probe": Url({"POST": ADMIN}, _cluster),
    "bundle": _read_hidden(_bundle),
    "bundle-state": _read_hidden(_bundle),
    "bundle-retry": Url({"POST": REPAIRERS}, _stopped, is_hidden=True),
    "cluster-restore": Url(ADMIN_FORM, _held),
    "bundle-drift": _read_hidden(_bundle),
    "bundle-repair": Url({"POST": REPAIRERS}, _bundle, is_hidden=True),
    "api-drift": _read(),
    "api-bundle-drift": _read_hidden(_bundle),
    "api-bundle-repair": Url({"POST": REPAIRERS}, _bundle, is_hidden=True),
    "api-tenant": _read_hidden(lambda world: ["claims"]),
    "api-size-plans": _read(),
    "api-clusters": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "POST": ADMIN}, body=_new_cluster),
    "api-cluster": _read(_cluster),
    "api-cluster-settings": Url(
        {"GET": ADMIN, "HEAD": ADMIN, "PATCH": ADMIN}, _cluster, lambda world: {"description": "walked"}
    ),
    "api-cluster-capacity": Url({"GET": EVERYBODY, "HEAD": EVERYBODY, "PUT": ADMIN}, _cluster, _capacity),
    "api-cluster-probe": Url({"POST": ADMIN}, _cluster),
    "api-bundles": _read(),
    "api-bundle": _read_hidden(_bundle),
    "api-bundle-retry": Url({"POST": REPAIRERS}, _stopped, is_hidden=True),
    "api-bundle-runs": _read_hidden(_bundle),
    "api-bundle-revisions": _read_hidden(_bundle),
    "api-bundle-revision": _read_hidden(_revision),
    "api-bundle-difference": _read_hidden(_revision),
    "audit": _read_by(AUDIT_READERS),
    "audit-event": _read_hidden_by(AUDIT_READERS, _event),
    "audit-csv": _read_by(AUDIT_READERS),
    "audit-jsonl": _read_by(AUDIT_READERS),
    "api-audit": _read_by(AUDIT_READERS),
    "api-audit-event": _read_hidden_by(AUDIT_READERS, _event),
    "api-audit-csv": _read_by(AUDIT_READERS),
    "api-audit-jsonl": _read_by(AUDIT_READERS),
    "api-audit-seals": _read_by(frozenset({"auditor", "admin"})),
    "api-cluster-restore": Url({"GET": ADMIN, "HEAD": ADMIN, "POST": ADMIN}, _held, lambda world: {"overwrite": []}),
}


def call(world: World, client: Client, name: str, method: str, **headers: str) -> HttpResponse:
    """Calls the address with its body; whatever that changes in the database is taken back, as is the client's."""
    url = URLS[name]
    body: dict[str, Any] = {}
    if method not in ("GET", "HEAD"):
        body = {"data": url.body(world)}
        if name.startswith("api-") or method != "POST":
            body["content_type"] = "application/json"
        if name.startswith("api-") and method in ("PUT", "PATCH"):
            headers = {"If-Match": "*"} | headers
    cookies = client.cookies.copy()
    with taken_back():
        # Else an exception of a view would end the walk instead of being seen as a 500.
        client.raise_request_exception = False
        answer = getattr(client, method.lower())
        response: HttpResponse = answer(reverse(name, args=url.arguments(world)), headers=headers, **body)
        if response.streaming:
            # Read as long as what it reads is there.
            read = b"".join(response.streaming_content)
            response = HttpResponse(read, status=response.status_code, headers=dict(response.headers))
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
