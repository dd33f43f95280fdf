"""The bell, the list and REST of what people are told."""

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from notify.models import Message
from notify.services import Notice, close, read_all, tell
from notify.services.telling import NotInTransaction
from tests.builders import a_user
from web.errors import NotFound
from web.sentences import Sentence

pytestmark = pytest.mark.django_db


def told(username="dev", text="Hello %(name)s", about="request:1", **fields):
    """One message to the person."""
    notice = Notice(
        a_user(username), "request.waiting", "waiting", Sentence(text, {"name": "you"}), "/", about, **fields
    )
    return tell(notices=[notice], at=timezone.now())[0]


def browser(username="dev", language="en"):
    client = Client(headers={"Accept-Language": language})
    client.force_login(a_user(username), backend="accounts.backends.DirectoryBackend")
    return client


@pytest.mark.django_db(transaction=True)
def test_tell__outside_a_transaction__refused():
    with pytest.raises(NotInTransaction):
        told()


def test_tell__somebody_named_twice__told_once():
    notice = Notice(a_user("dev"), "a.b", "mine", Sentence("x"), "/", "request:1")
    assert len(tell(notices=[notice, notice], at=timezone.now())) == 1


def test_close__what_asks__no_longer_counts_and_stays_in_the_list():
    told(asks=True), told(about="request:2", asks=True), told()
    assert close(about="request:1", at=timezone.now()) == 1
    assert Message.objects.filter(closed_at__isnull=False).count() == 1
    page = browser().get("/notifications").content.decode()
    assert page.count("data-notice") == 3 and page.count('class="pt-unread"') == 2


def test_close__of_some_people__others_are_still_asked():
    told("dev", asks=True), told("owner", asks=True)
    close(about="request:1", at=timezone.now(), to=[a_user("dev").pk])
    assert list(Message.objects.filter(closed_at=None).values_list("to__username", flat=True)) == ["owner"]


def test_message__closed_without_asking__refused_by_the_database():
    with pytest.raises(IntegrityError):
        Message.objects.filter(pk=told().pk).update(closed_at=timezone.now())


def test_bell__unread__counted_on_the_page_and_asked_for_again():
    client = browser()
    assert "0 unread" in client.get("/").content.decode()
    told(), told()
    assert "2 unread" in client.get("/").content.decode()
    fragment = client.get("/notifications/count", headers={"HX-Request": "true"})
    assert "2 unread" in fragment.content.decode()
    newest = client.get("/notifications/newest", headers={"HX-Request": "true"}).content.decode()
    assert newest.count("Hello you") == 4  # each as link and as the name of its button


def test_bell__very_many__written_as_more_than():
    Message.objects.bulk_create(
        Message(to=a_user("dev"), sort="mine", kind="a.b", sentence={}, link="/", about="request:1", at=timezone.now())
        for _ in range(120)
    )
    assert "99+ unread" in browser().get("/").content.decode()


def test_list__filters__by_state_and_sort():
    first = told()
    told(text="Second")
    client = browser()
    assert client.post(f"/notifications/{first.pk}/read").status_code == 302
    assert "Hello you" in client.get("/notifications").content.decode()
    assert "Hello you" not in client.get("/notifications?state=unread").content.decode()
    assert "Second" not in client.get("/notifications?sort=portal").content.decode()
    assert "Second" in client.get("/notifications?sort=%00").content.decode()


def test_read_all__up_to_what_was_seen__later_ones_stay():
    seen, later = told(), told()
    assert browser().post("/notifications/read", {"until": seen.pk}).status_code == 302
    assert list(Message.objects.filter(read_at=None)) == [later]
    assert read_all(until=None, by=a_user("dev"), at=timezone.now()) == 1


def test_read__of_somebody_else__is_not_there():
    other = told("owner")
    assert browser().post(f"/notifications/{other.pk}/read").status_code == 404
    from notify.services import read

    with pytest.raises(NotFound):
        read(pk=other.pk, by=a_user("dev"), at=timezone.now())
    other.refresh_from_db()
    assert other.read_at is None


def test_sentence__reader_of_chinese__reads_chinese():
    told(text="#%(name)s")
    Message.objects.update(
        sentence=Sentence("#%(number)s %(title)s is ready.", {"number": 7, "title": "a-dev"}).stored()
    )
    assert "#7 a-dev 已就绪。" in browser(language="zh-CN").get("/notifications").content.decode()


def test_rest__list_and_read__as_documented():
    one, two = told(), told(asks=True)
    client = browser()
    answer = client.get("/api/v1/notifications?limit=1").json()
    assert [item["id"] for item in answer["items"]] == [two.pk] and answer["next"] == str(two.pk)
    assert answer["items"][0]["text"] == "Hello you" and answer["items"][0]["asks"] is True
    read = client.post(f"/api/v1/notifications/{one.pk}/read", {}, content_type="application/json").json()
    assert read["read_at"] is not None
    assert [item["id"] for item in client.get("/api/v1/notifications?state=unread").json()["items"]] == [two.pk]
    said = client.post("/api/v1/notifications/read", {"until": two.pk}, content_type="application/json")
    assert said.json() == {"count": 1}
    assert client.get("/api/v1/notifications?state=other").status_code == 422
    assert client.get("/api/v1/notifications?sort=mine").json()["items"] == []
    assert client.post("/api/v1/notifications/read", {"until": -1}, content_type="application/json").status_code == 422
