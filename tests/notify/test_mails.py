"""Mails by a real SMTP server with TLS: to whom, in which words, tried again, given up; the mail of a day."""

import email
import ssl
from datetime import datetime, time, timedelta
from email.policy import default
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from django.test import Client, override_settings
from django.utils import timezone

from audit.models import Event
from notify.mailing import SCHEDULE
from notify.models import Digest, Mail, Message, Preference
from notify.services import Notice, close, prefer, read_all, tell
from notify.services.mails import next_daily
from script.local import certificates, ports
from tests.builders import a_user
from tests.tenants.doing import drive_now
from web.sentences import Sentence, shown

pytestmark = pytest.mark.django_db


class Postbox:
    """What came, by recipient; `refused` says with which words somebody is refused."""

    def __init__(self):
        self.mails, self.refused = [], {}

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@pytest.fixture
def server(tmp_path):
    """A mail server that speaks to nobody without STARTTLS; the portal trusts it."""
    certificates.create(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    box, port = Postbox(), ports.free_port()
    controller = Controller(box, "127.0.0.1", port, tls_context=context, require_starttls=True)
    controller.start()
    known = {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": port, "MAIL_FROM": "portal@insurer.example"}
    with override_settings(
        **known, MAIL_CA_FILE=str(tmp_path / "ca.pem"), EXTERNAL_URL="https://portal.insurer.example"
    ):
        yield box
    controller.stop()


def person(name="dev", **fields):
    return a_user(name, email=f"{name}@insurer.example", **fields)


def told(to, sort="waiting", about="request:7", number=7):
    words = {"number": number, "title": "claims-imaging-prod"}
    sentence = Sentence("#%(number)s %(title)s is ready.", words)
    notice = Notice(to, "request.ready", sort, sentence, f"/requests/{number}", about, asks=True)
    return tell(notices=[notice], at=timezone.now())[0]


def sent(mail):
    drive_now(mail)
    return mail.state


def test_mail__at_once__in_english_with_link_and_headers(server):
    told(person(language="en"))
    assert sent(Mail.objects.get()) == "sent"
    [(recipients, mail)] = server.mails
    assert recipients == ["dev@insurer.example"]
    assert mail["Subject"] == "[Container Cloud] #7 claims-imaging-prod is ready."
    assert mail["Auto-Submitted"] == "auto-generated" and "portal.insurer.example" in mail["List-Id"]
    assert str(Mail.objects.get().uid) in mail["Message-ID"]
    for kind in ("plain", "html"):
        assert "https://portal.insurer.example/requests/7" in mail.get_body((kind,)).get_content()
    assert 'lang="en"' in mail.get_body(("html",)).get_content()


def test_mail__reader_of_chinese__in_chinese(server):
    told(person(language="zh-hans"))
    drive_now(Mail.objects.get())
    assert "#7 claims-imaging-prod 已就绪。" in server.mails[0][1]["Subject"]


def test_mail__words_of_others__cannot_become_headers_or_markup(server):
    notice = Notice(person(), "a.b", "mine", Sentence("%(x)s", {"x": "a\r\nBcc: x@y.z <b>"}), "/", "request:1")
    tell(notices=[notice], at=timezone.now())
    assert sent(Mail.objects.get()) == "sent"
    recipients, mail = server.mails[0]
    assert recipients == ["dev@insurer.example"] and mail["Bcc"] is None
    assert "<b>" not in mail.get_body(("html",)).get_content()


def test_mail__no_server_or_no_address__none(server):
    told(a_user("nobody"))
    with override_settings(MAIL_HOST=""):
        told(person())
    assert not Mail.objects.exists() and Message.objects.count() == 2


def test_mail__read_or_done_meanwhile__dropped(server):
    told(person())
    read_all(until=None, by=person(), at=timezone.now())
    told(person("owner"))
    close(about="request:7", at=timezone.now())
    assert {sent(mail) for mail in Mail.objects.all()} == {"dropped"}
    assert server.mails == []


def test_mail__one_bad_address__given_up_at_once_and_stops_nobody(server):
    server.refused["bad@insurer.example"] = "550 5.1.1 No such mailbox"
    told(person("bad")), told(person("good"))
    bad, good = Mail.objects.order_by("pk")
    assert (sent(bad), sent(good)) == ("failed", "sent")
    assert "550" in shown(bad.problem) and bad.due_at is None
    assert Event.objects.filter(action="mail.give-up", subject="user:bad").count() == 1
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person("bad"), backend="accounts.backends.DirectoryBackend")
    assert "No such mailbox" in client.get("/notifications/preferences").content.decode()


def test_mail__server_busy__tried_again_by_the_schedule_then_given_up(server):
    server.refused["dev@insurer.example"] = "451 4.7.1 Later"
    told(person())
    mail = Mail.objects.get()
    for seconds in SCHEDULE:
        assert sent(mail) == "pending"
        assert abs((mail.due_at - timezone.now()).total_seconds() - seconds) < 10
    assert sent(mail) == "failed"


def test_mail__server_of_an_unknown_authority__nothing_is_said_to_it(server):
    told(person())
    with override_settings(MAIL_CA_FILE=""):
        assert sent(Mail.objects.get()) == "pending"
    assert server.mails == [] and "certificate" in shown(Mail.objects.get().problem)
    assert sent(Mail.objects.get()) == "sent"


def test_preference__off__not_mailed(server):
    prefer(wishes={"waiting": "off"}, daily_at=time(8, 30), time_zone="", by=person(), at=timezone.now())
    told(person())
    told(person(), sort="mine")
    assert Mail.objects.count() == 1


def test_digest__daily__one_mail_of_what_is_unread_at_the_persons_time(server):
    dev, zone = person(language="en"), ZoneInfo("America/New_York")
    prefer(wishes={"mine": "daily"}, daily_at=time(7, 15), time_zone=str(zone), by=dev, at=timezone.now())
    first, _second, third = told(dev, "mine"), told(dev, "mine", number=8), told(dev, "mine", number=9)
    assert not Mail.objects.exists()
    row = Digest.objects.get()
    assert row.due_at.astimezone(zone).strftime("%H:%M") == "07:15"
    assert timezone.now() < row.due_at <= timezone.now() + timedelta(days=1)
    Message.objects.filter(pk=first.pk).update(read_at=timezone.now())
    drive_now(row)
    assert sent(Mail.objects.get()) == "sent" and row.until == third.pk
    mail = server.mails[0][1]
    assert mail["Subject"] == "[Container Cloud] 2 notifications"
    body = mail.get_body(("plain",)).get_content()
    assert "/requests/8" in body and "/requests/9" in body and "/requests/7" not in body
    drive_now(row)
    assert Mail.objects.count() == 1 and row.due_at > timezone.now()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-27T00:00+00:00", "2026-11-27T00:30+00:00"),
        ("2026-11-27T00:30+00:00", "2026-11-28T00:30+00:00"),
        ("2026-11-27T20:00+00:00", "2026-11-28T00:30+00:00"),
    ],
)
def test_next_daily__by_the_portals_time_zone__the_next_half_past_eight(now, due):
    with override_settings(TIME_ZONE="Asia/Shanghai"):
        assert next_daily(Preference(), datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_page_and_rest__choose__kept_and_refused():
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person(), backend="accounts.backends.DirectoryBackend")
    wishes = {"waiting": "daily", "mine": "off", "talk": "now", "portal": "now", "daily_at": "06:45", "time_zone": ""}
    assert client.post("/notifications/preferences", wishes).status_code == 302
    found = Preference.objects.get()
    assert (found.waiting, found.mine, found.daily_at) == ("daily", "off", time(6, 45))
    for wrong in ({"time_zone": "Mars/North"}, {"daily_at": "25:00"}, {"mine": "always"}):
        assert client.post("/notifications/preferences", wishes | wrong).status_code == 422
        path = "/api/v1/notifications/preferences"
        assert client.put(path, wishes | wrong, content_type="application/json").status_code == 422
    told_ = client.put(path, wishes | {"mine": "now"}, content_type="application/json")
    assert told_.status_code == 200 and client.get(path).json()["mine"] == "now"
    assert Event.objects.filter(action="user.prefer-mail").count() == 2
