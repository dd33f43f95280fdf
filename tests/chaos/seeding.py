"""Sets up an empty database for a campaign, in a process of its own: reads {"clusters": [fields]} from its input and
answers {user name: API token}."""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.services import issue_token  # noqa: E402
from clusters.services import register_cluster  # noqa: E402
from tests.builders import a_tenant, a_user, ready_portal  # noqa: E402

PEOPLE = {"dev": (), "owner": (), "platform": ("approver:platform",)}


def main() -> None:
    """Migrates and seeds; the fixtures of the campaign start the processes."""
    asked = json.load(sys.stdin)
    call_command("migrate", verbosity=0)
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner")
    now, tokens = timezone.now(), {}
    for fields in asked["clusters"]:
        register_cluster(**fields, by=None, at=now)
    for name, roles in PEOPLE.items():
        user = a_user(name, *roles)
        scopes = ["read", "request", "decide"]
        tokens[name] = issue_token(user=user, name="campaign", scopes=scopes, days=1, by=user, at=now)[1]
    print(json.dumps(tokens))


if __name__ == "__main__":
    main()
