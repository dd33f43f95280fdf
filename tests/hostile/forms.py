"""Forms as a browser would post them."""

from typing import Any

from tests.builders import as_form, wish
from tests.hostile.rest import ARABIC, MEGABYTE, NOBODY
from tests.portal.problems import BIDI, NUL

Row = tuple[str, str, dict[str, str], int, str]
LONG = "x" * 5000
MARKUP = '"><script>alert(1)</script>'
CEL_LOOP = "[1,2].all(a, [1,2].all(b, a > b))"


def project(sentence: str, **changes: Any) -> Row:
    return ("dev", "/requests/new/new-project", as_form(wish(**changes)), 422, sentence)


def quota(who: str, sentence: str, **changes: str) -> Row:
    figures = {"project": "{project}", "cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": "20"}
    return (who, "/requests/new/change-quota", figures | changes, 422, sentence)


def tenant(sentence: str, **changes: str) -> Row:
    # Whoever may ask for one: tests of other kinds of request show who that is.
    values = {"code": "hostile", "name_zh": "租户", "name_en": "Tenant"} | changes
    return ("dev", "/requests/new/new-tenant", values, 422, sentence)


def policy(sentence: str, **changes: str) -> Row:
    names = {"action": "create", "slug": "hostile", "name_zh": "策略", "name_en": "Policy", "priority": "555"}
    step = {"steps-0-group": "platform", "steps-0-minimum": "1", "steps-0-deadline": "2", "steps-0-unit": "days"}
    changes = {name.replace("__", "-"): value for name, value in changes.items()}
    return ("admin", "/policies/new", names | step | changes, 422, sentence)


def cluster(sentence: str, **changes: str) -> Row:
    known = {"name": "hostile", "driver": "kubernetes", "flavour": "kubernetes", "environments": "dev", "token": "t"}
    return ("admin", "/clusters/new", known | {"address": "https://203.0.113.7:6443"} | changes, 422, sentence)


def capacity(sentence: str, **changes: str) -> Row:
    stated = {"source": "stated", "cpu_overcommit": "1", "memory_overcommit": "1"}
    return ("admin", "/clusters/gitops/capacity", stated | changes, 422, sentence)


def token(sentence: str, **changes: str) -> Row:
    return ("dev", "/account/tokens", {"name": "x", "scopes": "read", "days": "30"} | changes, 422, sentence)


# (who, path, fields, status, what the page says)
FORMS: list[Row] = [
    project("is not a quantity", cpu=ARABIC),
    project("is not a quantity", memory="NaN"),
    project("is not a quantity", storage="1e9999"),
    project("is not a quantity", cpu="1_000"),
    project("At most 24 characters", memory="9" * 300),
    project("wrong type", pods="1e3"),
    project("wrong type", pods=ARABIC),
    project("Small letters", name=NUL),
    project("Small letters", name="../../etc"),
    project("Small letters", name=MARKUP),
    project("At most 40 characters", name="a" * 41),
    project("cannot be shown", display_name=BIDI),
    project("cannot be shown", reason=NUL),
    project("At most 1000 characters", reason=LONG),
    project("may not ask", tenant="motor"),
    project("letters, digits", developers=["admin)(uid=*"]),
    project("not in the directory", viewers=["nobody-at-all"]),
    ("dev", "/requests/new/new-project", {"tenant": "claims", "name": "x"}, 422, "needed"),
    ("dev", "/requests/new/new-project", {}, 422, "needed"),
    (
        "dev",
        "/requests/new/new-project",
        {"environments.moon": "on"} | as_form(wish(environments=[])),
        422,
        "at least one",
    ),
    ("guest", "/requests/new/new-project", as_form(wish()), 403, "may not ask"),
    ("dev", "/requests/new/new-project", {"name": MEGABYTE}, 413, "too large"),
    quota("dev", "is not a quantity", cpu="-1"),
    quota("dev", "is not a quantity", memory=ARABIC),
    quota("dev", "At least 1", pods="0"),
    quota("dev", "There is no such project", project=NOBODY),
    quota("dev", "not written as it should", project="1 OR 1=1"),
    quota("stranger", "There is no such project"),
    tenant("small letters and digits", code="Claims"),
    tenant("already", code="claims"),
    tenant("cannot be shown", name_zh=BIDI),
    tenant("At most 80 characters", name_en=LONG),
    tenant("letters, digits", owners="*"),
    tenant("not in the directory", owner_groups="cn=*,dc=x"),
    ("owner", "/requests/new/tenant-quota", {"tenant": "motor", "cpu": "1"}, 422, "may not ask"),
    ("owner", "/requests/new/tenant-quota", {"tenant": "claims", "cpu": "NaN"}, 422, "is not a quantity"),
    ("dev", "/requests/new/change-members", {"project": NOBODY}, 422, "There is no such project"),
    ("dev", "/requests/new/change-members", {"project": "{project}", "viewers": NUL}, 422, "letters, digits"),
    ("owner", "/requests/new/delete-project", {"project": "{project}", "confirm": "claims"}, 422, "not the name"),
    ("owner", "/requests/new/delete-project", {"project": "{project}", "confirm": BIDI}, 422, "cannot be shown"),
    ("admin", "/requests/new/adopt-namespaces", {"cluster": "moon", "selector": "a=b"}, 422, "no such cluster"),
    ("dev", "/requests/new/adopt-namespaces", {"cluster": "gitops", "selector": "a=b"}, 403, "may not ask"),
    ("dev", "/requests/new/moon", {}, 404, "not"),
    ("dev", "/requests/{number}/edit", as_form(wish(memory="1e9999")), 422, "is not a quantity"),
    ("dev", "/requests/{number}/edit", as_form(wish(name=BIDI)), 422, "Small letters"),
    ("owner", "/requests/{number}/edit", as_form(wish()), 403, "Only who asked"),
    ("stranger", "/requests/{number}/edit", as_form(wish()), 404, "not"),
    ("dev", "/requests/{number}/comments", {"text": BIDI}, 422, "cannot be shown"),
    ("dev", "/requests/{number}/comments", {"text": NUL}, 422, "cannot be shown"),
    ("dev", "/requests/{number}/comments", {"text": " "}, 422, ""),
    ("dev", "/requests/{number}/comments", {"text": LONG}, 422, "2000"),
    ("auditor", "/requests/{number}/comments", {"text": "Hello"}, 403, "leave no trace"),
    ("platform", "/requests/{number}/decision", {"verdict": "send_back", "note": " "}, 422, "say why"),
    ("platform", "/requests/{number}/decision", {"verdict": "maybe"}, 422, "choose"),
    ("platform", "/requests/{number}/decision", {"verdict": "reject", "note": LONG}, 422, "2000"),
    ("platform", "/requests/{number}/decision", {"verdict": "reject", "note": NUL}, 422, "cannot be shown"),
    ("platform", "/requests/{number}/decision", {"verdict": "approve", "plan_digest": "0" * 64}, 409, "changed"),
    ("dev", "/requests/{number}/decision", {"verdict": "approve"}, 403, "another group"),
    ("stranger", "/requests/{number}/decision", {"verdict": "approve"}, 404, "not"),
    ("platform", "/requests/{number}/withdrawal", {}, 403, "asked"),
    ("platform", "/inbox/decisions", {"verdict": "approve"}, 422, "choose"),
    ("platform", "/inbox/decisions", {"verdict": "approve", "request": "x:y"}, 422, ""),
    ("platform", "/inbox/decisions", {"verdict": "approve", "request": f"{'9' * 400}:0"}, 422, ""),
    ("platform", "/delegations", {"to": "*", "starts_at": "x", "ends_at": "y"}, 422, ""),
    ("platform", "/delegations", {"to": "owner", "ends_at": "9999-12-31T23:59"}, 422, "92 days"),
    ("platform", "/delegations", {"to": NUL, "ends_at": "2099-01-01T00:00"}, 422, ""),
    ("dev", "/delegations", {"to": "owner", "ends_at": "2099-01-01T00:00"}, 403, "Only people who decide"),
    policy("cannot be applied", condition='delta.cpu > "8"'),
    policy("no loops", condition=CEL_LOOP),
    policy("nested too deeply", condition="(" * 1990 + "true"),
    policy("cannot be shown", condition=NUL),
    policy("At most 2000 characters", condition="x" * 2001),
    policy("At least 1", priority="0"),
    policy("wrong type", priority="9" * 30),
    policy("At most 9999", priority="99999"),
    policy("wrong type", priority=ARABIC),
    policy("no such approver group", steps__0__group="moon"),
    policy("", slug="../x"),
    ("dev", "/policies/new", {"action": "create"}, 403, ""),
    cluster("", address="http://203.0.113.7"),
    cluster("", address="https://user:pw@203.0.113.7"),
    cluster("", address="https://169.254.169.254"),
    cluster("", address="https://[::ffff:169.254.169.254]"),
    cluster("", address="file:///etc/passwd"),
    cluster("", address=NUL),
    cluster("", name="../x"),
    cluster("", name="new"),
    cluster("", ca="-----BEGIN CERTIFICATE-----\nx"),
    cluster("", kubeconfig="&a [*a]"),
    cluster("", kubeconfig="users: [{user: {exec: {command: sh}}}]"),
    cluster("", environments="moon"),
    ("dev", "/clusters/new", {"name": "x"}, 403, ""),
    capacity("is not a quantity", cpu="NaN"),
    capacity("", memory_overcommit="-1"),
    capacity("", cpu_overcommit="1e9"),
    capacity("", pods=ARABIC),
    ("dev", "/clusters/gitops/capacity", {"source": "stated"}, 403, "administrators"),
    token("", days="366"),
    token("", days="NaN"),
    token("", scopes="admin"),
    token("", name="n" * 81),
    token("", name=NUL),
]
