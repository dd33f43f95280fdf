"""Who may call what: all addresses, all methods, all roles, and what a stranger must never read."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from portal.access import ACCESS
from tests.portal.walk import EVERYBODY, HIDDEN, METHODS, READERS, ROLES, URLS, call, changed, with_token

pytestmark = pytest.mark.django_db

PAGES = sorted(name for name in URLS if ACCESS.get(name) == "session")
API = sorted(name for name in URLS if ACCESS.get(name) == "api")
PUBLIC = sorted(name for name in URLS if ACCESS.get(name) == "public")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def _names(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _names(pattern.url_patterns)
        else:
            yield pattern.name


def test_access__every_url_name__has_its_rows():
    names = list(_names(get_resolver().url_patterns))
    assert len(names) == len(set(names)), "a URL name is used twice"
    assert set(names) == set(ACCESS)
    assert set(names) == set(URLS)


def _expected(name, method, who):
    """Statuses that are right; the row says who may."""
    url = URLS[name]
    if url.is_hidden and who == "stranger" and method in url.may:
        return {404}
    if method not in url.may:
        return {404, 405} if url.is_hidden else {405}
    if who in url.may[method]:
        return {200, 201, 202, 204, 302}
    return {403, 404, 422}


@pytest.mark.parametrize("who", sorted(ROLES))
def test_walk__every_role_and_method__as_the_table_says(world, who):
    before = changed()
    browser, program = world.person(who), world.program(who)
    for name in (*PUBLIC, *PAGES, *API):
        for method in METHODS:
            is_page = name not in API and method == "GET"
            for extra in [{}, {"HX-Request": "true"}] if is_page else [{}]:
                response = call(world, program if name in API else browser, name, method, **extra)
                where = (name, method, extra, response.content[:300])
                assert response.status_code in _expected(name, method, who), (response.status_code, where)
                if who not in URLS[name].may.get(method, ()):
                    assert response.changed == before, where
                if who == "stranger":
                    _assert_nothing_shown(response, where)


def _assert_nothing_shown(response, where):
    text = response.content.decode() + str(dict(response.headers))
    assert not [needle for needle in HIDDEN if needle in text], where


@pytest.mark.parametrize("who", sorted(READERS))
def test_read__whoever_may__sees_what_is_hidden_from_strangers(world, who):
    for name in ("requests", "projects", "api-requests", "api-projects", "request-detail", "project-detail"):
        client = world.program(who) if name.startswith("api-") else world.person(who)
        assert "claims-hidden" in call(world, client, name, "GET").content.decode(), name


def test_anonymous__pages__sent_to_the_login_page_and_back(world):
    before = changed()
    for name in PAGES:
        for method in METHODS:
            response = call(world, Client(), name, method)
            address = response.wsgi_request.path
            # Only what can be read is come back to.
            back = f"?next={address}" if method in ("GET", "HEAD") else ""
            assert (response.status_code, response.url) == (302, f"/login{back}"), (name, method)
            assert response.changed == before


def test_anonymous__fragment__401_and_the_whole_page_goes_to_the_login(world):
    for name in PAGES:
        page = {"HX-Request": "true", "HX-Current-URL": "http://testserver/requests?state=approved"}
        response = call(world, Client(), name, "GET", **page)
        assert (response.status_code, response.content) == (401, b""), name
        assert response["HX-Redirect"] == "/login?next=/requests%3Fstate%3Dapproved", name


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ({"Referer": "http://testserver/requests/new/new-project"}, "?next=/requests/new/new-project"),
        ({"Referer": "http://elsewhere.example/requests"}, ""),
        ({"Referer": "http://testserver//elsewhere.example"}, ""),
        ({"Referer": "http://[bad"}, ""),
        ({"HX-Request": "true", "HX-Current-URL": "https://elsewhere.example/"}, ""),
    ],
)
def test_anonymous__form__back_to_the_page_it_stands_on_and_nowhere_else(world, sent, back):
    response = call(world, Client(), "request-new", "POST", **sent)
    assert (response.get("HX-Redirect") or response["Location"]) == f"/login{back}"


def test_anonymous__public__answered(world):
    for name in PUBLIC:
        for method in METHODS:
            response = call(world, Client(), name, method)
            # An empty login is refused with the form.
            right = {200, 302, 403} if method in URLS[name].may else {405}
            assert response.status_code in right, (name, method, response.status_code)


def test_api__anonymous__401_as_problem(world):
    before = changed()
    for name in API:
        for method in METHODS:
            _assert_unauthorized(call(world, Client(), name, method), (name, method), before)


@pytest.mark.parametrize("header", ["Bearer cp_0_0", "Bearer", "Basic ZGV2OmRldg==", "Bearer cp_½_\xff"])
def test_api__header_that_is_no_token__401_as_problem(world, header):
    response = call(world, Client(headers={"Authorization": header}), "api-requests", "POST")
    _assert_unauthorized(response, header, changed())


def test_api__expired_token__401_as_problem(world):
    before = changed()
    client = world.expired("dev")
    for name in API:
        for method in METHODS:
            _assert_unauthorized(call(world, client, name, method), (name, method), before)


def _assert_unauthorized(response, where, before):
    assert response.status_code == 401, where
    assert response["Content-Type"] == "application/problem+json", where
    assert response["WWW-Authenticate"].startswith("Bearer"), where
    assert response.changed == before


@pytest.mark.parametrize(
    ("who", "scopes", "refused"),
    [
        ("dev", ["request", "decide"], {"GET", "HEAD", "OPTIONS"}),
        ("dev", ["read"], set(UNSAFE)),
        ("platform", ["read"], set(UNSAFE)),
    ],
)
def test_api__token_without_the_scope__403_as_problem(world, who, scopes, refused):
    before = changed()
    client = world.token(who, *scopes)
    for name in API:
        for method in refused & (URLS[name].may.keys() | set(UNSAFE)):
            response = call(world, client, name, method)
            assert response.status_code == 403, (name, method)
            assert response["Content-Type"] == "application/problem+json"
            assert response.changed == before


def test_api__approvers_token_that_may_only_ask__decides_nothing(world):
    before = changed()
    response = call(world, world.token("platform", "read", "request"), "api-request-decision", "POST")
    assert response.status_code == 403
    assert response.changed == before


def test_csrf__session_without_the_token__refused_on_every_page_and_endpoint(world):
    before = changed()
    for who in ("dev", "platform"):
        client = world.person(who, enforce_csrf_checks=True)
        for name, url in URLS.items():
            for method in (method for method in UNSAFE if who in url.may.get(method, ())):
                response = call(world, client, name, method)
                assert response.status_code == 403, (name, method, who)
                assert response.changed == before
                if name in API:
                    assert response["Content-Type"] == "application/problem+json"


def test_namespace__a_stranger_guesses_names__is_not_told_which_exist(world):
    address = reverse("request-check", args=["new-project"])
    taken = {"tenant": "claims", "name": "hiddendev", "environments.dev": "on"}
    answers = [
        world.person("stranger").post(address, changes, headers={"HX-Request": "true"}).content
        for changes in (taken, taken | {"name": "free"})
    ]
    assert answers[0] == answers[1]
    told = world.person("dev").post(address, taken, headers={"HX-Request": "true"}).content.decode()
    assert "claims-hiddendev-dev" in told and "exists already" in told


def test_submit__a_stranger_asks_with_a_taken_name__learns_of_the_tenant_alone(world):
    values = {"kind": "new-project", "values": URLS["api-requests"].body(world)["values"] | {"name": "hiddendev"}}
    response = world.program("stranger").post("/api/v1/requests", values, content_type="application/json")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/tenant"]


def test_token__of_somebody_else__is_not_there(world):
    for who in sorted(EVERYBODY - {"dev"}):
        assert call(world, world.person(who), "token-revoke", "POST").status_code == 404
        assert call(world, with_token(world.tokens[who]), "api-token", "DELETE").status_code == 404
