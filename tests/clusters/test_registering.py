"""Adding and editing clusters: what is refused, what stays, and that credentials appear nowhere."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client, override_settings
from django.utils import timezone

from audit.models import Event
from clusters import registration
from clusters.access import SEALED, connection_of
from clusters.models import Cluster, Health
from clusters.services import add_cluster, edit_cluster
from tests.builders import a_bundle, a_tenant, a_user
from tests.portal.walk import World, build
from web.errors import Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db
SECRET = "a-token-nobody-may-read"
HERE = "https://127.0.0.1:1"
VALUES: dict[str, Any] = {"flavour": "kubernetes", "address": HERE, "environments": ["prod"]}


def add(values: dict[str, Any] | None = None, name: str = "prod1", driver: str = "kubernetes", **credentials: str):
    by = a_user("admin", "administrator")
    given = credentials or {"token": SECRET}
    return add_cluster(
        name=name, driver=driver, values=VALUES | (values or {}), credentials=given, by=by, at=timezone.now()
    )


def edit(values: dict[str, Any] | None = None, name: str = "prod1", who: str = "admin", **credentials: str):
    by = a_user(who, *["administrator"] if who == "admin" else [])
    return edit_cluster(name=name, values=values or {}, credentials=credentials, by=by, at=timezone.now())


def refused(attempt, *args: Any, **kwargs: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        attempt(*args, **kwargs)
    assert SECRET not in str(error.value.fields)
    return error.value.fields


def pair(days: int = 1) -> tuple[str, str]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 7)
    certificate = built.not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signed = certificate.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()


def test_add_cluster__by_administrator__probed_at_once_and_credentials_sealed():
    add({"description": "Shanghai", "node_selectors": {"prod": "zone=a,app="}, "on_drift": "repair"})
    cluster = Cluster.objects.get()
    assert (cluster.description, cluster.on_drift, connection_of(cluster).token) == ("Shanghai", "repair", SECRET)
    assert SECRET not in str(Cluster.objects.values().get())
    assert Health.objects.get().due_at is not None
    event = Event.objects.get(action="cluster.register")
    assert event.after["credentials"] == ["token"] and event.after["address"] == HERE


@pytest.mark.parametrize("roles", [(), ("auditor",), ("approver:platform",)])
def test_add_and_edit__wrong_role__refused(roles):
    add()
    by = a_user("somebody", *roles)
    with pytest.raises(Forbidden):
        add_cluster(name="x", driver="kubernetes", values=VALUES, credentials={}, by=by, at=timezone.now())
    with pytest.raises(Forbidden):
        edit_cluster(name="prod1", values={"description": "x"}, credentials={}, by=by, at=timezone.now())
    assert Cluster.objects.get().description == ""


def test_add_cluster__name_is_taken__refused_and_the_other_one_stays():
    add()
    assert list(refused(add, {"address": "https://127.0.0.1:2"})) == ["/name"]
    assert Cluster.objects.get().address == HERE


def test_edit_cluster__unknown__not_found():
    with pytest.raises(NotFound):
        edit({"description": "x"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "http://127.0.0.1"),
        ("address", "https://169.254.169.254"),
        ("address", 7),
        ("ca", "nonsense"),
        ("ca", "-----BEGIN PRIVATE KEY-----"),
        ("flavour", "mesos"),
        ("network", "none"),
        ("on_drift", "explode"),
        ("environments", []),
        ("environments", ["prod", "prod"]),
        ("environments", ["staging"]),
        ("environments", "prod"),
        ("user_format", "everybody"),
        ("user_format", "{username.__class__}"),
        ("user_format", "{username}{username}"),
        ("group_format", "{username}"),
        ("ingress_labels", {"a b": "c"}),
        ("ingress_labels", {"a": "c d"}),
        ("ingress_labels", {"a": 7}),
        ("ingress_labels", ["a"]),
        ("monitoring_labels", {str(n): "x" for n in range(11)}),
        ("node_selectors", {"staging": "a=b"}),
        ("node_selectors", {"prod": "a in (b)"}),
        ("node_selectors", {"prod": ""}),
        ("security_constraints", "Privileged!"),
        ("dedicated_to", "nobody"),
        ("is_active", "yes"),
        ("git_branch", "--upload-pack"),
        ("git_branch", "x y"),
        ("git_folder", "-x"),
        ("git_branch", "a..b"),
        ("git_branch", "a.lock"),
        ("git_folder", "../etc"),
        ("git_folder", "/etc"),
        ("git_folder", "a//b"),
        ("git_username", "a b"),
        ("git_known_hosts", "@cert-authority * x"),
        ("observer_address", "https://[fe80::1]"),
        ("observer_ca", "x"),
        ("description", "a\nb"),
        ("description", "a\0b"),
        ("description", "x" * 201),
        ("uid", "x"),
        ("held_since", None),
    ],
)
def test_add_and_edit__what_cannot_be__refused_at_its_field(field, value):
    assert list(refused(add, {field: value})) == [f"/{field}"]
    assert not Cluster.objects.exists()
    add()
    assert list(refused(edit, {field: value})) == [f"/{field}"]


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 41, "new", "a/b", "ä"])
def test_add_cluster__name_that_cannot_be__refused(name):
    assert list(refused(add, name=name)) == ["/name"]


def test_add_cluster__address_outside_the_demo__policy_holds():
    with override_settings(DEMO=False):
        assert list(refused(add)) == ["/address"]


@pytest.mark.parametrize("token", ["with blank", "line\nbreak", "ünicode", "x" * 40_000])
def test_add_cluster__token_that_cannot_be_sent__refused_without_repeating_it(token):
    assert token not in str(refused(add, token=token))


def test_add_cluster__no_credentials__refused():
    assert list(refused(add, signing_key="x")) == ["/token"]


def test_add_cluster__client_certificate__kept_with_its_key_sealed():
    certificate, key = pair()
    cluster = add({"client_certificate": certificate}, client_key=key)
    assert connection_of(cluster).client_key == key and key not in str(Cluster.objects.values().get())


def test_add_cluster__certificate_and_key_that_do_not_fit__said():
    certificate, key = pair()
    assert list(refused(add, {"client_certificate": certificate}, client_key=pair()[1])) == ["/client_key"]
    assert list(refused(add, {"client_certificate": certificate}, client_key="x")) == ["/client_key"]
    assert list(refused(add, {"client_certificate": certificate}, signing_key="x")) == ["/client_key"]
    assert list(refused(add, client_key=key)) == ["/client_certificate"]
    assert list(refused(add, {"client_certificate": certificate}, client_key=key, token="t")) == ["/token"]
    expired, its_key = pair(-1)
    assert list(refused(add, {"client_certificate": expired}, client_key=its_key)) == ["/client_certificate"]


def test_edit_cluster__credentials_empty__kept_and_clients_too():
    before = add()
    after = edit({"description": "new"}, token="")
    assert (after.description, connection_of(after).token) == ("new", SECRET)
    assert after.version == before.version
    event = Event.objects.get(action="cluster.edit")
    assert (event.before, event.after) == ({"description": ""}, {"description": "new"})


def test_edit_cluster__new_token__replaces_the_certificate_and_clients():
    certificate, key = pair()
    before = add({"client_certificate": certificate}, client_key=key)
    after = edit(token=SECRET)
    assert (after.client_certificate, after.client_key_sealed, connection_of(after).token) == ("", "", SECRET)
    assert after.version != before.version
    again = edit({"client_certificate": certificate}, client_key=key)
    assert (again.token_sealed, connection_of(again).client_key) == ("", key)


@pytest.mark.parametrize(
    "change",
    [{"address": "https://127.0.0.1:2"}, {"ca": pair()[0]}, {"ca": pair()[0], "address": "https://127.0.0.1:2"}],
)
def test_edit_cluster__other_host_without_credentials_anew__refused(change):
    add()
    assert {f"/{field}" for field in change} == set(refused(edit, change))
    # Neither does a credential that goes elsewhere count.
    assert {f"/{field}" for field in change} == set(refused(edit, change, signing_key="x"))
    stored = Cluster.objects.get()
    assert (stored.address, stored.ca, connection_of(stored).token) == (HERE, "", SECRET)
    after = edit(change, token="another")
    assert connection_of(after).token == "another"


def test_edit_cluster__observer_elsewhere_without_its_token__refused():
    git = {"address": "/srv/fleet.git", "observer_address": HERE}
    add(git, driver="gitops", observer_token=SECRET)
    assert list(refused(edit, {"observer_address": "https://127.0.0.1:2"})) == ["/observer_address"]
    assert list(refused(edit, {"observer_address": "https://127.0.0.1:2"}, token="x")) == ["/observer_address"]
    edit({"observer_address": "https://127.0.0.1:2"}, observer_token="x")


def test_edit_cluster__same_values__nothing_is_written_down_twice():
    add()
    edit(VALUES)
    assert not Event.objects.filter(action="cluster.edit").exists()


def test_edit_cluster__out_of_service_and_back():
    add()
    assert edit({"is_active": False}).is_active is False
    assert edit({"is_active": True}).is_active is True
    assert Event.objects.filter(action="cluster.edit").count() == 2


def test_edit_cluster__dedicated_while_others_have_projects__refused():
    cluster = add()
    claims, motor = a_tenant("claims"), a_tenant("motor")
    a_bundle(cluster=cluster, tenant=claims)
    assert "other tenants" in refused(edit, {"dedicated_to": "motor"})["/dedicated_to"]
    assert edit({"dedicated_to": "claims"}).dedicated_to == claims
    assert edit({"dedicated_to": None}).dedicated_to is None
    assert motor.pk


# Pages and endpoints


@pytest.fixture
def world(gitops_cluster) -> World:
    return build()


def kubeconfig(**user: Any) -> str:
    config = {
        "clusters": [{"name": "c", "cluster": {"server": HERE}}],
        "users": [{"name": "u", "user": user or {"token": SECRET}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    return json.dumps(config)


FORM = {"name": "prod1", "driver": "kubernetes", "flavour": "kubernetes", "environments": ["dev", "prod"]}
FORM |= {"user_format": "{username}", "group_format": "{cn}", "network": "networkpolicy", "on_drift": "report"}
FORM |= {"git_branch": "main", "ingress_labels": "a=b\nc=", "node_selector_prod": "zone=a"}


def admin(world: World) -> Client:
    return world.person("admin")


def test_page__new_by_particulars__registered(world):
    answer = admin(world).post("/clusters/new", FORM | {"address": HERE, "token": SECRET}, follow=True)
    assert answer.status_code == 200 and "prod1" in answer.content.decode()
    cluster = Cluster.objects.get(name="prod1")
    assert (cluster.ingress_labels, cluster.node_selectors) == ({"a": "b", "c": ""}, {"prod": "zone=a"})
    assert (cluster.environments, connection_of(cluster).token, cluster.is_active) == (["dev", "prod"], SECRET, True)


def test_page__new_by_kubeconfig__registered(world):
    admin(world).post("/clusters/new", FORM | {"address": "", "kubeconfig": kubeconfig()})
    cluster = Cluster.objects.get(name="prod1")
    assert (cluster.address, connection_of(cluster).token) == (HERE, SECRET)


@pytest.mark.parametrize("name", ["exec", "auth-provider", "client-key", "tokenFile"])
def test_page__kubeconfig_with_more_than_data__refused_by_name_and_not_shown_again(world, name):
    text = kubeconfig(**{name: {"command": "id"}, "token": SECRET})
    answer = admin(world).post("/clusters/new", FORM | {"address": "", "kubeconfig": text})
    assert answer.status_code == 422
    assert f"holds {name}," in answer.content.decode() and SECRET not in answer.content.decode()
    assert not Cluster.objects.filter(name="prod1").exists()


def test_page__edit__shows_what_is_said_without_credentials_and_keeps_them(world):
    add()
    client = admin(world)
    shown = client.get("/clusters/prod1/edit").content.decode()
    assert HERE in shown and SECRET not in shown and Cluster.objects.get(name="prod1").token_sealed not in shown
    entries = registration.entries_of(Cluster.objects.get(name="prod1")) | {"description": "written", "is_active": ""}
    assert client.post("/clusters/prod1/edit", entries).status_code == 302
    cluster = Cluster.objects.get(name="prod1")
    assert (cluster.description, cluster.is_active, connection_of(cluster).token) == ("written", False, SECRET)
    # Out of service it can still be found.
    assert "/clusters/prod1/edit" in client.get("/clusters").content.decode()
    client.post("/clusters/prod1/edit", entries | {"is_active": "on"})
    assert Cluster.objects.get(name="prod1").is_active


def test_page__errors__at_their_fields(world):
    answer = admin(world).post("/clusters/new", FORM | {"address": "http://x", "ingress_labels": "a", "token": SECRET})
    assert answer.status_code == 422 and SECRET not in answer.content.decode()
    assert "One label per line" in answer.content.decode()
    answer = admin(world).post("/clusters/new", FORM | {"address": "http://x", "token": SECRET})
    assert "must start with https://" in answer.content.decode() and SECRET not in answer.content.decode()


def test_api__add_edit_and_out_of_service(world):
    program = world.program("admin")
    body = {"name": "prod1", "driver": "kubernetes", "flavour": "kubernetes", "environments": ["prod"]}
    answer = program.post("/api/v1/clusters", body | {"kubeconfig": kubeconfig()}, "application/json")
    assert answer.status_code == 201, answer.content
    assert (answer.json()["address"], answer.json()["credentials"]) == (HERE, ["token"])
    seen = program.get("/api/v1/clusters/prod1/settings")
    assert seen.json() == answer.json()
    answer = patch(program, "prod1", {"is_active": False}, seen["ETag"])
    assert answer.status_code == 200 and answer.json()["is_active"] is False
    assert answer["ETag"] == program.get("/api/v1/clusters/prod1/settings")["ETag"] != seen["ETag"]
    assert connection_of(Cluster.objects.get(name="prod1")).token == SECRET
    answer = patch(program, "prod1", {"address": "https://127.0.0.1:2"})
    assert answer.status_code == 422 and "/address" in answer.content.decode()
    assert patch(program, "none", {}).status_code == 404


@pytest.mark.parametrize("given", [{"description": "mine"}, {"token": "another-token-of-mine"}])
def test_api__edit_after_somebody_else__412_and_nothing_changes(world, given):
    add()
    program = world.program("admin")
    seen = program.get("/api/v1/clusters/prod1/settings")["ETag"]
    assert patch(program, "prod1", given, seen).status_code == 200
    answer = patch(program, "prod1", {"description": "later"}, seen)
    assert answer.status_code == 412
    assert answer.json()["etag"] == answer["ETag"] == program.get("/api/v1/clusters/prod1/settings")["ETag"] != seen
    assert Cluster.objects.get(name="prod1").description != "later"
    assert patch(program, "prod1", {"description": "later"}, answer["ETag"]).status_code == 200


def test_api__edit_without_if_match__428(world):
    add()
    program = world.program("admin")
    answer = program.patch("/api/v1/clusters/prod1/settings", {"description": "x"}, "application/json")
    assert (answer.status_code, answer.json()["type"]) == (428, "urn:portal:problem:if-match-missing")
    assert Cluster.objects.get(name="prod1").description != "x"


def test_api__settings__same_tag__304(world):
    add()
    program = world.program("admin")
    seen = program.get("/api/v1/clusters/prod1/settings")["ETag"]
    answer = program.get("/api/v1/clusters/prod1/settings", headers={"If-None-Match": seen})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", seen)


def patch(program, name, body, tag="*"):
    address = f"/api/v1/clusters/{name}/settings"
    return program.patch(address, body, "application/json", headers={"If-Match": tag})


@pytest.mark.parametrize("value", [7, None, True, [], {}])
@pytest.mark.parametrize("field", ["token", "kubeconfig", "address", "node_selectors", "environments"])
def test_api__hostile_types__refused(world, field, value):
    if (field, value) in (("node_selectors", {}), ("environments", [])):
        value = [7]
    body = {"name": "prod1", "driver": "kubernetes", "flavour": "kubernetes", "environments": ["prod"]}
    body |= {"address": HERE, "token": SECRET, field: value}
    answer = world.program("admin").post("/api/v1/clusters", body, "application/json")
    assert answer.status_code in (400, 422) and SECRET not in answer.content.decode()
    assert not Cluster.objects.filter(name="prod1").exists()


def test_credentials__all_ways_in_and_out__nowhere_to_be_read(world, caplog):
    """Every credential goes in by every way; then everything the portal keeps, logs and answers is searched for it."""
    caplog.set_level(logging.DEBUG)
    certificate, key = pair()
    secrets = {name: f"{name}-{SECRET}" for name in SEALED if name != "client_key"}
    client, program = admin(world), world.program("admin")
    texts: list[str] = []

    def seen(answer: Any) -> None:
        texts.append(answer.content.decode())

    body = {"driver": "kubernetes", "flavour": "kubernetes", "environments": ["dev"], "address": HERE}
    seen(program.post("/api/v1/clusters", body | secrets | {"name": "one"}, "application/json"))
    by_certificate = {"client_certificate": certificate, "client_key": key}
    seen(program.post("/api/v1/clusters", body | by_certificate | {"name": "two"}, "application/json"))
    seen(program.post("/api/v1/clusters", body | secrets | {"name": "bad name"}, "application/json"))
    seen(client.post("/clusters/new", FORM | {"name": "three", "kubeconfig": kubeconfig()}, follow=True))
    seen(client.post("/clusters/new", FORM | secrets | {"address": "http://x"}))
    seen(client.post("/clusters/one/edit", {"token": f"{SECRET} with a blank"}))
    seen(patch(program, "one", secrets | {"address": "https://[::1"}))
    for path in ("/clusters", "/clusters/one/edit", "/clusters/two/edit", "/api/v1/clusters", "/api/v1/clusters/two"):
        seen(client.get(path))
    seen(program.get("/api/v1/clusters/one/settings"))
    assert Cluster.objects.filter(name__in=["one", "two", "three"]).count() == 3
    for cluster in Cluster.objects.all():
        texts += [repr(cluster), repr(connection_of(cluster))]
    for model in (Cluster, Event, Health):
        texts += [str(row) for row in model.objects.values()]
    texts += [f"{record.getMessage()} {record.__dict__} {record.exc_text}" for record in caplog.records]
    middle = key.splitlines()[1]
    for needle in (SECRET, middle, base64.b64encode(SECRET.encode()).decode()):
        assert not [text for text in texts if needle in text]
