"""Who may reach which address at all, by URL name; what they then see is each room's queries and permissions.

public: anybody. session: whoever is signed in. api: DRF's authentication and scopes. A name that is missing here is
refused, and a test says so.
"""

from typing import Literal

Access = Literal["public", "session", "api"]

ACCESS: dict[str, Access] = {
    "healthz": "public",
    "readyz": "public",
    "login": "public",
    "preferences": "public",
    "logout": "session",
    "home": "session",
    "home-requests": "session",
    "home-projects": "session",
    "tokens": "session",
    "token-revoke": "session",
    "requests": "session",
    "requests-mine": "session",
    "request-new": "session",
    "request-approval": "session",
    "request-namespace": "session",
    "request-detail": "session",
    "request-timeline": "session",
    "request-objects": "session",
    "request-decide": "session",
    "request-withdraw": "session",
    "inbox": "session",
    "projects": "session",
    "project-detail": "session",
    "project-state": "session",
    "api-schema": "api",
    "api-me": "api",
    "api-tokens": "api",
    "api-token": "api",
    "api-requests": "api",
    "api-request": "api",
    "api-request-plan": "api",
    "api-request-decision": "api",
    "api-request-withdrawal": "api",
    "api-projects": "api",
    "api-project": "api",
    "api-tenants": "api",
}
