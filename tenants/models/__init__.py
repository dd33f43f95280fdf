"""Tenants, who belongs to them, their projects, and the ledger of what was promised to whom."""

from tenants.models.ledger import Claim, TenantBudget
from tenants.models.project import Deletion, Project, ProjectMember
from tenants.models.service_account import ServiceAccount
from tenants.models.size_plan import SizePlan
from tenants.models.tenant import Membership, Tenant

__all__ = [
    "Claim",
    "Deletion",
    "Membership",
    "Project",
    "ProjectMember",
    "ServiceAccount",
    "SizePlan",
    "Tenant",
    "TenantBudget",
]
