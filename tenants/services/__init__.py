"""Use cases of tenants and projects, one file each."""

from tenants.services.projects import create_project
from tenants.services.tenants import create_tenant

__all__ = ["create_project", "create_tenant"]
