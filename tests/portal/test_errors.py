"""Errors in words, with the id that leads to the log; headers; and what the deployment check says."""

import json
import logging
import os
import re
import secrets
import subprocess
import sys

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from portal import errors
from portal.access import ACCESS
from script.local import ROOT, variables
from tests.builders import wish
from tests.portal.test_settings import OWN_SECRETS
from tests.portal.walk import HIDDEN, URLS, call
from web.request_id import request_id

pytestmark = pytest.mark.django_db

CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", re.I)
GENERATED = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429, 500, 503])
def test_error_page__every_status__says_what_why_and_what_to_do(status, language):
    request_id.set("0123456789abcdef")
    with translation.override(language):
        title, cause, todo = errors._words(status)
        response = errors.error_page(RequestFactory().get("/"), status)
    page = response.content.decode()
    assert response.status_code == status
    assert all(text and text in page for text in (title, cause, todo)), page
    assert "<code>0123456789abcdef</code>" in page
    assert f'lang="{language}"' in page
    if language == "zh-hans":
        assert all(re.search("[\u4e00-\u9fff]", text) for text in (title, cause, todo)), "not translated"


@pytest.mark.parametrize("language", ["zh-CN,zh;q=0.9", "en-US,en;q=0.5"])
@pytest.mark.parametrize(
    ("who", "method", "address", "status"),
    [
        ("guest", "post", "/requests/{number}/withdrawal", 403),
        ("stranger", "get", "/requests/{number}", 404),
        ("dev", "get", "/nothing/here", 404),
        ("dev", "get", "/requests?after=x", 422),
        ("dev", "post", "/requests/{closed}/withdrawal", 409),
    ],
)
def test_pages__refused__error_page_with_the_answers_own_id(world, who, method, address, status, language):
    closed = world.project.bundle.outcomes.get().request.number
    client = world.person(who)
    headers = {"Accept-Language": language}
    response = getattr(client, method)(address.format(number=world.request.number, closed=closed), headers=headers)
    page = response.content.decode()
    assert response.status_code == status
    assert f"<code>{response['X-Request-ID']}</code>" in page
    assert response["Content-Language"] == ("en" if language.startswith("en") else "zh-hans")
    assert bool(re.search("<h1[^>]*>[^<]*[\u4e00-\u9fff]", page)) == language.startswith("zh")
    assert "Traceback" not in page and not [text for text in HIDDEN[1:] if text in page]


def test_api__every_kind_of_refusal__problem_details(world):
    program, number = world.program("dev"), world.request.number
    closed = world.project.bundle.outcomes.get().request.number
    bad = {"kind": "new-project", "values": wish(cpu="many")}
    refusals = {
        401: Client().get("/api/v1/me"),
        403: program.post(f"/api/v1/requests/{number}/decision", {"verdict": "approve"}, "application/json"),
        404: program.get("/api/v1/requests/0"),
        405: program.put("/api/v1/me"),
        406: program.get("/api/v1/me", headers={"Accept": "application/xml"}),
        409: program.post(f"/api/v1/requests/{closed}/withdrawal"),
        415: program.post("/api/v1/requests", "x", "text/plain"),
        422: program.post("/api/v1/requests", bad, "application/json"),
    }
    for status, response in refusals.items():
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        body = response.json()
        assert body["type"].startswith("urn:portal:problem:")
        assert (body["status"], body["instance"]) == (status, f"urn:portal:request:{response['X-Request-ID']}")
        assert body["title"] and body["detail"]
        assert "our side" not in body["title"]
    assert refusals[422].json()["errors"] == [
        {
            "pointer": "/environments/0/cpu",
            "detail": '"many" is not a quantity; write a number with a unit, such as 500m, 1.5 or 8Gi.',
        }
    ]


@pytest.mark.parametrize("given", ["0af7651916cd43dd", "a.b_c-D9" * 8])
@pytest.mark.parametrize("address", ["/healthz", "/api/v1/me", "/nothing/here", "/login"])
def test_request_id__well_formed__kept(given, address):
    assert Client().get(address, headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "has space", "a\nb: c12345", "ünïcödé-1", "<script>1"])
def test_request_id__malformed__a_new_one(given):
    assert GENERATED.fullmatch(Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"])


def test_walk__every_page__exact_csp_and_nothing_inline(world):
    for who in ("dev", "platform"):
        client = world.person(who)
        for name, access in ACCESS.items():
            if access == "api":
                continue
            for method in ("GET", "POST"):
                for extra in ({}, {"HX-Request": "true"}):
                    response = call(world, client, name, method, **extra)
                    assert set(response["Content-Security-Policy"].split("; ")) == CSP, name
                    assert response["X-Frame-Options"] == "DENY"
                    assert response["X-Content-Type-Options"] == "nosniff"
                    found = INLINE.search(response.content.decode())
                    assert found is None, (name, found)
    assert URLS.keys() == ACCESS.keys()


def test_login_page__csp_and_nothing_inline():
    response = Client().get("/login")
    assert set(response["Content-Security-Policy"].split("; ")) == CSP
    assert INLINE.search(response.content.decode()) is None


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_health__well__ok_without_a_session(address):
    response = Client().get(address)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert Client().head(address).status_code == 200
    assert "Set-Cookie" not in response.headers


def _portal_process(script, **changes):
    """Runs Python in a portal of its own: (exit code, standard output, standard error)."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DJANGO_"))}
    given |= {**variables.for_checks(), **OWN_SECRETS, "DJANGO_SETTINGS_MODULE": "portal.settings"} | changes
    given.pop("PORTAL_DEMO")
    done = subprocess.run(script, cwd=ROOT, env=given, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_check__deploy_with_settings_of_production__clean():
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"]
    code, out, said = _portal_process(check, PORTAL_SECRET_KEY=secrets.token_urlsafe(60))
    assert code == 0, said
    assert "no issues" in out


DEAD_DATABASE = """
import json, django
django.setup()
from django.test import Client
client = Client(headers={"Accept-Language": "en", "Host": "cloud.insurer.example"}, raise_request_exception=False)
client.cookies["__Host-session"] = "a" * 32
bare = Client(headers={"Host": "cloud.insurer.example"})
answers = [bare.get("/healthz", secure=True), bare.get("/readyz", secure=True)]
answers += [client.get(path, secure=True) for path in ("/", "/api/v1/me")]
print(json.dumps([[a.status_code, a["X-Request-ID"], a.content.decode()] for a in answers]))
"""


def test_database_gone__pages_and_endpoints__say_so_in_words(settings):
    # Where this run has collected its assets.
    code, out, said = _portal_process([sys.executable, "-c", DEAD_DATABASE], PORTAL_STATIC_ROOT=settings.STATIC_ROOT)
    assert code == 0, said
    health, ready, page, api = json.loads(out)
    assert health[0] == 200
    assert (ready[0], ready[2]) == (503, '{"status": "database unreachable"}')
    assert page[0] == 500
    assert "our side" in page[2] and page[1] in page[2]
    assert api[0] == 500
    assert json.loads(api[2])["instance"].endswith(api[1])
    logged = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {page[1], api[1]} <= {line["request_id"] for line in logged}


def test_logs__one_json_object_a_line__each_with_the_requests_id(world):
    lines = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Kept()
    (installed,) = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    handler.setFormatter(installed.formatter)
    for each in installed.filters:
        handler.addFilter(each)
    logging.getLogger().addHandler(handler)
    try:
        world.person("stranger").get("/requests/1?x=\n{", headers={"X-Request-ID": "id-of-this-call"})
    finally:
        logging.getLogger().removeHandler(handler)
    (line,) = [json.loads(text) for text in lines]
    assert (line["level"], line["logger"], line["request_id"]) == ("WARNING", "django.request", "id-of-this-call")
