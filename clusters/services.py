"""Use cases of the fleet: registering a cluster, saying what it has to give and what a bundle should be."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import rules, sealing
from clusters.access import PLAN_TIMEOUT, token_place
from clusters.drivers.base import Connection
from clusters.drivers.registry import open_driver
from clusters.models import Bundle, BundleObject, BundleRevision, Capacity, Cluster
from clusters.planning import Reference
from web.errors import Forbidden, Invalid, NotFound

LEAST_OVERCOMMIT, MOST_OVERCOMMIT = Decimal("0.1"), Decimal(20)
# What a capacity may be stated as: more than any cluster of today has, and what a column holds.
MOST = {
    "cpu_millicores": 1_000_000 * 1000,
    "memory_bytes": 100 * 1024**5,
    "storage_bytes": 1024**6,
    "pods": 1_000_000,
}


class Aim(NamedTuple):
    """What a bundle should be from now on, and the state it was rendered from."""

    bundle: Bundle
    manifests: Sequence[rules.Manifest]
    state: dict[str, Any]


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
    if can_read_nodes(cluster):
        due = {"lane": name, "generation": 1, "due_at": at}
        Capacity.objects.get_or_create(cluster=cluster, defaults={"source": "nodes", **due})
    return cluster


def can_read_nodes(cluster: Cluster) -> bool:
    """Whether the cluster's driver can say how much its nodes have; asks nobody."""
    return open_driver(cluster.driver, Connection(cluster.name, ""), PLAN_TIMEOUT).capabilities.can_survey


def may_state(user: User) -> bool:
    """Whether the person may say how much a cluster has to give: administrators."""
    return user.is_administrator


def check_state(by: User) -> None:
    """Raises Forbidden unless `may_state`."""
    if not may_state(by):
        raise Forbidden(_("Only platform administrators say how much a cluster has to give."))


@transaction.atomic
def state_capacity(
    *,
    name: str,
    source: str,
    by: User | None,
    at: datetime,
    cpu_millicores: int | None = None,
    memory_bytes: int | None = None,
    storage_bytes: int | None = None,
    pods: int | None = None,
    cpu_overcommit: Decimal = Decimal(1),
    memory_overcommit: Decimal = Decimal(1),
) -> Capacity:
    """Says how much the cluster `name` has to give: `source` "stated" by these figures (None is not known), "nodes" by
    what is read from its nodes at once and again; their storage is stated either way, since nodes know of none.

    Less than is promised already is accepted: nothing more is promised then. Raises NotFound, Forbidden, Invalid.
    """
    if by is not None:
        check_state(by)
    # As the ledger locks it: what is being promised just now is promised of the old or of the new figures.
    cluster = Cluster.objects.select_for_update(no_key=True).filter(name=name, is_active=True).first()
    if cluster is None:
        raise NotFound(_("There is no such cluster."))
    figures = {"cpu_millicores": cpu_millicores, "memory_bytes": memory_bytes, "pods": pods}
    always = {"storage_bytes": storage_bytes}
    overcommit = {"cpu_overcommit": cpu_overcommit, "memory_overcommit": memory_overcommit}
    _check_capacity(cluster, source, figures | always, overcommit)
    kept = Capacity.objects.filter(cluster=cluster).first() or Capacity(cluster=cluster, lane=name)
    before = _capacity_of(kept) if kept.pk else None
    _set_capacity(kept, source, figures, {**always, **overcommit}, at)
    audit.record(
        actor=by,
        action="cluster.state-capacity",
        subject=f"cluster:{name}",
        before=before,
        after=_capacity_of(kept),
        at=at,
    )
    return kept


def _check_capacity(
    cluster: Cluster, source: str, figures: Mapping[str, int | None], overcommit: Mapping[str, Decimal]
) -> None:
    """Raises Invalid with what is wrong at each field."""
    errors: dict[str, str] = {}
    if source not in ("nodes", "stated"):
        errors["/source"] = _("This is not one of the choices.")
    elif source == "nodes" and not can_read_nodes(cluster):
        errors["/source"] = _("The nodes of this cluster cannot be read; please state its capacity by hand.")
    for field, amount in figures.items():
        if source == "nodes" and field != "storage_bytes" and amount is not None:
            errors[f"/{field}"] = _("This is read from the nodes.")
        elif amount is not None and not 0 <= amount <= MOST[field]:
            errors[f"/{field}"] = _("Between 0 and %(most)s.") % {"most": MOST[field]}
    for field, factor in overcommit.items():
        # What is no number cannot be compared, and more digits than these would be rounded away.
        exponent = factor.as_tuple().exponent
        if not factor.is_finite() or not LEAST_OVERCOMMIT <= factor <= MOST_OVERCOMMIT:
            errors[f"/{field}"] = _("Between 0.1 and 20.")
        elif isinstance(exponent, int) and exponent < -2:
            errors[f"/{field}"] = _("At most two decimals.")
    if errors:
        raise Invalid(_("Please correct the marked fields."), errors)


def _set_capacity(
    kept: Capacity,
    source: str,
    figures: Mapping[str, int | None],
    always: Mapping[str, int | Decimal | None],
    at: datetime,
) -> None:
    changes: dict[str, Any] = {**always, "source": source}
    if source == "stated":
        changes |= {**figures, "nodes": None, "problem": None, "observed_at": at}
    elif kept.source != source:
        # The figures stay until the nodes are read: without any, as much would be promised as anybody wants.
        changes["observed_at"] = None
    # Whoever reads the nodes just now sees by the generation that they are to be read again.
    changes |= {"generation": kept.generation + 1, "due_at": at, "offered_until": None}
    for field, value in changes.items():
        setattr(kept, field, value)
    # Of a row that is there nothing else is written: a worker may hold its lease.
    kept.save(update_fields=list(changes) if kept.pk else None)


def _capacity_of(capacity: Capacity) -> dict[str, Any]:
    """What an event says of a cluster's capacity."""
    fields = ("source", *MOST, "cpu_overcommit", "memory_overcommit")
    values = {field: getattr(capacity, field) for field in fields}
    return {field: str(value) if isinstance(value, Decimal) else value for field, value in values.items()}


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
    aim = Aim(bundle, manifests, state)
    return set_desired_many(aims=[aim], provenance=provenance, by=by, at=at)[0]


@transaction.atomic
def set_desired_many(
    *, aims: Sequence[Aim], provenance: dict[str, Any], by: User | None, at: datetime
) -> list[BundleRevision]:
    """As `set_desired` for several bundles, in the order given and in as many statements as for one."""
    for aim in aims:
        rules.check_confined(aim.manifests, aim.bundle.namespace)
    pks = [aim.bundle.pk for aim in aims]
    rows = Bundle.objects.select_for_update(of=("self",)).select_related("tenant").filter(pk__in=pks).order_by("pk")
    locked = {row.pk: row for row in rows}
    newest = BundleRevision.objects.filter(bundle__in=pks).order_by("bundle_id", "-number").distinct("bundle_id")
    before = dict(newest.values_list("bundle_id", "objects_wanted"))
    revisions = [_revision(locked[aim.bundle.pk], aim, before.get(aim.bundle.pk, []), provenance, at) for aim in aims]
    BundleRevision.objects.bulk_create(revisions)
    # The plan that was approved is about the live objects, so all of them are applied again.
    BundleObject.objects.filter(bundle__in=pks, state__in=["applied", "ready"]).update(state="pending")
    Bundle.objects.filter(pk__in=pks).update(
        generation=F("generation") + 1, due_at=at, attempts=0, blocked=False, message=None, offered_until=None
    )
    deeds = [
        audit.Deed(
            f"bundle:{revision.bundle.uid}",
            revision.bundle.tenant.code,
            {"revision": revision.number, "digest": revision.digest, **provenance},
        )
        for revision in revisions
    ]
    audit.record_many(actor=by, action="bundle.set-desired", deeds=deeds, at=at)
    return revisions


def _revision(
    bundle: Bundle, aim: Aim, before: Sequence[dict[str, Any]], provenance: dict[str, Any], at: datetime
) -> BundleRevision:
    """The bundle's next revision, not yet stored; `before` is what the one before it wanted."""
    number = bundle.generation + 1
    objects = rules.numbered(aim.manifests, before, number)
    return BundleRevision(
        bundle=bundle,
        number=number,
        objects_wanted=objects,
        digest=rules.digest_of(objects),
        state=aim.state,
        provenance=provenance,
        created_at=at,
    )


def create_bundle(*, cluster: Cluster, tenant_id: int, owner: str, namespace: str) -> Bundle:
    """An empty bundle for `owner` ("project:12"); it becomes work with its first revision."""
    return Bundle.objects.create(
        cluster=cluster, tenant_id=tenant_id, owner=owner, namespace=namespace, lane=cluster.name
    )


def create_bundles(*, cluster: Cluster, owners: Iterable[tuple[int, str, str]]) -> list[Bundle]:
    """As `create_bundle` for several (tenant id, owner, namespace) of one cluster, in one statement."""
    return Bundle.objects.bulk_create(
        Bundle(cluster=cluster, tenant_id=tenant_id, owner=owner, namespace=namespace, lane=cluster.name)
        for tenant_id, owner, namespace in owners
    )


def remember_adopted(adopted: Iterable[tuple[Bundle, Reference, str]]) -> None:
    """Live objects (by rules.reference, with their uids) that new bundles take over: they are never created, and left
    alone if they are others by then."""
    BundleObject.objects.bulk_create(
        BundleObject(
            bundle=bundle,
            api_version=api_version,
            kind=kind,
            namespace=namespace,
            name=name,
            uid=uid,
            revision=1,
            had=True,
        )
        for bundle, (api_version, kind, namespace, name), uid in adopted
    )
