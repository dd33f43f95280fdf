"""Service accounts of tenants: who keeps them, what their tokens may, and when they stop."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import services as accounts
from accounts.models import ApiToken, User
from audit.models import Event
from tenants.models import Membership, ServiceAccount
from tenants.services import service_accounts as services
from tenants.services.tenants import members_of, set_members
from tests.builders import a_tenant, a_user, ready_portal, wish
from web.errors import Conflict, Forbidden, Invalid
from workflow import queries
from workflow.models import Request
from workflow.permissions import OwnRequest
from workflow.services import decide

pytestmark = pytest.mark.django_db
JSON = "application/json"
ROOT = "/api/v1/tenants/claims/service-accounts"


@pytest.fixture
def people(gitops_cluster):
    ready_portal()
    a_tenant("claims", owner="owner", second="owner", dev="developer", guest="viewer")
    a_tenant("motor", stranger="owner")
    roles = {"admin": ("administrator",), "auditor": ("auditor",), "platform": ("approver:platform",)}
    names = ("owner", "second", "dev", "guest", "stranger", *roles)
    return {name: a_user(name, *roles.get(name, ())) for name in names}


def make(people, name="deploy", role="developer", by="owner", **more):
    tenant = a_tenant("claims")
    given = {"description": "", **more}
    return services.create(tenant=tenant, name=name, role=role, by=people[by], at=timezone.now(), **given)


def issue(account, by, scopes=("read", "request"), days=30):
    return services.issue_token(account=account, name="ci", scopes=scopes, days=days, by=by, at=timezone.now())


def program(secret):
    return Client(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})


def of(user, *scopes):
    wanted = list(scopes or ("read", "request", "decide"))
    return program(accounts.issue_token(user=user, name="t", scopes=wanted, days=9, by=user, at=timezone.now())[1])


def role_of(account):
    rows = Membership.objects.filter(subject=f"service:{account.user.username}")
    return rows.values_list("role", flat=True).first()


def test_create__owner_of_the_tenant__an_account_of_theirs_with_a_membership_and_an_event(people):
    account = make(people, description=" Pipeline ")
    assert (account.user.username, account.user.owner, account.description) == (
        "service.claims.deploy",
        people["owner"],
        "Pipeline",
    )
    assert not account.user.has_usable_password() and account.user.roles == []
    assert role_of(account) == "developer"
    event = Event.objects.get(action="service-account.create")
    assert (event.actor, event.subject, event.tenant) == ("owner", "user:service.claims.deploy", "claims")
    assert event.after == {"role": "developer", "description": "Pipeline", "is_active": True, "owner": "owner"}


@pytest.mark.parametrize("who", ["dev", "guest", "stranger", "auditor", "platform"])
def test_create__somebody_else__refused(people, who):
    with pytest.raises(Forbidden):
        make(people, by=who)
    assert not ServiceAccount.objects.exists()


def test_create__by_administrator__of_an_owner_they_name(people):
    assert make(people, by="admin", owner="second").user.owner == people["second"]


@pytest.mark.parametrize(
    ("by", "owner"), [("admin", ""), ("admin", "dev"), ("admin", "nobody"), ("admin", "stranger"), ("owner", "second")]
)
def test_create__who_cannot_answer_for_it__invalid(people, by, owner):
    with pytest.raises(Invalid) as caught:
        make(people, by=by, owner=owner)
    assert list(caught.value.fields) == ["/owner"]
    assert not User.objects.filter(username__startswith="service.").exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        *[({"name": name}, "/name") for name in ("", "A", "a" * 31, "1a", "a-", "a b", "a\n", "ä", "a.b", "a\x00")],
        *[({"role": role}, "/role") for role in ("owner", "", "admin")],
        ({"description": "x" * 201}, "/description"),
        ({"description": "a\x00b"}, "/description"),
    ],
    ids=ascii,
)
def test_create__not_valid__said_at_the_field(people, changes, pointer):
    with pytest.raises(Invalid) as caught:
        make(people, **changes)
    assert list(caught.value.fields) == [pointer]


def test_create__name_taken__invalid(people):
    make(people)
    with pytest.raises(Invalid) as caught:
        make(people, by="second")
    assert list(caught.value.fields) == ["/name"]


def test_create__too_many__conflict_until_one_is_switched_off(people, monkeypatch):
    monkeypatch.setattr(services, "MOST_PER_TENANT", 1)
    first = make(people)
    with pytest.raises(Conflict):
        make(people, "other")
    services.change(account=first, is_active=False, by=people["second"], at=timezone.now())
    make(people, "other")


def test_token__asks_in_its_tenant_alone(people):
    account = make(people)
    client = program(issue(account, people["owner"])[1])
    assert client.get("/api/v1/me").json()["username"] == "service.claims.deploy"
    assert [one["code"] for one in client.get("/api/v1/tenants").json()["items"]] == ["claims"]
    made = client.post("/api/v1/requests", {"kind": "new-project", "values": wish()}, JSON)
    assert (made.status_code, made.json()["asker"]) == (201, "service.claims.deploy")
    elsewhere = client.post("/api/v1/requests", {"kind": "new-project", "values": wish(tenant="motor")}, JSON)
    assert elsewhere.status_code == 422


def test_token__viewer__reads_and_does_not_ask(people):
    client = program(issue(make(people, role="viewer"), people["owner"])[1])
    assert client.get("/api/v1/tenants/claims").status_code == 200
    assert client.post("/api/v1/requests", {"kind": "new-project", "values": wish()}, JSON).status_code == 403


@pytest.mark.parametrize("who", ["second", "admin", "dev"])
def test_token__made_by_somebody_else_than_the_owner__refused(people, who):
    with pytest.raises(Forbidden):
        issue(make(people), people[who])
    assert not ApiToken.objects.exists()


def test_token__right_to_decide__refused(people):
    with pytest.raises(Invalid):
        issue(make(people), people["owner"], ["read", "decide"])


@pytest.mark.parametrize("who", ["owner", "second", "admin"])
def test_token__revoked_by_who_keeps_them__ends_at_once(people, who):
    account = make(people)
    token, secret = issue(account, people["owner"])
    services.revoke_token(account=account, prefix=token.prefix, by=people[who], at=timezone.now())
    assert program(secret).get("/api/v1/me").status_code == 401
    assert Event.objects.get(action="token.revoke").actor == who


def test_token__revoked_by_a_developer__refused(people):
    account = make(people)
    token, secret = issue(account, people["owner"])
    with pytest.raises(Forbidden):
        services.revoke_token(account=account, prefix=token.prefix, by=people["dev"], at=timezone.now())
    assert program(secret).get("/api/v1/me").status_code == 200


def test_program__keeps_no_service_accounts(people):
    """Even one that its owner lets ask for everything makes no other, and no token for itself."""
    account = make(people)
    client = program(issue(account, people["owner"])[1])
    assert client.get(ROOT).status_code == 403
    assert client.post(ROOT, {"name": "other", "role": "viewer"}, JSON).status_code == 403
    assert client.post(f"{ROOT}/deploy/tokens", {"name": "x", "scopes": ["read"]}, JSON).status_code == 403


def test_held__owner_may_less__it_may_no_more(people):
    account = make(people)
    client = program(issue(account, people["owner"])[1])
    for owners_role, its_role, status in (("viewer", "viewer", 200), ("developer", "developer", 200)):
        Membership.objects.filter(subject="user:owner").update(role=owners_role)
        assert client.get("/api/v1/tenants/claims").status_code == status
        assert role_of(account) == its_role
    held = Event.objects.filter(action="service-account.hold").values_list("after__role", flat=True)
    assert list(held.order_by("pk")) == ["developer", "viewer", "developer"]


def test_held__owner_left_the_tenant__its_tokens_stop_and_come_back_with_them(people):
    account = make(people)
    client = program(issue(account, people["owner"])[1])
    Membership.objects.filter(subject="user:owner").delete()
    answer = client.get("/api/v1/me")
    assert answer.status_code == 401 and "no longer belongs" in answer.json()["detail"]
    assert role_of(account) is None
    Membership.objects.create(tenant=account.tenant, subject="user:owner", role="owner")
    assert client.get("/api/v1/me").status_code == 200
    assert role_of(account) == "developer"


def test_held__owner_switched_off__401(people):
    client = program(issue(make(people), people["owner"])[1])
    User.objects.filter(username="owner").update(is_active=False)
    assert client.get("/api/v1/me").status_code == 401


def test_held__owner_by_a_group_that_they_leave__stops(people):
    group = "cn=claims-team,ou=groups,dc=insurer,dc=example"
    a_tenant("claims")
    Membership.objects.filter(subject="user:second").delete()
    Membership.objects.create(tenant=a_tenant("claims"), subject=f"group:{group}", role="owner")
    User.objects.filter(username="second").update(directory_groups=[group])
    people["second"].refresh_from_db()
    client = program(issue(make(people, by="second"), people["second"])[1])
    assert client.get("/api/v1/me").status_code == 200
    User.objects.filter(username="second").update(directory_groups=[])
    assert client.get("/api/v1/me").status_code == 401


def test_held__owner_gone_from_the_directory__stops_within_the_interval(people, directory, settings):
    """nobody-here is in no directory: found out once what was last known is older than ROLES_FRESH_SECONDS."""
    Membership.objects.create(tenant=a_tenant("claims"), subject="user:nobody-here", role="owner")
    people["gone"] = a_user("nobody-here")
    client = program(issue(make(people, by="gone"), people["gone"])[1])
    assert client.get("/api/v1/me").status_code == 200
    seen = timezone.now() - timedelta(seconds=settings.ROLES_FRESH_SECONDS + 1)
    User.objects.filter(username="nobody-here").update(roles_seen_at=seen)
    assert client.get("/api/v1/me").status_code == 401
    people["gone"].refresh_from_db()
    assert people["gone"].roles_seen_at is None


def test_members__changed_by_a_request__service_accounts_are_not_among_them_and_stay(people):
    account = make(people)
    tenant = a_tenant("claims")
    assert not [subject for subject in members_of(tenant) if subject.startswith("service:")]
    set_members(tenant=tenant, members={"user:owner": "owner"}, by=None, at=timezone.now())
    assert role_of(account) == "developer" and set(members_of(tenant)) == {"user:owner"}


def test_decide__owner_of_the_account_that_asked__refused(people):
    """Together they are one: the owner may be an approver, and still does not decide it."""
    User.objects.filter(username="owner").update(roles=["approver:platform"])
    people["owner"].refresh_from_db()
    client = program(issue(make(people), people["owner"])[1])
    client.post("/api/v1/requests", {"kind": "new-project", "values": wish()}, JSON)
    request = Request.objects.get()
    said = {"verdict": "approve", "note": "", "plan_digest": queries.newest_plan(request).digest}
    with pytest.raises(OwnRequest):
        decide(number=request.number, by=people["owner"], at=timezone.now(), **said)
    decide(number=request.number, by=people["platform"], at=timezone.now(), **said)


def test_change__switched_off__tokens_end_for_good(people):
    account = make(people)
    secret = issue(account, people["owner"])[1]
    services.change(account=account, is_active=False, by=people["second"], at=timezone.now())
    assert program(secret).get("/api/v1/me").status_code == 401 and role_of(account) is None
    with pytest.raises(Conflict):
        issue(ServiceAccount.objects.get(), people["owner"])
    services.change(account=account, is_active=True, by=people["second"], at=timezone.now())
    assert program(secret).get("/api/v1/me").status_code == 401
    assert program(issue(ServiceAccount.objects.get(), people["owner"])[1]).get("/api/v1/me").status_code == 200


def test_change__same_again__no_event(people):
    account = make(people)
    before = Event.objects.count()
    services.change(account=account, role="developer", by=people["owner"], at=timezone.now())
    assert Event.objects.count() == before


def test_rest__whole_life(people):
    client = of(people["owner"])
    made = client.post(ROOT, {"name": "deploy", "role": "developer", "description": "CI"}, JSON)
    assert made.status_code == 201 and made["Location"] == f"{ROOT}/deploy"
    assert made.json()["effective_role"] == "developer"
    seen = client.get(f"{ROOT}/deploy")
    assert (seen.json(), seen["ETag"]) == (made.json(), made["ETag"])
    changed = client.patch(f"{ROOT}/deploy", {"role": "viewer"}, JSON, headers={"If-Match": seen["ETag"]})
    assert (changed.status_code, changed.json()["effective_role"]) == (200, "viewer")
    stale = client.patch(f"{ROOT}/deploy", {"role": "developer"}, JSON, headers={"If-Match": seen["ETag"]})
    assert (stale.status_code, stale.json()["etag"]) == (412, changed["ETag"])
    assert client.patch(f"{ROOT}/deploy", {"role": "developer"}, JSON).status_code == 428
    wanted = {"name": "ci", "scopes": ["read"], "days": 8}
    issued = client.post(f"{ROOT}/deploy/tokens", wanted, JSON, headers={"Idempotency-Key": "k"})
    again = client.post(f"{ROOT}/deploy/tokens", wanted, JSON, headers={"Idempotency-Key": "k"})
    assert (issued.status_code, again.status_code, again.json()["secret"]) == (201, 201, None)
    assert program(issued.json()["secret"]).get("/api/v1/tenants/claims").status_code == 200
    prefix = issued.json()["token"]["prefix"]
    assert [one["prefix"] for one in client.get(f"{ROOT}/deploy/tokens").json()["items"]] == [prefix]
    assert client.delete(f"{ROOT}/deploy/tokens/{prefix}").status_code == 204
    assert client.delete(f"{ROOT}/deploy/tokens/{prefix}").status_code == 204
    assert client.delete(f"{ROOT}/deploy/tokens/{'0' * 12}").status_code == 404
    assert program(issued.json()["secret"]).get("/api/v1/me").status_code == 401


def test_rest__token_that_may_only_read__makes_nothing(people):
    assert of(people["owner"], "read").post(ROOT, {"name": "deploy", "role": "viewer"}, JSON).status_code == 403


def test_rest__token_beyond_the_one_that_asks__403(people):
    make(people)
    wanted = {"name": "ci", "scopes": ["read", "request"], "days": 30}
    assert of(people["owner"], "request").post(f"{ROOT}/deploy/tokens", wanted, JSON).status_code == 403


@pytest.mark.parametrize("body", [{"role": "owner"}, {"is_active": "x"}, {"description": "a\x00"}, {"role": None}])
def test_rest__change_that_is_not_valid__422(people, body):
    make(people)
    answer = of(people["owner"]).patch(f"{ROOT}/deploy", body, JSON, headers={"If-Match": "*"})
    assert answer.status_code == 422


@pytest.mark.parametrize("rows", [2, 20])
def test_rest__list__same_queries_for_many(people, rows, django_assert_max_num_queries):
    for number in range(rows):
        make(people, f"robot{number}")
    client = of(people["owner"])
    client.get(ROOT)
    with django_assert_max_num_queries(7):
        assert len(client.get(ROOT).json()["items"]) == rows


def browser(user):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user, backend="accounts.backends.DirectoryBackend")
    return client


def test_page__whole_life(people):
    client = browser(people["owner"])
    assert "/tenants/claims/service-accounts" in client.get("/tenants/claims").content.decode()
    made = client.post("/tenants/claims/service-accounts", {"name": "deploy", "role": "developer", "description": "CI"})
    assert made.status_code == 302
    shown = client.get(made.url).content.decode()
    assert "service.claims.deploy" in shown and "It has none yet" in shown
    token = {"name": "ci", "scopes": ["read", "request"], "days": "90", "once": "1"}
    fresh = client.post(made.url, token).content.decode()
    secret = fresh.partition('<code id="secret">')[2].partition("<")[0]
    assert program(secret).get("/api/v1/me").json()["username"] == "service.claims.deploy"
    assert client.post(made.url, token).status_code == 302 and ApiToken.objects.count() == 1
    assert secret not in client.get(made.url).content.decode()
    client.post(f"{made.url}/change", {"role": "viewer", "description": "Robot"})
    account = ServiceAccount.objects.get()
    assert (account.role, account.description) == ("viewer", "Robot")
    assert client.post(f"{made.url}/tokens/{ApiToken.objects.get().prefix}/revoke").status_code == 302
    assert program(secret).get("/api/v1/me").status_code == 401
    client.post(f"{made.url}/change", {"switch": "off"})
    assert "Switch on" in client.get(made.url).content.decode()
    assert "Switched off" in client.get("/tenants/claims/service-accounts").content.decode()


def test_page__another_owner__sees_it_and_makes_no_token(people):
    make(people)
    client = browser(people["second"])
    shown = client.get("/tenants/claims/service-accounts/deploy").content.decode()
    assert "makes tokens for it" in shown and "Make the token" not in shown
    token = {"name": "ci", "scopes": ["read"], "days": "90"}
    assert client.post("/tenants/claims/service-accounts/deploy", token).status_code == 403


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [({"name": "A", "role": "viewer"}, "Small letters"), ({"name": "a", "role": "owner"}, "not one of the choices")],
)
def test_page__not_valid__the_form_again(people, entries, sentence):
    answer = browser(people["owner"]).post("/tenants/claims/service-accounts", entries)
    assert answer.status_code == 422 and sentence in answer.content.decode()


def test_page__member_who_is_no_owner__no_link_and_refused(people):
    client = browser(people["dev"])
    assert "service-accounts" not in client.get("/tenants/claims").content.decode()
    assert client.get("/tenants/claims/service-accounts").status_code == 403
    assert browser(people["stranger"]).get("/tenants/claims/service-accounts").status_code == 404
