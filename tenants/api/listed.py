"""Lists as plain values: what the serializers of tenants.serializers make of each row, at a fraction of their time.

A test holds each to its serializer, which is what the API document shows.
"""

from collections.abc import Iterable
from typing import Any

from clusters import words
from tenants.models import Project, Tenant
from web.moments import iso

Row = dict[str, Any]


def projects(page: Iterable[Project]) -> list[Row]:
    """The projects of queries.as_lines."""
    return [_project(found) for found in page]


def tenants(page: Iterable[Tenant]) -> list[Row]:
    """Code and names."""
    return [{"code": one.code, "name_zh": one.name_zh, "name_en": one.name_en} for one in page]


def _project(found: Project) -> Row:
    return {
        "uid": str(found.uid),
        "namespace": found.namespace,
        "display_name": found.display_name,
        "tenant": found.tenant.code,
        "environment": found.environment,
        "cluster": found.bundle.cluster.name,
        "owner": found.owner.username,
        "cost_centre": found.cost_centre,
        "size": found.size,
        "isolation": found.isolation,
        "adopted": found.adopted,
        "cpu_millicores": found.cpu_millicores,
        "memory_bytes": found.memory_bytes,
        "storage_bytes": found.storage_bytes,
        "pods": found.pods,
        "state": words.state_of(found.bundle),
        "created_at": iso(found.created_at),
    }
