"""Webhooks on a real receiver: signed, tried again, given up, sent again; who may, and what is never connected to."""

import json
import re
import subprocess
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from audit.models import Event
from clusters.services import keys_in_use, rotate_keys
from notify import posting, services
from notify.delivering import SCHEDULE
from notify.events import EVENTS
from notify.models import Attempt, Delivery, Endpoint, Message
from script.local import certificates
from tests.builders import a_tenant, a_user
from tests.notify.receivers import receiving
from tests.tenants.doing import drive_now
from web import addresses
from web.addresses import AddressRefused, Allowed
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.sentences import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def owner():
    a_tenant("claims", owner="owner")
    return a_user("owner")


def registered(owner, url, **fields):
    values = {"tenant": "claims", "events": [], "description": ""} | fields
    return services.register_endpoint(url=url, **values, by=owner, at=timezone.now())


def published(event="request.approved", tenant=None, **data):
    pk = (tenant or a_tenant("claims")).pk
    services.publish(event=event, tenant=pk, data=data or {"request": 7}, at=timezone.now())
    return Delivery.objects.order_by("-pk").first()


def verify(secret, headers, body):
    """As docs/webhooks.md says it, by its own words."""
    text = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
    scope = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S)[1], scope)
    return scope["verify"](secret, headers, body)


def test_deliver__receiver__gets_one_signed_thin_message(owner, receiver):
    endpoint, secret = registered(owner, receiver.url)
    delivery = published()
    drive_now(delivery)
    [(path, headers, body)] = receiver.seen
    assert path == "/hook?x=1" and headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["webhook-id"] == delivery.occurrence.webhook_id and "." not in headers["webhook-id"]
    told = json.loads(body)
    assert told["type"] == "request.approved" and told["data"] == {"request": 7} and told["timestamp"].endswith("Z")
    assert verify(secret, headers, body)
    assert not verify(secret, headers, body + b" ")
    assert not verify(secret, headers | {"webhook-id": "msg_other"}, body)
    assert delivery.state == "delivered" and delivery.due_at is None
    endpoint.refresh_from_db()
    assert endpoint.succeeded_at is not None
    assert Attempt.objects.get().status == 204


def test_document__shell__says_genuine_and_forged(owner, receiver, tmp_path):
    _endpoint, secret = registered(owner, receiver.url)
    drive_now(published())
    [(_path, headers, body)] = receiver.seen
    text = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
    script = re.search(r"```sh\n(.*?)```", text, re.S)[1]
    (tmp_path / "body").write_bytes(body)
    known = {name: headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")} | {"secret": secret}

    def said():
        run = subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, env=known | {"PATH": "/usr/bin:/bin"}, stdout=-1, text=True
        )
        return run.stdout.strip()

    assert said() == "genuine"
    (tmp_path / "body").write_bytes(body.replace(b"7", b"8"))
    assert said() == "forged"


def test_document__events__are_those_of_the_code():
    text = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
    assert {name for name in re.findall(r"^\| `([a-z_.]+)` \|", text, re.M)} == {*EVENTS, "webhook.test"}


def test_rotate__overlap__both_secrets_fit_until_it_is_over(owner, receiver):
    endpoint, old = registered(owner, receiver.url)
    _same, new = services.rotate_secret(uid=endpoint.uid, hours=1, by=owner, at=timezone.now())
    drive_now(published())
    headers, body = receiver.seen[-1][1:]
    assert headers["webhook-signature"].count("v1,") == 2
    assert verify(old, headers, body) and verify(new, headers, body)
    Endpoint.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
    drive_now(published())
    headers, body = receiver.seen[-1][1:]
    assert verify(new, headers, body) and not verify(old, headers, body)
    text = str(list(Event.objects.values())) + str(list(Endpoint.objects.values()))
    assert old not in text and new not in text


def test_rotate__without_overlap__old_secret_ends_at_once(owner, receiver):
    endpoint, old = registered(owner, receiver.url)
    services.rotate_secret(uid=endpoint.uid, hours=0, by=owner, at=timezone.now())
    drive_now(published())
    assert not verify(old, *receiver.seen[-1][1:])
    with pytest.raises(Invalid):
        services.rotate_secret(uid=endpoint.uid, hours=169, by=owner, at=timezone.now())


def test_deliver__failing__tried_by_the_schedule_with_one_id_then_given_up_and_owner_told(owner, receiver):
    endpoint, _secret = registered(owner, receiver.url)
    receiver.answers = [(500, {}, b"broken\nhere")]
    delivery = published()
    for seconds in SCHEDULE:
        drive_now(delivery)
        wait = (delivery.due_at - timezone.now()).total_seconds()
        assert seconds - 5 <= wait <= seconds * 1.2
        assert delivery.state == "pending"
    drive_now(delivery)
    assert delivery.state == "failed" and delivery.due_at is None
    assert len(receiver.seen) == len(SCHEDULE) + 1
    assert len({headers["webhook-id"] for _path, headers, _body in receiver.seen}) == 1
    assert len({body for _path, _headers, body in receiver.seen}) == 1
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None
    assert "three days" in shown(Message.objects.get(to=owner, kind="webhook.disabled").sentence)
    assert Event.objects.filter(action="webhook.disable", actor="system").count() == 1
    assert Attempt.objects.first().excerpt == "broken here"
    count = Delivery.objects.count()
    published()
    assert Delivery.objects.count() == count


def test_deliver__given_up_but_others_arrived__stays_on(owner, receiver):
    endpoint, _secret = registered(owner, receiver.url)
    delivery = published()
    receiver.answers = [(500, {}, b"")]
    Delivery.objects.update(attempts=len(SCHEDULE))
    Endpoint.objects.update(succeeded_at=timezone.now())
    drive_now(delivery)
    endpoint.refresh_from_db()
    assert delivery.state == "failed" and endpoint.disabled_at is None


def test_deliver__gone__switched_off_at_once(owner, receiver):
    endpoint, _secret = registered(owner, receiver.url)
    receiver.answers = [(410, {}, b"")]
    drive_now(published())
    endpoint.refresh_from_db()
    assert "410" in shown(endpoint.disabled_reason)
    services.enable_endpoint(uid=endpoint.uid, by=owner, at=timezone.now())
    with pytest.raises(Conflict):
        services.enable_endpoint(uid=endpoint.uid, by=owner, at=timezone.now())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_deliver__redirect__not_followed(owner, receiver, status):
    registered(owner, receiver.url)
    with receiving() as elsewhere:
        receiver.answers = [(status, {"Location": elsewhere.url}, b"")]
        delivery = published()
        drive_now(delivery)
        assert elsewhere.seen == [] and delivery.state == "pending"


@pytest.mark.parametrize("as_date", [False, True])
def test_deliver__retry_after__honoured_within_a_day(owner, receiver, as_date):
    registered(owner, receiver.url)
    text = format_datetime(timezone.now() + timedelta(seconds=3600), usegmt=False) if as_date else "3600"
    receiver.answers = [(503, {"Retry-After": text}, b""), (429, {"Retry-After": "99999999999"}, b"")]
    delivery = published()
    drive_now(delivery)
    assert 3500 < (delivery.due_at - timezone.now()).total_seconds() < 4400
    drive_now(delivery)
    assert (delivery.due_at - timezone.now()).total_seconds() <= 86400 * 1.2


def test_deliver__endless_answer__read_up_to_a_limit_and_cut_off_in_time(owner, receiver, monkeypatch):
    registered(owner, receiver.url)
    monkeypatch.setattr(posting, "SECONDS", 1)
    receiver.answers = [(200, {}, b"y" * 100)]
    receiver.drip = 0.05
    drive_now(published())
    one = Attempt.objects.get()
    assert one.milliseconds < 5000 and len(one.excerpt) <= posting.MOST_KEPT


def test_deliver__nobody_listens__said_and_tried_again(owner, free_port):
    registered(owner, f"http://127.0.0.1:{free_port()}/")
    delivery = published()
    drive_now(delivery)
    assert "Nobody answered" in shown(Attempt.objects.get().problem) and delivery.state == "pending"


def test_deliver__tls__certificate_and_name_are_checked(owner, tmp_path, monkeypatch):
    certificates.create(tmp_path)
    with receiving(tmp_path) as secure:
        registered(owner, secure.url)
        drive_now(published())
        assert "not secure" in shown(Attempt.objects.first().problem) and secure.seen == []
        with override_settings(WEBHOOK_CA_FILE=str(tmp_path / "ca.pem")):
            drive_now(published())
            assert Attempt.objects.first().status == 204
            # Another name that leads to the same machine is not what the certificate is for.
            Endpoint.objects.update(url=secure.url.replace("127.0.0.1", "other.example"))
            real = addresses.socket.getaddrinfo
            monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda _host, *a, **k: real("127.0.0.1", *a, **k))
            drive_now(published())
            assert "not secure" in shown(Attempt.objects.first().problem)


def test_deliver__name_answers_differently_the_second_time__connects_to_what_was_checked(owner, receiver, monkeypatch):
    registered(owner, receiver.url)
    Endpoint.objects.update(url=receiver.url.replace("127.0.0.1", "rebind.example"))
    real, asked = addresses.socket.getaddrinfo, []

    def answer(host, *args, **kwargs):
        if host != "rebind.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", *args, **kwargs)

    monkeypatch.setattr(addresses.socket, "getaddrinfo", answer)
    drive_now(published())
    assert asked == ["rebind.example"]
    assert receiver.seen[0][1]["host"] == f"rebind.example:{receiver.port}"
    drive_now(published())
    assert "metadata" in shown(Attempt.objects.first().problem) and len(receiver.seen) == 1


REFUSED = [
    "http://192.0.2.1/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://169.254.169.254/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::808:808]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:808:808::1]/",
    "https://[::8.8.8.8]/",
    "https://134744072/",
    "https://0x08080808/",
    "https://010.8.8.8/",
    "https://8.8.2056/",
    "https://0/",
    "https://user@8.8.8.8/",
    "https://user:pw@8.8.8.8/",
    "https://8.8.8.8:22/",
    "https://8.8.8.8:8080/",
    "https://8.8.8.8/#x",
    "https://8.8.8.8\\@10.0.0.1/",
    "ftp://8.8.8.8/",
    "https:///x",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_address__of_a_danger_or_odd__refused_at_registering_and_at_sending(owner, url):
    with override_settings(DEMO=False):
        with pytest.raises(Invalid) as error:
            registered(owner, url)
        assert "/url" in error.value.fields
        assert posting.post(url, {}, b"{}").problem is not None
    assert not Endpoint.objects.exists()


@override_settings(DEMO=False)
def test_address__public_or_allowed__taken():
    for url in ("https://8.8.8.8/", "https://8.8.8.8:8443/x?y=1", "https://[2001:4860:4860::8888]/"):
        assert posting.resolved(posting.check_url(url))
    with override_settings(WEBHOOK_ADDRESSES=Allowed.read(["10.1.0.0/16", "::/0", "0.0.0.0/0"])):
        assert posting.resolved(posting.check_url("https://10.1.2.3/")) == ["10.1.2.3"]
        for never in ("127.0.0.1", "169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0"):
            with pytest.raises(AddressRefused):
                posting.resolved(posting.check_url(f"https://{never}/"))


def test_publish__wanted_and_of_the_tenant__nobody_else_is_told(owner, receiver):
    a_tenant("motor", stranger="owner")
    admin = a_user("admin", "administrator")
    registered(owner, receiver.url, events=["request.rejected"])
    registered(a_user("stranger"), receiver.url, tenant="motor")
    everything, _secret = registered(admin, receiver.url, tenant="")
    published("request.approved")
    assert [one.endpoint for one in Delivery.objects.all()] == [everything]
    published("request.rejected")
    assert Delivery.objects.count() == 3
    services.publish(event="request.approved", tenant=None, data={}, at=timezone.now())
    assert Delivery.objects.count() == 4


def test_endpoint__of_another_tenant__is_not_there_and_cannot_be_registered(owner, receiver):
    a_tenant("motor", stranger="owner")
    stranger = a_user("stranger")
    endpoint, _secret = registered(owner, receiver.url)
    at = timezone.now()
    for act in (services.enable_endpoint, services.disable_endpoint, services.send_test, services.remove_endpoint):
        with pytest.raises(NotFound):
            act(uid=endpoint.uid, by=stranger, at=at)
    with pytest.raises(Invalid):
        registered(stranger, receiver.url)
    with pytest.raises(Forbidden):
        registered(stranger, receiver.url, tenant="")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(stranger, backend="accounts.backends.DirectoryBackend")
    assert client.get(f"/webhooks/{endpoint.uid}").status_code == 404
    assert client.get("/api/v1/webhooks").json()["items"] == []


def test_replay__delivered__sent_again_with_the_same_id(owner, receiver):
    endpoint, _secret = registered(owner, receiver.url)
    delivery = published()
    with pytest.raises(Conflict):
        services.replay(uid=endpoint.uid, delivery=delivery.pk, by=owner, at=timezone.now())
    drive_now(delivery)
    services.replay(uid=endpoint.uid, delivery=delivery.pk, by=owner, at=timezone.now())
    drive_now(delivery)
    ids = [headers["webhook-id"] for _path, headers, _body in receiver.seen]
    assert len(ids) == 2 and len(set(ids)) == 1 and delivery.state == "delivered"


def test_pages__register_test_switch_rotate_remove__as_a_person_does_it(owner, receiver):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(owner, backend="accounts.backends.DirectoryBackend")
    page = client.post("/webhooks", {"tenant": "claims", "url": receiver.url, "events": ["request.approved"]})
    assert page.status_code == 200 and "whsec_" in page.content.decode() and page["Cache-Control"] == "no-store"
    uid = Endpoint.objects.get().uid
    assert "whsec_" not in client.get(f"/webhooks/{uid}").content.decode()
    assert client.post(f"/webhooks/{uid}/act", {"what": "test"}).status_code == 302
    drive_now(Delivery.objects.get())
    assert json.loads(receiver.seen[0][2])["type"] == "webhook.test"
    shown_ = client.get(f"/webhooks/{uid}").content.decode()
    assert "204" in shown_ and "Send again" in shown_
    assert client.post(f"/webhooks/{uid}/deliveries/{Delivery.objects.get().pk}/replay").status_code == 302
    assert "whsec_" in client.post(f"/webhooks/{uid}/act", {"what": "rotate", "hours": "2"}).content.decode()
    assert client.post(f"/webhooks/{uid}", {"url": "nonsense"}).status_code == 422
    for wrong in (
        {"tenant": "a\0b"},
        {"tenant": ""},
        {"url": "https://a\0b/"},
        {"events": ["\0"]},
        {"description": "\0"},
    ):
        values = {"tenant": "claims", "url": receiver.url} | wrong
        assert client.post("/webhooks", values).status_code == (403 if wrong == {"tenant": ""} else 422), wrong
    assert client.post(f"/webhooks/{uid}", {"url": receiver.url, "description": "new"}).status_code == 302
    assert Endpoint.objects.get().description == "new" and Endpoint.objects.get().events == []
    assert client.post(f"/webhooks/{uid}/act", {"what": "disable"}).status_code == 302
    assert client.post(f"/webhooks/{uid}/act", {"what": "other"}).status_code == 422
    assert client.post(f"/webhooks/{uid}/act", {"what": "remove"}).status_code == 302
    assert not Endpoint.objects.exists()
    verbs = set(Event.objects.filter(subject=f"webhook:{uid}").values_list("action", flat=True))
    names = ("register", "test", "replay", "rotate-secret", "change", "disable", "remove")
    assert verbs == {f"webhook.{name}" for name in names}


def test_rotate_keys__secrets_of_webhooks__sealed_with_the_first_key(owner, receiver):
    endpoint, secret = registered(owner, receiver.url)
    keys = {"new": b"n" * 32, **settings.ENCRYPTION_KEYS}
    with override_settings(ENCRYPTION_KEYS=keys):
        done = rotate_keys(by=None, at=timezone.now())
        assert done.changed == 1 and not done.unread and keys_in_use() == {"new": 1}
        drive_now(published())
        assert verify(secret, *receiver.seen[0][1:])
    assert rotate_keys(by=None, at=timezone.now()).unread[0].cluster == f"webhook {endpoint.uid}"
