"""Bodies and addresses by REST."""

from typing import Any

from tests.builders import wish
from tests.portal.problems import BIDI, NUL

MEGABYTE = "x" * 1024 * 1024
ARABIC = "\u0663"
NOBODY = "00000000-0000-0000-0000-000000000000"


def asks(who: str, kind: str, values: Any, status: int, pointer: str) -> tuple[str, str, str, Any, int, str]:
    return (who, "POST", "requests", {"kind": kind, "values": values}, status, pointer)


def quota(**changes: Any) -> dict[str, Any]:
    figures = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    return {"project": "{project}"} | figures | changes


def policy(**changes: Any) -> dict[str, Any]:
    values = {
        "action": "create",
        "slug": "hostile",
        "name_zh": "策略",
        "name_en": "Policy",
        "kind": "",
        "priority": 555,
    }
    return values | {"condition": "", "steps": [{"group": "platform", "minimum": 1, "deadline_hours": 24}]} | changes


def capacity(**changes: Any) -> dict[str, Any]:
    return {"source": "stated", "cpu_millicores": 1, "cpu_overcommit": "1", "memory_overcommit": "1"} | changes


def tenant(**changes: Any) -> dict[str, Any]:
    return {"code": "hostile", "name_zh": "租户", "name_en": "Tenant"} | changes


# (who, method, path below /api/v1/, body, status, pointer or code)
REST: list[tuple[str, str, str, Any, int, str]] = [
    # Names and quantities of a new project
    *[
        asks("dev", "new-project", wish(**{field: text}), 422, f"/environments/0/{field}")
        for field, text in [
            ("cpu", "1e9999"),
            ("cpu", "NaN"),
            ("cpu", "-1"),
            ("cpu", "1.5.5"),
            ("cpu", "1_000"),
            ("cpu", ARABIC),
            ("cpu", NUL),
            ("memory", "Infinity"),
            ("memory", BIDI),
            ("memory", "9" * 1000),
            ("storage", "1e99"),
            ("storage", True),
            ("pods", "20"),
            ("pods", 10**400),
            ("size", "huge"),
            ("size", NUL),
            ("environment", "moon"),
            ("cluster", "../other"),
        ]
    ],
    asks("dev", "new-project", wish(name="../../etc"), 422, "/name"),
    asks("dev", "new-project", wish(name=MEGABYTE[:-2000]), 422, "/name"),
    asks("dev", "new-project", wish(name=BIDI), 422, "/name"),
    asks("dev", "new-project", wish(tenant="motor"), 422, "/tenant"),
    asks("dev", "new-project", wish(environments=[]), 422, "/environments"),
    asks("dev", "new-project", wish(environments={"dev": {}}), 422, "/environments"),
    asks("dev", "new-project", wish(environments=[None]), 422, "/environments/0"),
    asks("dev", "new-project", wish(environments=[{}]), 422, "/environments/0/environment"),
    asks("dev", "new-project", wish(environments=wish()["environments"] * 2), 422, "/environments"),
    asks("dev", "new-project", wish(isolation="none"), 422, "/isolation"),
    asks("guest", "new-project", wish(), 403, "forbidden"),
    # Another's project, and figures that are none
    asks("stranger", "change-quota", quota(), 422, "/project"),
    asks("dev", "change-quota", quota(project=NOBODY), 422, "/project"),
    asks("dev", "change-quota", quota(project="1 OR 1=1"), 422, "/project"),
    asks("dev", "change-quota", quota(project=NUL), 422, "/project"),
    asks("dev", "change-quota", quota(cpu="-1"), 422, "/cpu"),
    asks("dev", "change-quota", quota(memory="1e9999"), 422, "/memory"),
    asks("dev", "change-quota", quota(pods=0), 422, "/pods"),
    asks("dev", "change-quota", quota(pods=1.5), 422, "/pods"),
    asks("dev", "change-quota", quota(extra=1), 422, "/extra"),
    # Budgets
    asks("stranger", "tenant-quota", {"tenant": "claims", "cpu": "1"}, 403, "forbidden"),
    asks("owner", "tenant-quota", {"tenant": "motor", "cpu": "1"}, 422, "/tenant"),
    asks("owner", "tenant-quota", {"tenant": "claims", "cpu": "NaN"}, 422, "/cpu"),
    asks("owner", "tenant-quota", {"tenant": "claims", "memory": ARABIC}, 422, "/memory"),
    asks("owner", "tenant-quota", {"tenant": NUL}, 422, "/tenant"),
    # Tenants and members
    asks("dev", "new-tenant", tenant(code="Claims"), 422, "/code"),
    asks("dev", "new-tenant", tenant(code="a-b"), 422, "/code"),
    asks("dev", "new-tenant", tenant(code="claims"), 422, "/code"),
    asks("dev", "new-tenant", tenant(name_zh=BIDI), 422, "/name_zh"),
    asks("dev", "new-tenant", tenant(owners=["*"]), 422, "/owners/0"),
    asks("dev", "new-tenant", tenant(owner_groups=["cn=*,dc=x"]), 422, "/owner_groups/0"),
    asks("dev", "change-tenant-members", {"tenant": "claims", "owners": ["dev"]}, 403, "forbidden"),
    asks("dev", "change-members", {"project": NOBODY}, 422, "/project"),
    asks("dev", "change-members", {"project": "{project}", "viewers": ["admin)(uid=*"]}, 422, "/viewers/0"),
    asks("owner", "delete-project", {"project": "{project}", "confirm": "claims-other-dev"}, 422, "/confirm"),
    asks("dev", "delete-project", {"project": "{project}", "confirm": "{namespace}"}, 403, "forbidden"),
    # Namespaces that exist
    asks("dev", "adopt-namespaces", {"cluster": "gitops", "selector": "a=b"}, 403, "forbidden"),
    asks("admin", "adopt-namespaces", {"cluster": "moon", "selector": "a=b"}, 422, "/cluster"),
    asks("admin", "adopt-namespaces", {"cluster": "gitops", "selector": "a in (b;c"}, 422, "/cluster"),
    asks("admin", "adopt-namespaces", {"cluster": "gitops", "csv": "nonsense"}, 422, "/csv"),
    # Policies
    asks("dev", "change-policy", policy(), 403, "forbidden"),
    asks("admin", "change-policy", policy(condition='delta.cpu > "8"'), 422, "/condition"),
    asks("admin", "change-policy", policy(condition="deltacpu > 8"), 422, "/condition"),
    asks("admin", "change-policy", policy(condition="[1,2].all(a, [1,2].all(b, a > b))"), 422, "/condition"),
    asks("admin", "change-policy", policy(condition="(" * 1990 + "true"), 422, "/condition"),
    asks("admin", "change-policy", policy(condition=NUL), 422, "/condition"),
    asks("admin", "change-policy", policy(condition="x" * 2001), 422, "/condition"),
    asks("admin", "change-policy", policy(priority=0), 422, "/priority"),
    asks("admin", "change-policy", policy(priority=10**30), 422, "/priority"),
    asks(
        "admin",
        "change-policy",
        policy(steps=[{"group": "moon", "minimum": 1, "deadline_hours": 1}]),
        422,
        "/steps/0/group",
    ),
    asks("admin", "change-policy", policy(action="change", slug="otherwise"), 422, "/slug"),
    asks("admin", "change-policy", policy(kind="change-policy"), 422, "/kind"),
    ("admin", "POST", "policies/trial", policy(condition="1 +"), 422, "/condition"),
    ("admin", "POST", "policies/trial", [], 422, ""),
    # Deciding, editing, saying something
    ("platform", "POST", "requests/{number}/decision", {"verdict": "maybe"}, 422, "/verdict"),
    ("platform", "POST", "requests/{number}/decision", {"verdict": "send_back"}, 422, "/note"),
    (
        "platform",
        "POST",
        "requests/{number}/decision",
        {"verdict": "approve", "plan_digest": "0" * 64},
        409,
        "plan-changed",
    ),
    ("dev", "POST", "requests/{number}/decision", {"verdict": "approve"}, 403, "forbidden"),
    ("stranger", "POST", "requests/{number}/decision", {"verdict": "approve"}, 404, "not-found"),
    ("dev", "PUT", "requests/{number}", {"values": []}, 422, ""),
    ("dev", "PUT", "requests/{number}", {"values": {"name": NUL}}, 422, "/name"),
    ("owner", "PUT", "requests/{number}", {"values": {}}, 403, "forbidden"),
    ("stranger", "PUT", "requests/{number}", {"values": {}}, 404, "not-found"),
    ("dev", "POST", "requests/{number}/comments", {"text": MEGABYTE[:-2000]}, 422, "/text"),
    ("dev", "POST", "requests/{number}/comments", {"text": NUL}, 422, "/text"),
    ("dev", "POST", "requests/{number}/comments", {"text": " \n"}, 422, "/text"),
    ("auditor", "POST", "requests/{number}/comments", {"text": "Hello"}, 403, "forbidden"),
    ("platform", "POST", "inbox/decisions", {"verdict": "approve", "requests": []}, 422, "/requests"),
    (
        "platform",
        "POST",
        "inbox/decisions",
        {"verdict": "approve", "requests": [{"number": "x"}]},
        422,
        "/requests/0/number",
    ),
    ("platform", "POST", "delegations", {"to": "*", "ends_at": "2099-01-01"}, 422, "/ends_at"),
    ("platform", "POST", "delegations", {"to": NUL, "ends_at": "2099-01-01T00:00:00Z"}, 422, "/to"),
    ("dev", "POST", "delegations", {"to": "owner", "ends_at": "2099-01-01T00:00:00Z"}, 403, "forbidden"),
    ("dev", "POST", "requests/foresee", {"kind": "moon", "values": {}}, 404, "not-found"),
    # One type of JSON for another
    ("dev", "POST", "tokens", {"name": "x", "scopes": ["read"], "days": "30"}, 422, "/days"),
    ("dev", "POST", "tokens", {"name": 5, "scopes": ["read"]}, 422, "/name"),
    ("dev", "POST", "tokens", {"name": "x", "scopes": [1]}, 422, "/scopes/0"),
    ("dev", "POST", "tokens", {"name": "x", "scopes": "read"}, 422, "/scopes"),
    ("dev", "POST", "tokens", {"name": "x", "scopes": ["read"], "days": True}, 422, "/days"),
    ("dev", "POST", "requests/{number}/comments", {"text": 5}, 422, "/text"),
    ("platform", "POST", "requests/{number}/decision", {"verdict": "reject", "note": True}, 422, "/note"),
    ("platform", "POST", "delegations", {"to": 5, "ends_at": "2099-01-01T00:00:00Z"}, 422, "/to"),
    ("admin", "POST", "clusters/gitops/restore", {"overwrite": [5]}, 422, "/overwrite/0"),
    # Capacity
    ("admin", "PUT", "clusters/gitops/capacity", capacity(cpu_millicores="1e9999"), 422, "/cpu_millicores"),
    ("admin", "PUT", "clusters/gitops/capacity", capacity(cpu_overcommit="NaN"), 422, "/cpu_overcommit"),
    ("dev", "PUT", "clusters/gitops/capacity", {"source": "stated"}, 403, "forbidden"),
    # Addresses
    ("dev", "GET", "requests?after=1e5", None, 422, "/after"),
    ("dev", "GET", "requests?state=moon", None, 422, "/state"),
    ("dev", "GET", "requests?parent=a", None, 422, "/parent"),
    ("platform", "GET", "inbox?page=-1", None, 422, "/page"),
    ("dev", "GET", "requests/99999999999999999999", None, 404, "not-found"),
    ("dev", "GET", "tenants/motor", None, 404, "not-found"),
    ("dev", "GET", "clusters/moon", None, 404, "not-found"),
]
