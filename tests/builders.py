"""Rows the tests start from, made in one line."""

import itertools
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.services import sync_groups
from clusters.models import Bundle, Cluster
from tenants.models import Membership, Tenant
from tenants.size_plans import seed_size_plans
from workflow.models import Policy
from workflow.services import seed_policies
from workflow.services.policies import one_of

_numbers = itertools.count(1)


def a_tenant(code: str = "claims", **members: str) -> Tenant:
    """A tenant; `members` are role by user name."""
    tenant, _created = Tenant.objects.get_or_create(
        code=code, defaults={"name_zh": code, "name_en": code, "created_at": timezone.now()}
    )
    for username, role in members.items():
        Membership.objects.get_or_create(tenant=tenant, subject=f"user:{username}", defaults={"role": role})
    return tenant


def a_user(username: str, *roles: str, **fields: Any) -> User:
    """A person as after a login."""
    seen = {"roles": list(roles), "roles_seen_at": timezone.now()}
    return User.objects.get_or_create(username=username, defaults=seen | fields)[0]


def a_cluster(name: str = "demo", **fields: Any) -> Cluster:
    """A registered cluster; nothing listens at its address unless the test says so."""
    defaults = {"flavour": "kubernetes", "driver": "kubernetes", "address": "https://127.0.0.1:1", "environments": []}
    return Cluster.objects.get_or_create(name=name, defaults=defaults | fields)[0]


def a_bundle(**fields: Any) -> Bundle:
    """A bundle without revisions."""
    number = next(_numbers)
    defaults: dict[str, Any] = {"owner": f"project:{number}", "namespace": f"claims-a{number}-dev", "lane": "demo"}
    if "cluster" not in fields:
        fields["cluster"] = a_cluster()
    if "tenant" not in fields:
        fields["tenant"] = a_tenant()
    return Bundle.objects.create(**defaults | fields)


def ready_portal() -> None:
    """Approver groups, first policies and sizes, as `manage.py setup` makes them."""
    sync_groups(at=timezone.now())
    seed_policies(at=timezone.now())
    seed_size_plans(at=timezone.now())


# What belongs to one environment of a new project.
OF_ENVIRONMENT = ("environment", "cluster", "size", "cpu", "memory", "storage", "pods")


def wish(**changes: Any) -> dict[str, Any]:
    """Values of a new project of the tenant claims, in the one environment "test" unless `environments` are given."""
    one: dict[str, Any] = {"environment": "test", "cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    one |= {name: changes.pop(name) for name in OF_ENVIRONMENT if name in changes}
    values: dict[str, Any] = {
        "tenant": "claims",
        "name": f"imaging{next(_numbers)}",
        "display_name": "Claims imaging",
        "environments": [one],
    }
    return values | changes


def as_form(values: dict[str, Any]) -> dict[str, str]:
    """Values of a new project as a browser would post them."""
    posted = {}
    for name, value in values.items():
        if name == "environments":
            for one in value:
                row = f"environments.{one['environment']}"
                posted[row] = "on"
                posted |= {f"{row}.{field}": str(text) for field, text in one.items() if field != "environment"}
        else:
            posted[name] = " ".join(value) if isinstance(value, list) else str(value)
    return posted


def decided_by(*groups: str, minimum: int = 1) -> None:
    """From now on these groups, in this order, decide what no other policy is about."""
    steps = [one_of(group) | {"minimum": minimum} for group in groups]
    Policy.objects.filter(slug="otherwise").update(steps=steps)
