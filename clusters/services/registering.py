"""Registering a cluster, or replacing how it is reached."""

import re
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import sealing
from clusters.access import place_of
from clusters.models import Capacity, Cluster, Health
from clusters.services.capacity import can_read_nodes
from web.errors import Forbidden, Invalid


@transaction.atomic
def register_cluster(*, name: str, token: str, by: User | None, at: datetime, **fields: Any) -> Cluster:
    """Registers or replaces the cluster `name`; `fields` are those of `Cluster`, the token is kept encrypted.

    `by` is a platform administrator, or None for the portal's own set-up. Raises Forbidden.
    """
    if by is not None and not by.is_administrator:
        raise Forbidden(_("Only platform administrators register clusters."))
    _check_formats(fields)
    cluster = Cluster.objects.select_for_update().filter(name=name).first() or Cluster(name=name)
    for field, value in fields.items():
        setattr(cluster, field, value)
    cluster.token_sealed = sealing.seal(token, place_of(cluster, "token"))
    cluster.version = Cluster._meta.get_field("version").get_default()
    cluster.full_clean()
    cluster.save()
    after = {field: fields[field] for field in sorted(fields) if field != "ca"}
    audit.record(actor=by, action="cluster.register", subject=f"cluster:{name}", after=after, at=at)
    Health.objects.update_or_create(cluster=cluster, defaults={"lane": f"probe:{name}", "due_at": at})
    if can_read_nodes(cluster):
        due = {"lane": name, "generation": 1, "due_at": at}
        Capacity.objects.get_or_create(cluster=cluster, defaults={"source": "nodes", **due})
    return cluster


def _check_formats(fields: dict[str, Any]) -> None:
    """Raises Invalid unless the formats of names have exactly one plain field: else nobody or all would be bound."""
    for name, known in (("user_format", r"\{username\}"), ("group_format", r"\{(cn|dn)\}")):
        if not re.fullmatch(rf"[^{{}}]*{known}[^{{}}]*", fields.get(name, "{username}" if "user" in name else "{cn}")):
            sentence = _("This is not written as it should be.")
            raise Invalid(sentence, {f"/{name}": sentence})
