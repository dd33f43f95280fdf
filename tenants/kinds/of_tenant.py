"""What requests about one existing tenant have in common: finding it, and what the form says it is about."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.models import Cluster
from tenants import queries, rules, tenant_quotas
from tenants.models import Tenant
from workflow.kinds import Piece, Row


def tenant_for(values: Mapping[str, Any], user: User) -> Tenant | None:
    """The tenant that values name, checked or not; None if the person sees none of this code."""
    code = str(values.get("tenant", ""))
    if not re.fullmatch(rules.TENANT_CODE, code):
        return None
    return queries.tenants_visible_to(user).filter(code=code).first()


def about(values: Mapping[str, Any], user: User) -> Row:
    """What Kind.about says of the tenant that values name; {} if the person sees no such tenant."""
    tenant = tenant_for(values, user)
    if tenant is None:
        return {}
    url = reverse("tenant-detail", args=[tenant.code])
    return {"label": tenant.name, "url": url, "rows": [(_("Tenant"), f"{tenant.name} ({tenant.code})")]}


def quota_pieces(tenants: Iterable[Tenant], cluster: Cluster) -> list[Piece]:
    """The quotas that an OpenShift cluster does not have yet as it should, once these tenants have projects in it."""
    return [
        Piece(tenant_quotas.owner_key(tenant), "", tenant_quotas.state_of(tenant))
        for tenant in tenants
        if tenant_quotas.lacks(tenant, cluster)
    ]
