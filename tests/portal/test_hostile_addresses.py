"""Hostile addresses, headers and whole bodies: answered in words, never a 5xx, nothing written."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders import wish
from tests.portal.problems import NUL, assert_problem, label, post

pytestmark = pytest.mark.django_db

ADDRESSES = [
    ("requests?after=abc", 422, "/after"),
    ("requests?after=%00", 422, "/after"),
    ("requests?after=1e3", 422, "/after"),
    ("requests?after=٣", 422, "/after"),
    ("requests?after=99999999999999999999", 422, "/after"),
    ("requests?limit=-1", 422, "/limit"),
    ("requests?limit=1.5", 422, "/limit"),
    ("projects?limit=abc", 422, "/limit"),
    ("requests?state=x", 422, "/state"),
    ("requests?state=", 422, "/state"),
    ("requests?state=%00", 422, "/state"),
    ("requests?" + "&".join(f"p{n}=1" for n in range(600)), 400, None),
    ("requests/99999999999999999999", 404, None),
    ("requests/" + "9" * 5000, 404, None),
    ("requests/-1", 404, None),
    ("requests/1%00", 404, None),
    ("requests/99999999999999999999/plan", 404, None),
    ("projects/not-a-uuid", 404, None),
    ("projects/11111111-2222-3333-4444-555555555555", 404, None),
    ("projects/%7B11111111-2222-3333-4444-555555555555%7D", 404, None),
    ("nothing/here", 404, None),
    ("requests/../../healthz", 404, None),
]


@pytest.mark.parametrize(("address", "status", "pointer"), ADDRESSES, ids=label)
def test_rest__hostile_address__problem(world, address, status, pointer):
    client = world.program("dev")
    client.raise_request_exception = False
    assert_problem(client.get(f"/api/v1/{address}"), status, pointer)


@pytest.mark.parametrize("number", ["99999999999999999999", "0", "9" * 5000])
@pytest.mark.parametrize("what", ["decision", "withdrawal"])
@pytest.mark.usefixtures("untouched")
def test_rest__deed_on_a_number_that_cannot_be__404(world, number, what):
    assert_problem(post(world, f"requests/{number}/{what}", {"verdict": "reject", "note": "n"}, "platform"), 404)


@pytest.mark.parametrize("limit", ["0", "201", "1000000", "999999999999999"])
def test_rest__limit_beyond_the_most__422(world, limit):
    client = world.program("dev")
    assert_problem(client.get(f"/api/v1/requests?limit={limit}&after=999999999999999"), 422, "/limit")
    answer = client.get("/api/v1/requests?limit=200&after=999999999999999")
    assert answer.status_code == 200 and len(answer.json()["items"]) == 2


@pytest.mark.parametrize("key", ["k" * 201, "k" * 8000, "", "schlüssel", "a\tb"], ids=label)
@pytest.mark.usefixtures("untouched")
def test_rest__hostile_idempotency_key__422(world, key):
    body = {"kind": "new-project", "values": wish()}
    assert_problem(post(world, "requests", body, **{"Idempotency-Key": key}), 422, "", "200 printable")


@pytest.mark.parametrize("key", [NUL, "k" * 201, "schlüssel"], ids=label)
@pytest.mark.usefixtures("untouched")
def test_form__hostile_idempotency_key__form_again(world, key):
    client = world.person("dev")
    client.raise_request_exception = False
    assert client.post("/requests/new/new-project", wish(idempotency_key=key)).status_code == 422


PAGES = [
    ("/requests?after=abc", 422),
    ("/requests?state=x", 200),
    ("/requests?state=%00&after=", 200),
    ("/requests/mine?limit=-1", 422),
    ("/projects?after=%27--", 422),
    ("/requests/99999999999999999999", 404),
    ("/requests/99999999999999999999/timeline", 404),
    ("/requests/new/new-planet", 404),
    ("/requests/new/new-project/check", 405),
    ("/people?q=%00%00&for=%22%3E&sort=%00", 200),
    ("/people?q=" + "x" * 3000, 200),
    ("/people?q=*)(uid=*", 200),
    ("/requests/new/new-project?tenant=claims&name=%00&environment=%00&pods=x&developers=%00", 200),
    ("/requests/new/new-project?" + "&".join(f"p{n}=1" for n in range(600)), 400),
    ("/projects/11111111-2222-3333-4444-555555555555", 404),
    ("/projects/not-a-uuid/state", 404),
    ("/%00", 404),
    ("/requests/%FF", 404),
]


@pytest.mark.parametrize(("address", "status"), PAGES, ids=label)
@pytest.mark.usefixtures("untouched")
def test_page__hostile_address__answered_in_words(world, address, status):
    client = world.person("dev")
    client.raise_request_exception = False
    headers = {"HX-Request": "true"} if "people" in address else {}
    assert client.get(address, headers=headers).status_code == status


TYPED = [
    {"tenant": "claims", "name": "x", "environments.dev": NUL},
    {"tenant": NUL, "name": NUL, "environments.dev": "on"},
    {"environments.test": "on", "environments.test.cpu": "9" * 3000, "environments.test.pods": "-1"},
    {"developers": " ".join(["x" * 64] * 500), "touched": "," * 100_000},
    {"touched": '__class__,developers,"><script>alert(1)</script>', "developers": '"><script>alert(1)</script>'},
]


@pytest.mark.parametrize("typed", TYPED, ids=range(len(TYPED)))
@pytest.mark.usefixtures("untouched")
def test_check__hostile_form__answered_and_nothing_written(world, typed):
    client = world.person("dev")
    client.raise_request_exception = False
    answer = client.post("/requests/new/new-project/check", typed, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "<script>alert" not in answer.content.decode()
    assert client.post("/requests/new/new-planet/check", typed, headers={"HX-Request": "true"}).status_code == 404


def test_form__markup_in_the_address__is_shown_as_text(world):
    typed = '"><script>alert(1)</script>'
    page = world.person("dev").get("/requests/new/new-project", {"name": typed, "display_name": typed}).content.decode()
    assert "<script>alert" not in page
    assert "&quot;&gt;&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"name=%FF%FE&tenant=claims", 422),
        ("application/x-www-form-urlencoded", b"reason=" + b"a" * 2 * 1024**2, 413),
        ("application/x-www-form-urlencoded", b"&".join(b"p%d=1" % n for n in range(600)), 400),
        ("application/x-www-form-urlencoded; charset=utf-16", b"name=x", 400),
        ("multipart/form-data", b"name=x", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 422),
        ("application/json", b'{"name": "x"}', 422),
        ("text/plain", b"\x00\xff", 422),
    ],
    ids=label,
)
@pytest.mark.usefixtures("untouched")
def test_form__hostile_body__page_in_words(world, content_type, body, status):
    client = world.person("dev")
    client.raise_request_exception = False
    response = client.generic("POST", "/requests/new/new-project", body, content_type)
    assert response.status_code == status
    assert b"<h1" in response.content


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Accept-Language", "zh" * 5000),
        ("Accept-Language", "*;q=1e9,\x00,../../etc/passwd;q=NaN,en-" + "a-" * 50),
        ("Accept-Language", ",,,;;;=,=,q="),
        ("X-Request-ID", "a\nSet-Cookie: x=y"),
        ("X-Request-ID", "x" * 5000),
        ("X-Request-ID", "\xff<script>"),
        ("Cookie", "language=../../x; theme=%00; csrf=\x00"),
        ("HX-Request", "\x00"),
        ("Accept", "application/xml"),
        ("Range", "bytes=-1"),
        ("If-Modified-Since", "yesterday"),
    ],
    ids=label,
)
@pytest.mark.parametrize("address", ["/requests", "/api/v1/requests", "/nothing/here"])
def test_headers__hostile__answered(world, header, value, address):
    client = world.program("dev") if "/api/" in address else world.person("dev")
    client.raise_request_exception = False
    response = client.get(address, headers={header: value})
    assert response.status_code in (200, 302, 404, 406)
    assert "Set-Cookie" not in response["X-Request-ID"] and len(response["X-Request-ID"]) <= 64


@pytest.mark.parametrize(
    "cookie",
    [
        'session="aaaaaaaaaa\\000"',
        "session=aaaaaaaaaa\x00",
        'session="\\377\\376aaaaaaaa"',
        'language="\\000"',
        "csrf=\x00",
    ],
    ids=label,
)
def test_cookie__hostile__nobody_is_signed_in(cookie):
    client = Client(raise_request_exception=False)
    assert client.get("/requests", headers={"Cookie": cookie}).status_code == 302
    assert client.get("/api/v1/requests", headers={"Cookie": cookie}).status_code == 401


@pytest.mark.parametrize("address", ["/login", "/api/v1/requests"])
def test_host__not_ours__400_in_words(world, address):
    client = world.program("dev")
    client.raise_request_exception = False
    response = client.get(address, headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert b"evil.example" not in response.content


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "\x00",
        " ",
    ],
    ids=label,
)
def test_next__not_ours__home(world, wanted):
    client = world.person("dev")
    client.raise_request_exception = False
    for response in (client.get("/login", {"next": wanted}), client.post("/preferences", {"next": wanted})):
        assert (response.status_code, response.url) == (302, "/")


@pytest.mark.parametrize("language", ["../../etc", "\x00", "x" * 3000, "zh_CN.UTF-8", "en"])
def test_schema__hostile_language__answered(world, language):
    client = world.program("dev")
    client.raise_request_exception = False
    answer = client.get(reverse("api-schema"), {"lang": language})
    assert answer.status_code == (200 if language == "en" else 422)
