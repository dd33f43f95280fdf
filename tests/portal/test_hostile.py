"""Hostile values and bodies, by form and by REST: refused naming the field, never a 5xx, nothing written."""

import pytest

from tests.builders import OF_ENVIRONMENT, as_form, wish
from tests.portal.problems import BIDI, EMOJI, NO_QUANTITIES, NUL, assert_problem, label, post

pytestmark = pytest.mark.django_db

# (field, value, pointer, part of the sentence) of values that only REST can send, or that REST and the form can.
QUANTITIES = [*NO_QUANTITIES, "1e-30", "9" * 20, "1e99", BIDI]
FIELDS = [
    *[("cpu", text, "/cpu", "") for text in QUANTITIES],
    *[("memory", text, "/memory", "") for text in QUANTITIES],
    ("storage", "1e9999", "/storage", "is not a quantity"),
    ("memory", "9" * 300, "/memory", "At most 24 characters"),
    ("memory", "1", "/memory", "too little"),
    ("cpu", "1m", "/cpu", "too little"),
    ("name", "../etc", "/name", "Small letters"),
    ("name", "Imaging", "/name", "Small letters"),
    ("name", "-imaging", "/name", "Small letters"),
    ("name", "imaging-", "/name", "Small letters"),
    ("name", "1imaging", "/name", "Small letters"),
    ("name", "a" * 64, "/name", "At most 40 characters"),
    ("name", NUL, "/name", "Small letters"),
    ("name", EMOJI, "/name", "Small letters"),
    ("name", "' OR 1=1 --", "/name", "Small letters"),
    ("display_name", NUL, "/display_name", "cannot be shown"),
    ("display_name", BIDI, "/display_name", "cannot be shown"),
    ("display_name", "two\nlines", "/display_name", "cannot be shown"),
    ("display_name", "n" * 81, "/display_name", "At most 80 characters"),
    ("reason", NUL, "/reason", "cannot be shown"),
    ("reason", "r" * 1001, "/reason", "At most 1000 characters"),
    ("cost_centre", "a\tb", "/cost_centre", "cannot be shown"),
    ("tenant", "motor", "/tenant", "may not ask"),
    ("tenant", "nobody", "/tenant", "may not ask"),
    ("tenant", NUL, "/tenant", ""),
    ("tenant", "../claims", "/tenant", ""),
    ("environment", "moon", "/environment", "not one of the choices"),
    ("environment", NUL, "/environment", "not one of the choices"),
    ("cluster", "elsewhere", "/cluster", "does not take this"),
    ("cluster", NUL, "/cluster", "cannot be shown"),
    ("pods", 0, "/pods", "At least 1"),
    ("pods", -1, "/pods", "At least 1"),
    ("pods", 1001, "/pods", "At most 1000"),
    ("pods", "1e3", "/pods", "wrong type"),
    ("pods", "٣", "/pods", "wrong type"),
    ("pods", "9" * 400, "/pods", "wrong type"),
    ("developers", ["*"], "/developers/0", "letters, digits"),
    ("developers", ["nobody-at-all"], "/developers/0", "not in the directory"),
    ("viewers", ["admin)(uid=*"], "/viewers/0", "letters, digits"),
    ("viewers", ["dev", "dev"], "/viewers", "there twice"),
    ("developers", [f"person{n}" for n in range(101)], "/developers", "At most 100 entries"),
]
# A form has a row for each environment there is, and sends no other.
OF_FORM = [row for row in FIELDS if row[0] != "environment"]
REST_FIELDS = [
    ("cpu", "1Gi ", "/cpu", "is not a quantity"),
    ("cpu", "", "/cpu", "Choose a size"),
    ("cpu", 2, "/cpu", "wrong type"),
    ("cpu", ["2"], "/cpu", "wrong type"),
    ("cpu", {"requests": "2"}, "/cpu", "wrong type"),
    ("cpu", None, "/cpu", "wrong type"),
    ("cpu", True, "/cpu", "wrong type"),
    ("pods", 20.5, "/pods", "wrong type"),
    ("pods", True, "/pods", "wrong type"),
    ("pods", None, "/pods", "wrong type"),
    ("pods", 10**300, "/pods", "At most 1000"),
    ("name", "imaging\n", "/name", ""),
    ("name", None, "/name", "wrong type"),
    ("name", {"$ne": ""}, "/name", "wrong type"),
    ("tenant", "claims\n", "/tenant", ""),
    ("display_name", "   ", "/display_name", "needed"),
    ("display_name", "\u2028", "/display_name", ""),
    ("developers", "dev", "/developers", "wrong type"),
    ("developers", [["dev"]], "/developers/0", "wrong type"),
    ("developers", [None], "/developers/0", "wrong type"),
    ("developers", ["guest\n"], "/developers/0", ""),
    ("developer_groups", ["not a dn"], "/developer_groups/0", "not in the directory"),
    ("developer_groups", [""], "/developer_groups/0", "not in the directory"),
    ("developer_groups", [NUL], "/developer_groups/0", "cannot be shown"),
    ("developer_groups", ["cn=*,ou=groups,dc=insurer,dc=example"], "/developer_groups/0", "not in the directory"),
    ("developer_groups", ["cn=claims-team,dc=elsewhere"], "/developer_groups/0", "not in the directory"),
    ("privileged", True, "/privileged", "no such field"),
    ("a/b~c", 1, "/a~1b~0c", "no such field"),
    (NUL, 1, "/a\x00b", "no such field"),
    ("__proto__", {}, "/__proto__", "no such field"),
]


@pytest.mark.parametrize(("field", "value", "pointer", "sentence"), FIELDS + REST_FIELDS, ids=label)
@pytest.mark.usefixtures("directory", "untouched")
def test_rest__hostile_value__422_with_its_pointer(world, field, value, pointer, sentence):
    response = post(world, "requests", {"kind": "new-project", "values": wish(**{field: value})})
    assert_problem(response, 422, f"/environments/0{pointer}" if field in OF_ENVIRONMENT else pointer, sentence)


@pytest.mark.parametrize(("field", "value", "pointer", "sentence"), OF_FORM, ids=label)
@pytest.mark.usefixtures("directory", "untouched")
def test_form__hostile_value__form_again_with_the_field_marked(world, field, value, pointer, sentence):
    client = world.person("dev")
    client.raise_request_exception = False
    response = client.post("/requests/new/new-project", as_form(wish(**{field: value})))
    page = response.content.decode()
    assert response.status_code == 422, page[:500]
    name = pointer.split("/")[1]
    if field in OF_ENVIRONMENT:
        name = f"environments.test.{name}"
    assert f'id="id_{name}-error"' in page
    assert sentence in page
    assert 'aria-invalid="true"' in page or name in ("developers", "viewers")


@pytest.mark.usefixtures("directory")
def test_rest__what_only_looks_odd__is_taken_in_one_spelling(world):
    odd = {
        "pods": 20.0,
        "developers": ["Owner", "AUDITOR", "auditor"],
        "viewers": ["owner"],
        "display_name": f"影像 {EMOJI}",
    }
    response = post(world, "requests", {"kind": "new-project", "values": wish(**odd)})
    assert response.status_code == 201, response.content
    values = response.json()["values"]
    pods = values["environments"][0]["pods"]
    assert (pods, values["developers"]) == (20, ["owner", "auditor"])
    assert isinstance(pods, int)


BODIES = [
    (b"", 422, "/kind", "required"),
    (b"{", 400, None, "not JSON"),
    (b'{"kind": "new-project", "values": NaN}', 400, None, "not JSON"),
    (b'{"kind": "new-project", "values": {"pods": 1e999}}', 422, "/values", "valid JSON"),
    (b'{"kind": "\xff\xfe"}', 400, None, "not JSON"),
    (b'\xef\xbb\xbf{"kind": "new-project"}', 400, None, "not JSON"),
    (b'{"kind": "\\ud800", "values": {}}', 400, None, "not JSON"),
    (b'{"kind": "new-project", "values": {"\\ud800": 1}}', 400, None, "not JSON"),
    (b"[" * 100_000, 400, None, "not JSON"),
    (b'{"kind": "new-project", "values": ' + b'{"a":' * 900 + b"1" + b"}" * 901, 400, None, "not JSON"),
    (b'{"kind": "new-project", "values": {"pods": ' + b"9" * 5000 + b"}}", 400, None, "not JSON"),
    (b'"' + b"a" * 2 * 1024**2 + b'"', 413, None, "larger than"),
    (b"[]", 422, "", "dictionary"),
    (b"null", 422, "", "No data"),
    (b'"new-project"', 422, "", "dictionary"),
    (b'{"kind": "new-project", "values": []}', 422, "", "Expected an object"),
    (b'{"kind": "new-project", "values": null}', 422, "/values", "null"),
    (b'{"kind": "new-project"}', 422, "/values", "required"),
    (b'{"kind": ["new-project"], "values": {}}', 422, "/kind", "wrong type"),
    (b'{"kind": "new/planet", "values": {}}', 422, "/kind", "slug"),
    (b'{"kind": "new-planet", "values": {}}', 404, None, "no such kind"),
    (b'{"kind": "new-project", "values": {}}', 422, "/tenant", "needed"),
]


@pytest.mark.parametrize(("body", "status", "pointer", "sentence"), BODIES, ids=label)
@pytest.mark.usefixtures("untouched")
def test_rest__hostile_body__problem(world, body, status, pointer, sentence):
    assert_problem(post(world, "requests", body), status, pointer, sentence)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
        ("application/json; charset=rot13", 422),
        ("application/json; charset=utf-16", 422),
        ("application/json; charset=\xff", 422),
        ("", 415),
    ],
)
@pytest.mark.usefixtures("untouched")
def test_rest__content_type__json_in_utf8_whatever_else_it_says(world, content_type, status):
    client = world.program("dev")
    body = b'{"kind": "new-project", "values": {}}'
    assert_problem(client.generic("POST", "/api/v1/requests", body, content_type), status)


DECISIONS = [
    ({"verdict": ["approve"]}, "/verdict"),
    ({"verdict": {"approve": 1}}, "/verdict"),
    ({"verdict": "maybe"}, "/verdict"),
    ({"verdict": None}, "/verdict"),
    ({}, "/verdict"),
    ({"verdict": "reject", "note": "n" * 3000}, "/note"),
    ({"verdict": "reject", "note": NUL}, "/note"),
    ({"verdict": "reject", "note": BIDI}, "/note"),
    ({"verdict": "reject", "note": "  "}, "/note"),
    ({"verdict": "reject", "note": ["no"]}, "/note"),
    ({"verdict": "reject", "note": "No room", "plan_digest": NUL}, "/plan_digest"),
    ({"verdict": "approve", "plan_digest": "d" * 65}, "/plan_digest"),
    ({"verdict": "approve", "plan_digest": 7.5e300}, "/plan_digest"),
]


@pytest.mark.parametrize(("body", "pointer"), DECISIONS[:-1], ids=label)
@pytest.mark.usefixtures("untouched")
def test_decision__hostile__422_with_its_pointer(world, body, pointer):
    assert_problem(post(world, f"requests/{world.request.number}/decision", body, "platform"), 422, pointer)


@pytest.mark.parametrize(
    "body", [body for body, _ in DECISIONS if "plan_digest" not in body and body.get("note") != ["no"]], ids=label
)
@pytest.mark.usefixtures("untouched")
def test_decision_form__hostile__page_again_with_a_sentence(world, body):
    client = world.person("platform")
    client.raise_request_exception = False
    typed = {name: value or "" for name, value in body.items() if not isinstance(value, dict)}
    response = client.post(f"/requests/{world.request.number}/decision", typed)
    if typed.get("verdict") == ["approve"]:
        # A list of one is how a form sends one value; without the digest of the plan it decides nothing.
        assert response.status_code == 409
        return
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


@pytest.mark.parametrize("digest", [NUL, "d" * 65, "0" * 64, BIDI, ""], ids=label)
@pytest.mark.usefixtures("untouched")
def test_decision_form__digest_of_no_plan__nothing_is_decided(world, digest):
    client = world.person("platform")
    client.raise_request_exception = False
    typed = {"verdict": "approve", "plan_digest": digest}
    response = client.post(f"/requests/{world.request.number}/decision", typed)
    assert response.status_code in (409, 422)


TOKENS = [
    ({"name": NUL, "scopes": ["read"]}, "/name"),
    ({"name": "", "scopes": ["read"]}, "/name"),
    ({"name": "n" * 81, "scopes": ["read"]}, "/name"),
    ({"name": ["n"], "scopes": ["read"]}, "/name"),
    ({"name": "n", "scopes": []}, "/scopes"),
    ({"name": "n", "scopes": "read"}, "/scopes"),
    ({"name": "n", "scopes": ["everything"]}, "/scopes/0"),
    ({"name": "n", "scopes": [["read"]]}, "/scopes/0"),
    ({"name": "n", "scopes": ["read"] * 50}, "/scopes"),
    ({"name": "n", "scopes": ["read"], "days": 0}, "/days"),
    ({"name": "n", "scopes": ["read"], "days": 10**30}, "/days"),
    ({"name": "n", "scopes": ["read"], "days": 1.5}, "/days"),
    ({"name": "n", "scopes": ["read"], "days": [30]}, "/days"),
]


@pytest.mark.parametrize(("body", "pointer"), TOKENS, ids=label)
@pytest.mark.usefixtures("untouched")
def test_tokens__hostile__422_with_its_pointer(world, body, pointer):
    assert_problem(post(world, "tokens", body), 422, pointer)
