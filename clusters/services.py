"""Use cases of the fleet: registering a cluster, saying what a bundle should be."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import rules, sealing
from clusters.access import token_place
from clusters.models import Bundle, BundleRevision, Cluster
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
    cluster.token_sealed = sealing.seal(token, token_place(cluster))
    cluster.version = Cluster._meta.get_field("version").get_default()
    cluster.full_clean()
    cluster.save()
    after = {field: fields[field] for field in sorted(fields) if field != "ca"}
    audit.record(actor=by, action="cluster.register", subject=f"cluster:{name}", after=after, at=at)
    return cluster


def _check_formats(fields: dict[str, Any]) -> None:
    """Raises Invalid unless the formats of names have exactly one plain field: else nobody or all would be bound."""
    for name, known in (("user_format", r"\{username\}"), ("group_format", r"\{(cn|dn)\}")):
        if not re.fullmatch(rf"[^{{}}]*{known}[^{{}}]*", fields.get(name, "{username}" if "user" in name else "{cn}")):
            sentence = _("This is not written as it should be.")
            raise Invalid(sentence, {f"/{name}": sentence})


@transaction.atomic
def set_desired(
    *,
    bundle: Bundle,
    manifests: Sequence[rules.Manifest],
    state: dict[str, Any],
    provenance: dict[str, Any],
    by: User | None,
    at: datetime,
) -> BundleRevision:
    """Makes the manifests the wanted revision of the bundle and its row due; a worker does the rest.

    `state` is what they were rendered from, `provenance` the request, asker and approvers. Raises rules.NotConfined.
    """
    rules.check_confined(manifests, bundle.namespace)
    locked = Bundle.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=bundle.pk)
    newest = locked.revisions.first()
    number = locked.generation + 1
    wanted = rules.numbered(manifests, newest.objects_wanted if newest else [], number)
    revision = BundleRevision.objects.create(
        bundle=locked,
        number=number,
        objects_wanted=wanted,
        digest=rules.digest_of(wanted),
        state=state,
        provenance=provenance,
        created_at=at,
    )
    # The plan that was approved is about the live objects, so all of them are applied again.
    locked.objects_kept.filter(state__in=["applied", "ready"]).update(state="pending")
    Bundle.objects.filter(pk=locked.pk).update(
        generation=number, due_at=at, attempts=0, blocked=False, message=None, offered_until=None
    )
    audit.record(
        actor=by,
        action="bundle.set-desired",
        subject=f"bundle:{locked.uid}",
        tenant=locked.tenant.code,
        after={"revision": number, "digest": revision.digest, **provenance},
        at=at,
    )
    return revision


def create_bundle(*, cluster: Cluster, tenant_id: int, owner: str, namespace: str) -> Bundle:
    """An empty bundle for `owner` ("project:12"); it becomes work with its first revision."""
    return Bundle.objects.create(
        cluster=cluster, tenant_id=tenant_id, owner=owner, namespace=namespace, lane=cluster.name
    )
