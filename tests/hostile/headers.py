"""Headers, cookies, content types and cursors. What stands in braces is filled in: {session} a session's cookie,
{token} a token of the developer's, {number} an open request, {prefix} a token's prefix."""

import json
from dataclasses import dataclass, field
from typing import Any

LONG = "a" * 16_000
ASK = "/api/v1/requests"
# A wish that would be refused for its content alone: whoever reads it as JSON says 422.
EMPTY_WISH = json.dumps({"kind": "new-project", "values": {}}).encode()
UTF_16 = EMPTY_WISH.decode().encode("utf-16")
OWN = f"csrf={'c' * 32}; session={{session}}"
JSON = "application/json"


@dataclass(frozen=True)
class Row:
    """One call: by REST with the token of `who` below /api/, else by the browser of `who`; "" is nobody. `said` stands
    in the answer; `hides` must not."""

    what: str
    who: str
    method: str
    path: str
    headers: dict[str, str]
    status: int
    said: str = ""
    body: bytes = b""
    content_type: str = ""
    hides: tuple[str, ...] = field(default=("Traceback",))


def get(what: str, who: str, path: str, status: int, said: str = "", **headers: str) -> Row:
    return Row(what, who, "GET", path, _named(headers), status, said)


def asks(what: str, status: int, said: str, content_type: str, body: bytes = EMPTY_WISH, **headers: str) -> Row:
    return Row(what, "dev", "POST", ASK, _named(headers), status, said, body, content_type)


def key(what: str, status: int, said: str, value: str) -> Row:
    return asks(what, status, said, "application/json", **{"Idempotency-Key": value})


def edits(what: str, status: int, said: str, **headers: str) -> Row:
    body = json.dumps({"values": {}}).encode()
    return Row(what, "dev", "PUT", "/api/v1/requests/{number}", _named(headers), status, said, body, "application/json")


def posts(what: str, status: int, said: str = "", **headers: str) -> Row:
    """A form by a browser that checks for forged requests."""
    form = "application/x-www-form-urlencoded"
    return Row(what, "dev", "POST", "/preferences", _named(headers), status, said, b"theme=dark", form)


def _named(headers: dict[str, Any]) -> dict[str, str]:
    """Host for host, and X-Real-IP for x_real_ip."""
    return {name.replace("_", "-"): str(value) for name, value in headers.items()}


NOT_OURS = "was not understood"
NO_TOKEN = "not valid, has expired or was revoked"
FORGED = "no longer valid"
HEADERS: list[Row] = [
    # Which portal is meant
    *[
        get(f"host {host[:40]!r}", who, path, 400, NOT_OURS, Host=host)
        for who, path in (("", "/login"), ("dev", "/api/v1/me"))
        for host in (
            "evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "localhost/evil",
            "localhost:port",
            "[::1",
            "::ffff:127.0.0.1",
            "local\x00host",
            "localhost, evil.example",
            "*",
            LONG,
        )
    ],
    get("forwarded host", "dev", "/api/v1/me", 200, '"dev"', X_Forwarded_Host="evil.example"),
    get("forwarded host on a page", "", "/login", 200, X_Forwarded_Host="evil.example"),
    get("forwarded header", "", "/login", 200, Forwarded="for=_x;host=evil.example;proto=https"),
    get("forwarded scheme", "", "/login", 200, X_Forwarded_Proto="https"),
    get("forwarded scheme twice", "", "/login", 200, X_Forwarded_Proto="https, http\x00"),
    get("forwarded port", "", "/login", 200, X_Forwarded_Port="99999999"),
    get("forwarded for markup", "", "/login", 200, X_Forwarded_For="<script>, 127.0.0.1, ::1%eth0"),
    get("forwarded for much", "", "/login", 200, X_Forwarded_For=", ".join(["1.2.3.4"] * 2000)),
    get("real address", "", "/login", 200, X_Real_IP="' OR 1=1 --"),
    get("rewritten address", "", "/login", 200, X_Original_URL="/clusters", X_Rewrite_URL="/api/v1/me"),
    # Another method than the one that is sent
    *[
        Row(f"{name} on a POST", "dev", "POST", "/api/v1/tokens/{prefix}", {name: "DELETE"}, 405)
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    ],
    Row("override in the address", "dev", "POST", "/api/v1/tokens/{prefix}?_method=DELETE", {}, 405),
    get("override on a GET", "dev", "/api/v1/tokens", 200, "[", X_HTTP_Method_Override="POST"),
    Row("TRACE", "dev", "TRACE", "/api/v1/me", {}, 405),
    Row("CONNECT", "dev", "CONNECT", "/api/v1/me", {}, 405),
    Row("a method of one's own", "dev", "FROBNICATE", "/api/v1/me", {}, 405),
    Row("TRACE of a page", "dev", "TRACE", "/requests", {}, 405),
    # What the body is said to be
    asks("a form", 415, "", "application/x-www-form-urlencoded", b"kind=new-project"),
    asks("parts", 415, "", "multipart/form-data; boundary=x", b"--x--"),
    asks("parts without boundary", 415, "", "multipart/form-data", b"--x--"),
    asks("text", 415, "", "text/plain"),
    asks("XML", 415, "", "application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
    asks("XML called JSON", 400, "not JSON", "application/json", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    asks("two types", 415, "", "text/plain, application/json"),
    asks("no type", 415, "", "application"),
    asks("type with NUL", 415, "", "application/json\x00"),
    asks("endless type", 415, "", LONG),
    asks(
        "another character set",
        400,
        "not JSON",
        "application/json; charset=utf-16",
        EMPTY_WISH.decode().encode("utf-16"),
    ),
    asks("character set that is none", 422, "needed", "application/json; charset=../../etc/passwd"),
    asks("packed", 400, "not JSON", "application/json", b"\x1f\x8b\x08\x00\x00", Content_Encoding="gzip"),
    asks("two objects", 400, "not JSON", "application/json", EMPTY_WISH * 2),
    asks("a name twice", 400, "twice", "application/json", b'{"kind": "new-project", "kind": "moon", "values": {}}'),
    asks("a list", 422, "", "application/json", b"[]"),
    asks("a number", 422, "", "application/json", b"1"),
    asks("nothing", 422, "", "application/json", b"null"),
    asks("only blanks", 400, "not JSON", "application/json", b" \n"),
    # Which answer is wanted
    get("XML wanted", "dev", "/api/v1/me", 406, Accept="application/xml"),
    get("half a type wanted", "dev", "/api/v1/me", 406, Accept="application"),
    get("markup wanted", "dev", "/api/v1/me", 406, Accept="<script>alert(1)</script>"),
    get("endless wish", "dev", "/api/v1/me", 406, Accept=LONG),
    get("a part wanted", "dev", "/api/v1/me", 200, Range="bytes=0-1,5-,-0"),
    get("languages that are none", "dev", "/api/v1/me", 200, Accept_Language="*;q=1e9,\x00,../../etc/passwd;q=NaN"),
    get("language with markup", "", "/login", 200, Accept_Language='"><script>alert(1)</script>'),
    get("endless language", "", "/login", 200, Accept_Language="zh-" * 6000),
    get("encodings that are none", "", "/login", 200, Accept_Encoding="gzip;q=NaN, \x00, br;q=-1"),
    # Who is asking
    *[
        Row(f"authorization {what}", "", "GET", "/api/v1/me", {"Authorization": value}, 401, said)
        for what, value, said in [
            ("Basic", "Basic ZGV2OnBvcnRhbC1kZW1v", ""),
            ("Digest", 'Digest username="dev", uri="/"', ""),
            ("Negotiate", "Negotiate YII=", ""),
            ("without token", "Bearer", NO_TOKEN),
            ("blank token", "Bearer  ", NO_TOKEN),
            ("token that is none", "Bearer cp_0_0", NO_TOKEN),
            ("endless token", f"Bearer {LONG}", NO_TOKEN),
            ("token with NUL", "Bearer {token}\x00", NO_TOKEN),
            ("token cut off", "Bearer {token_cut}", NO_TOKEN),
            ("token of other case", "Bearer {token_upper}", NO_TOKEN),
            ("two tokens", "Bearer {token}, Bearer {token}", NO_TOKEN),
            ("a token and more", "Bearer {token} x", NO_TOKEN),
            ("of another script", "Bearer \xff\xfe", NO_TOKEN),
            ("SQL", "Bearer cp_' OR 1=1 --_x", NO_TOKEN),
            ("no scheme", "{token}", ""),
        ]
    ],
    get("token in the address", "", "/api/v1/me?access_token={token}", 401),
    Row("token in a cookie", "", "GET", "/api/v1/me", {"Cookie": "token={token}; Authorization=Bearer {token}"}, 401),
    Row(
        "a bad token beside a session",
        "",
        "GET",
        "/api/v1/me",
        {"Cookie": "session={session}", "Authorization": "Bearer x"},
        401,
    ),
    Row("user by header", "", "GET", "/api/v1/me", {"Remote-User": "admin", "X-Forwarded-User": "admin"}, 401),
    Row("user by header on a page", "", "GET", "/requests", {"Remote-User": "admin", "X-Remote-User": "admin"}, 302),
    # Keys of calls that happen once
    *[
        key(f"key {what}", 422, "printable ASCII", value)
        for what, value in [
            ("empty", ""),
            ("of 201 characters", "k" * 201),
            ("endless", LONG),
            ("with tab", "a\tb"),
            ("with NUL", "a\x00b"),
            ("with line end", "a\r\nSet-Cookie: x=y"),
            ("of another script", "schl\xfcssel"),
        ]
    ],
    get("key on a GET", "dev", "/api/v1/me", 200, '"dev"', Idempotency_Key="\x00"),
    # Which state is meant
    edits("no state", 428, "If-Match"),
    *[
        edits(f"state {value[:20]!r}", 412, "Somebody changed this", If_Match=value)
        for value in ('""', '"', "x", '"x" OR 1=1', 'W/"x"', '"\xff"', LONG, f'"{LONG}"', ",".join(['"x"'] * 4000))
    ],
    get("state known", "dev", "/api/v1/requests/{number}", 200, If_None_Match=f'"x", {LONG}'),
    get("time known", "dev", "/api/v1/requests/{number}", 200, If_Modified_Since="yesterday"),
    # Cookies
    *[
        Row(f"session {what}", "", "GET", "/requests", {"Cookie": f"session={value}"}, 302, "/login")
        for what, value in [
            ("empty", ""),
            ("of somebody's own making", "x" * 32),
            ("one letter off", "{session_off}"),
            ("of other case", "{session_upper}"),
            ("endless", LONG),
            ("with NUL", "{session}\x00"),
            ("quoted with NUL", '"{session}\\000"'),
            ("with SQL", "' OR 1=1 --"),
            ("pickled", "gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAZpZJSFlFKULg=="),
            ("with path", "../../{session}"),
        ]
    ],
    Row(
        "session twice, the second wrong",
        "",
        "GET",
        "/requests",
        {"Cookie": "session={session}; session=x"},
        302,
        "/login",
    ),
    Row("session under another name", "", "GET", "/requests", {"Cookie": "__Host-session={session}"}, 302, "/login"),
    Row("200 cookies", "", "GET", "/login", {"Cookie": "; ".join(f"c{n}=x" for n in range(200))}, 200),
    Row("cookies that are none", "", "GET", "/login", {"Cookie": "=;;=x;\xff=\xfe;a b=c;__proto__=1"}, 200),
    Row("language by cookie", "", "GET", "/login", {"Cookie": "language=../../etc/passwd"}, 200),
    Row("language with markup", "", "GET", "/login", {"Cookie": 'language="><script>alert(1)</script>'}, 200),
    Row("theme with markup", "", "GET", "/login", {"Cookie": 'theme=x" onload="alert(1)'}, 200),
    Row(
        "session without protection, by REST",
        "",
        "POST",
        ASK,
        {"Cookie": "session={session}"},
        403,
        "CSRF",
        EMPTY_WISH,
        "application/json",
    ),
    # Forged requests
    posts("no protection", 403, FORGED),
    posts("protection that is none", 403, FORGED, Cookie="csrf=x; session={session}", X_CSRFToken="x"),
    posts("protection only by cookie", 403, FORGED, Cookie=OWN),
    posts("protection of two minds", 403, FORGED, Cookie=OWN, X_CSRFToken="d" * 32),
    posts("protection without end", 403, FORGED, Cookie=f"csrf={LONG}; session={{session}}", X_CSRFToken=LONG),
    *[
        posts(
            f"from {origin}",
            403,
            FORGED,
            Cookie=f"csrf={'c' * 32}; session={{session}}",
            X_CSRFToken="c" * 32,
            Origin=origin,
        )
        for origin in ("https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81", "\x00")
    ],
    # Cursors
    *[
        get(f"{name}={value[:30]}", "dev", f"/api/v1/{where}?{name}={value}", 422, f'"/{name}"')
        for where in ("requests", "projects", "bundles")
        for name, value in [
            ("after", "-1"),
            ("after", "1e3"),
            ("after", "%00"),
            ("after", "1;DROP%20TABLE"),
            ("after", "%D9%A3"),
            ("after", "9" * 400),
            ("limit", "-1"),
            ("limit", "1.5"),
            ("limit", "NaN"),
            ("limit", "0x10"),
        ]
    ],
    get("after twice", "dev", "/api/v1/requests?after=1&after=2", 422, '"/after"'),
    get("after as a list", "dev", "/api/v1/requests?after[]=1", 422, '"/after[]"'),
    get("a name that is none", "dev", "/api/v1/requests?__proto__=1", 422, '"/__proto__"'),
    get("a choice that is none", "dev", "/api/v1/notifications?sort=moon", 422, '"/sort"'),
    get("an order that is none", "dev", "/api/v1/requests?order=-pk", 422, '"/order"'),
    get("page 0", "platform", "/api/v1/inbox?page=0", 422, '"/page"'),
    get("endless wait", "dev", "/api/v1/requests/{number}?wait=1e9", 422, '"/wait"'),
    get("wait below nothing", "dev", "/api/v1/requests/{number}?wait=-1", 422, '"/wait"'),
    get("wait too long", "dev", "/api/v1/requests/{number}?wait=11", 422, '"/wait"'),
    get("after on a page", "dev", "/requests?after=abc", 422),
    get("after on a page, SQL", "dev", "/projects?after=%27--", 422),
]
