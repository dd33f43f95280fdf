"""Encrypting stored credentials anew with the first configured key, and counting which keys are still needed."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters.access import SEALED, place_of
from clusters.models import Cluster
from notify.services import resealing
from web import sealing
from web.errors import Forbidden
from web.sentences import Sentence


@dataclass(frozen=True)
class Unread:
    """A credential that no configured key opens: of a cluster one of access.SEALED, of a webhook one of its secrets."""

    cluster: str
    credential: str
    reason: Sentence


@dataclass
class Rotation:
    """What a rotation did: credentials encrypted anew, credentials that had the first key already, and unread ones."""

    changed: int = 0
    current: int = 0
    unread: list[Unread] = field(default_factory=list)


def rotate_keys(*, by: User | None, at: datetime) -> Rotation:
    """Encrypts every stored credential with the first key of PORTAL_ENCRYPTION_KEYS; harmless to repeat or interrupt.

    Each cluster is a transaction of its own: what was done stays done. One that cannot be read is named in the answer
    and left as it is. `by` is a platform administrator, or None for the portal's own operation. Raises Forbidden.
    """
    if by is not None and not by.is_administrator:
        raise Forbidden(_("Only platform administrators rotate keys."))
    rotation = Rotation()
    # Ids only: a row that is read now might be an old one by the time its turn comes.
    for pk in Cluster.objects.order_by("pk").values_list("pk", flat=True):
        _rotate(pk, rotation, by, at)
    for uid, name, outcome, reason in resealing.reseal(by=by, at=at):
        rotation.changed += outcome == "changed"
        rotation.current += outcome == "current"
        if reason is not None:
            rotation.unread.append(Unread(f"webhook {uid}", name, reason))
    return rotation


def keys_in_use() -> dict[str, int]:
    """How many stored credentials each key id has encrypted; nothing is decrypted for it."""
    rows = Cluster.objects.values_list(*(f"{name}_sealed" for name in SEALED))
    return dict(Counter(sealing.key_of(sealed) for row in rows for sealed in row if sealed) + resealing.keys_in_use())


@transaction.atomic
def _rotate(pk: int, rotation: Rotation, by: User | None, at: datetime) -> None:
    """One cluster under its lock, so that a registration at the same moment is not overwritten."""
    cluster = Cluster.objects.select_for_update().filter(pk=pk).first()
    if cluster is None:
        return
    first = next(iter(settings.ENCRYPTION_KEYS))
    changed: dict[str, str] = {}
    for name in SEALED:
        sealed = getattr(cluster, f"{name}_sealed")
        if not sealed:
            continue
        try:
            # Those of the first key as well: one that nobody can open is better found now than by a worker.
            plain = sealing.unseal(sealed, place_of(cluster, name))
        except sealing.Unreadable as error:
            rotation.unread.append(Unread(cluster.name, name, error.sentence))
            continue
        if sealing.key_of(sealed) == first:
            rotation.current += 1
            continue
        changed[name] = sealing.key_of(sealed)
        setattr(cluster, f"{name}_sealed", sealing.seal(plain, place_of(cluster, name)))
    if changed:
        # Not the version: the credential itself is the same, so workers keep their connections.
        cluster.save(update_fields=[f"{name}_sealed" for name in changed])
        after = dict.fromkeys(changed, first)
        audit.record(
            actor=by,
            action="cluster.rotate-keys",
            subject=f"cluster:{cluster.name}",
            before=changed,
            after=after,
            at=at,
        )
        rotation.changed += len(changed)
