"""The security headers are on every answer, whoever asks and however it ends."""

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

from portal.access import ACCESS
from tests.portal.test_errors import CSP
from tests.portal.walk import METHODS, URLS, call

pytestmark = pytest.mark.django_db

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _assert_safe(response, where):
    for name, value in HEADERS.items():
        assert response.headers.get(name) == value, (name, where)
    assert {part.strip() for part in response["Content-Security-Policy"].split(";")} == CSP, where
    assert "camera=()" in response["Permissions-Policy"], where
    assert response["X-Request-ID"], where


def _assert_not_stored(response, where):
    assert "no-store" in response["Cache-Control"], where


@pytest.mark.parametrize("who", ["dev", "admin"])
def test_headers__every_address_and_method__all_of_them(world, who):
    browser, program = world.person(who), world.program(who)
    for name in URLS:
        for method in METHODS:
            client = program if ACCESS[name] == "api" else browser
            response = call(world, client, name, method)
            _assert_safe(response, (name, method))
            assert "Cache-Control" in response, (name, method)
            if ACCESS[name] == "session":
                _assert_not_stored(response, (name, method))


def test_headers__nobody_signed_in__all_of_them(world):
    for name in URLS:
        response = call(world, Client(), name, "GET")
        _assert_safe(response, name)
        _assert_not_stored(response, name)


def _broken(request):
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("address", "sent", "status"),
    [
        ("/nothing/here", {}, 404),
        ("/api/v1/nothing", {}, 404),
        ("/healthz", {"Host": "elsewhere.example"}, 400),
        ("/requests?after=x", {}, 302),
        ("/static/nothing.css", {}, 404),
    ],
)
def test_headers__refused__all_of_them(address, sent, status):
    response = Client(raise_request_exception=False).get(address, headers=sent)
    assert response.status_code == status
    _assert_safe(response, address)
    _assert_not_stored(response, address)


def test_headers__our_own_fault__all_of_them(monkeypatch):
    monkeypatch.setattr("accounts.views._login_page", lambda *_arguments, **_named: _broken(None))
    response = Client(raise_request_exception=False).get("/login")
    assert response.status_code == 500
    _assert_safe(response, "500")
    _assert_not_stored(response, "500")


def test_headers__static_files__all_of_them_and_kept_for_ever():
    from django.templatetags.static import static

    response = Client().get(static("dist/portal.js"))
    assert response.status_code == 200
    _assert_safe(response, "static")
    assert "immutable" in response["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in response


@override_settings(SECURE_HSTS_SECONDS=31536000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
@pytest.mark.parametrize("address", ["/healthz", "/login", "/api/v1/me", "/nothing", "/static/nothing.css"])
def test_headers__by_https__strict_transport_security(address):
    response = Client(raise_request_exception=False).get(address, secure=True)
    assert response["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")


def test_cookies__after_a_login__closed_to_scripts_and_other_sites(world):
    client = world.person("dev")
    response = client.get(reverse("tokens"))
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"] and session["samesite"] == "Lax" and session["path"] == "/" and not session["domain"]
    csrf = response.cookies[settings.CSRF_COOKIE_NAME]
    assert csrf["httponly"] and csrf["samesite"] == "Lax" and not csrf["domain"]
