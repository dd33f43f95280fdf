"""Policies: what they are as plain data, who may change them, writing an approved change, and those of the start."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from web.errors import Forbidden
from workflow.models import Policy

DEADLINE_HOURS = 10 * 24
# What people decide about when a policy is changed; all of a row but its name and the two flags.
DEFINED = ("name_zh", "name_en", "kind", "condition", "priority", "steps")


def may_change(user: User) -> bool:
    """Whether the person could ask for a change of a policy: administrators, and their service accounts while both
    of them are one."""
    return user.is_administrator and (user.owner is None or user.owner.is_administrator)


def check_change(by: User) -> None:
    """Raises Forbidden unless `may_change`."""
    if not may_change(by):
        raise Forbidden(_("Only administrators of the platform can change policies."))


def definition_of(policy: Policy) -> dict[str, Any]:
    """The policy as plain data, the fields of DEFINED."""
    return {name: getattr(policy, name) for name in DEFINED}


def defined_by(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the policy is after the change (values of the kind "change-policy"); None once it is retired."""
    if values["action"] == "retire":
        return None
    return {name: values[name] for name in DEFINED}


@transaction.atomic
def write_policy(
    *, slug: str, definition: Mapping[str, Any] | None, request: int, by: User | None, at: datetime
) -> None:
    """Makes the policy what an approved request (its number) says, and active; None retires it, and the row stays for
    the requests that refer to it. Called in the transaction of the approval, which has checked the right."""
    row = Policy.objects.select_for_update().filter(slug=slug).first()
    before = definition_of(row) if row is not None and row.is_active else None
    row = row or Policy(slug=slug)
    for name, value in (definition or {}).items():
        setattr(row, name, value)
    row.is_active = definition is not None
    row.save()
    audit.record(
        actor=by,
        action="policy." + ("retire" if definition is None else "create" if before is None else "change"),
        subject=f"policy:{slug}",
        before=before,
        after={"request": request, **(definition or {})},
        at=at,
    )


def one_of(group: str) -> dict[str, Any]:
    """A step that one person of the group decides within ten days."""
    return {"group": group, "minimum": 1, "deadline_hours": DEADLINE_HOURS}


def _seed(slug: str, zh: str, en: str, kind: str, condition: str, priority: int, *groups: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "name_zh": zh,
        "name_en": en,
        "kind": kind,
        "condition": condition,
        "priority": priority,
        "steps": [one_of(group) for group in groups],
    }


_LOWERED = "delta.cpu <= 0 && delta.memory <= 0 && delta.storage <= 0 && delta.pods <= 0"
_A_LITTLE = "delta.cpu <= 4000 && delta.memory <= 8589934592 && delta.storage <= 53687091200 && delta.pods <= 40"
# The first and the last are the portal's own safeguards and cannot be changed.
FIXED = ("policies", "otherwise")
SEEDED: tuple[dict[str, Any], ...] = (
    _seed("policies", "策略变更由另一位管理员审批", "Another administrator decides about policies",
          "change-policy", "", 0, "administrators"),
    _seed("dev", "开发环境自动批准", "Development approves by itself", "new-project", 'environment == "dev"', 100),
    _seed("prod", "生产环境由数据中心和安全组审批", "Production is decided by the data centre and security",
          "new-project", 'environment == "prod"', 110, "datacenter", "security"),
    _seed("less", "减少配额自动批准", "Less quota approves by itself", "change-quota", _LOWERED, 200),
    _seed("dev-quota", "开发环境小幅增加配额自动批准", "A little more for development approves by itself",
          "change-quota", f'environment == "dev" && {_A_LITTLE}', 210),
    _seed("prod-quota", "生产配额由数据中心审批", "Quota of production is decided by the data centre",
          "change-quota", 'environment == "prod"', 220, "datacenter"),
    _seed("owner-members", "租户负责人调整非生产成员自动批准", "Owners of a tenant choose who works outside production",
          "change-members", 'environment != "prod" && asker.is_tenant_owner', 300),
    _seed("prod-members", "生产成员由安全组审批", "Members in production are decided by security",
          "change-members", 'environment == "prod"', 310, "security"),
    # It may bring back quota as well as people, so it takes those who decide about either.
    _seed("prod-rollback", "生产项目回退由数据中心和安全组审批",
          "Going back in production is decided by the data centre and security",
          "rollback-project", 'environment == "prod"', 320, "datacenter", "security"),
    _seed("budget", "租户配额由数据中心审批", "A tenant's quota is decided by the data centre",
          "tenant-quota", "", 400, "datacenter"),
    _seed("otherwise", "其余由平台组审批", "All else is decided by the platform group", "", "", 10_000, "platform"),
)  # fmt: skip


@transaction.atomic
def seed_policies(*, at: datetime) -> int:
    """Creates the first policies where there are none at all; answers how many it made."""
    if Policy.objects.exists():
        return 0
    for fields in SEEDED:
        Policy.objects.create(**fields, is_fixed=fields["slug"] in FIXED)
        audit.record(
            actor=None,
            action="policy.create",
            subject=f"policy:{fields['slug']}",
            after={name: fields[name] for name in ("kind", "condition", "priority", "steps")},
            at=at,
        )
    return len(SEEDED)
