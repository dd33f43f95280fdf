"""Delegations by page and by REST: giving, seeing, taking back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.builders import a_user, ready_portal
from workflow.models import Delegation
from workflow.services import delegate

pytestmark = pytest.mark.django_db

NAMES = {
    "dev": (),
    "platform": ("approver:platform",),
    "admin": ("administrator",),
    "auditor": ("auditor",),
    "owner": (),
}


@pytest.fixture
def people(db, directory):
    ready_portal()
    return {name: a_user(name, *roles) for name, roles in NAMES.items()}


def form(**changes):
    later = timezone.localtime(timezone.now() + timedelta(days=3))
    return {"to": "owner", "starts_at": "", "ends_at": f"{later:%Y-%m-%dT%H:%M}", "reason": "Holiday"} | changes


@pytest.fixture
def given(people):
    period = {"starts_at": timezone.now(), "ends_at": timezone.now() + timedelta(days=3), "reason": "Holiday"}
    return delegate(to="owner", by=people["platform"], at=timezone.now(), **period)


def test_give__by_form__in_force_in_the_portals_time_zone(browse, people):
    posted = form()
    assert browse("platform").post("/delegations", posted).url == "/delegations"
    made = Delegation.objects.get()
    assert (made.by, made.to) == (people["platform"], people["owner"])
    assert f"{timezone.localtime(made.ends_at):%Y-%m-%dT%H:%M}" == posted["ends_at"]
    for who, heading in (("platform", "Who stands in for me"), ("owner", "For whom I stand in")):
        page = browse(who).get("/delegations").content.decode()
        assert heading in page and "Holiday" in page and "In force" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "nobody"}, "to"),
        ({"to": "platform"}, "to"),
        ({"to": "a\x00b"}, "to"),
        ({"ends_at": ""}, "ends_at"),
        ({"ends_at": "tomorrow"}, "ends_at"),
        ({"ends_at": "2020-01-01T00:00"}, "ends_at"),
        ({"ends_at": "9999-12-31T23:59"}, "ends_at"),
        ({"ends_at": "٢٠٢٦-١٢-٣١T٠٠:٠٠"}, "ends_at"),
        ({"starts_at": "\x00"}, "starts_at"),
        ({"starts_at": "2999-01-01T00:00"}, "ends_at"),
        ({"reason": "r" * 201}, "reason"),
        ({"reason": "abc\u202egnp"}, "reason"),
    ],
)
def test_give__hostile_form__marked_and_kept(browse, changes, field):
    answer = browse("platform").post("/delegations", form(**changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="id_{field}-error"' in page
    assert not Delegation.objects.exists()


@pytest.mark.parametrize("who", ["dev", "auditor"])
def test_give__decides_nothing__refused_and_not_offered(browse, who):
    assert 'name="ends_at"' not in browse(who).get("/delegations").content.decode()
    assert browse(who).post("/delegations", form()).status_code == 403
    assert not Delegation.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("platform", 302), ("admin", 302), ("owner", 403), ("dev", 404)])
def test_take_back__by_role(browse, given, who, status):
    assert browse(who).post(f"/delegations/{given.pk}/revocation").status_code == status
    assert (Delegation.objects.get().revoked_at is not None) == (status == 302)


def test_take_back__twice__conflict(browse, given):
    client = browse("platform")
    client.post(f"/delegations/{given.pk}/revocation")
    assert client.post(f"/delegations/{given.pk}/revocation").status_code == 409
    page = client.get("/delegations").content.decode()
    assert "Taken back" in page and "/revocation" not in page


def test_page__strangers__see_nothing_of_others(browse, given):
    assert "Holiday" not in browse("dev").get("/delegations").content.decode()
    for who in ("admin", "auditor"):
        assert "Holiday" in browse(who).get("/delegations").content.decode()


def test_rest__give_see_and_take_back(program, people):
    client = program("platform")
    body = {"to": "owner", "ends_at": (timezone.now() + timedelta(days=3)).isoformat(), "reason": "Holiday"}
    made = client.post("/api/v1/delegations", body, "application/json")
    assert made.status_code == 201
    assert (made.json()["by"], made.json()["to"], made.json()["revoked_at"]) == ("platform", "owner", None)
    number = made.json()["id"]
    assert [one["id"] for one in program("owner").get("/api/v1/delegations").json()["items"]] == [number]
    assert program("dev").get("/api/v1/delegations").json()["items"] == []
    assert program("dev").delete(f"/api/v1/delegations/{number}").status_code == 404
    assert program("owner").delete(f"/api/v1/delegations/{number}").status_code == 403
    assert client.delete(f"/api/v1/delegations/{number}").status_code == 204
    assert client.delete(f"/api/v1/delegations/{number}").status_code == 409


@pytest.mark.parametrize(
    "changes",
    [{"to": None}, {"to": "x" * 65}, {"to": "nobody"}, {"ends_at": "soon"}, {"ends_at": None}, {"reason": "r" * 201}],
)
def test_rest__hostile_body__422(program, changes):
    body = {"to": "owner", "ends_at": (timezone.now() + timedelta(days=3)).isoformat()} | changes
    answer = program("platform").post("/api/v1/delegations", body, "application/json")
    assert answer.status_code == 422
    assert not Delegation.objects.exists()


def test_rest__token_that_may_only_ask__gives_nothing(program, given):
    client = program("platform", "read", "request")
    body = {"to": "dev", "ends_at": (timezone.now() + timedelta(days=3)).isoformat()}
    assert client.post("/api/v1/delegations", body, "application/json").status_code == 403
    assert client.delete(f"/api/v1/delegations/{given.pk}").status_code == 403
