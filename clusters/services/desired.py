"""Saying what a bundle should be; a worker does the rest."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F

from accounts.models import User
from audit import services as audit
from clusters import rules
from clusters.models import Bundle, BundleObject, BundleRevision, Cluster
from clusters.planning import Reference


class Aim(NamedTuple):
    """What a bundle should be from now on, and the state it was rendered from."""

    bundle: Bundle
    manifests: Sequence[rules.Manifest]
    state: dict[str, Any]


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

    `state` is what they were rendered from, `provenance` the request, asker and approvers. Raises rules.NotConfined and
    secrets.SecretInPlain.
    """
    aim = Aim(bundle, manifests, state)
    return set_desired_many(aims=[aim], provenance=provenance, by=by, at=at)[0]


@transaction.atomic
def set_desired_many(
    *, aims: Sequence[Aim], provenance: dict[str, Any], by: User | None, at: datetime
) -> list[BundleRevision]:
    """As `set_desired` for several bundles, in the order given and in as many statements as for one."""
    for aim in aims:
        rules.check_confined(aim.manifests, aim.bundle.owner, aim.bundle.namespace)
    pks = [aim.bundle.pk for aim in aims]
    rows = Bundle.objects.select_for_update(of=("self",)).select_related("tenant").filter(pk__in=pks).order_by("pk")
    locked = {row.pk: row for row in rows}
    # A new bundle has neither revisions nor objects that were applied.
    known = [pk for pk, row in locked.items() if row.generation]
    newest = BundleRevision.objects.filter(bundle__in=known).order_by("bundle_id", "-number").distinct("bundle_id")
    before = {
        pk: (number, objects) for pk, number, objects in newest.values_list("bundle_id", "number", "objects_wanted")
    }
    revisions = [
        _revision(locked[aim.bundle.pk], aim, *before.get(aim.bundle.pk, (0, [])), provenance, at) for aim in aims
    ]
    BundleRevision.objects.bulk_create(revisions)
    # The plan that was approved is about the live objects, so all of them are applied again.
    BundleObject.objects.filter(bundle__in=known, state__in=["applied", "ready"]).update(state="pending")
    Bundle.objects.filter(pk__in=pks).update(
        generation=F("generation") + 1,
        due_at=at,
        attempts=0,
        blocked=False,
        message=None,
        offered_until=None,
        committed="",
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
    bundle: Bundle, aim: Aim, last: int, before: Sequence[dict[str, Any]], provenance: dict[str, Any], at: datetime
) -> BundleRevision:
    """The bundle's next revision, not yet stored; `before` is what the `last` one wanted. Where revisions in between
    are unknown (an older database was restored), every object counts as changed in this one."""
    number = bundle.generation + 1
    objects = rules.numbered(aim.manifests, before if last == bundle.generation else [], number)
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
