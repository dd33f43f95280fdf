"""Encrypting the secrets of endpoints anew with the first configured key."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from audit import services as audit
from notify import signing
from notify.models import Endpoint
from web import sealing
from web.sentences import Sentence


def keys_in_use() -> Counter[str]:
    """How many secrets each key has encrypted."""
    rows = Endpoint.objects.values_list(*(f"{name}_sealed" for name in signing.SEALED))
    return Counter(sealing.key_of(sealed) for row in rows for sealed in row if sealed)


def reseal(*, by: User | None, at: datetime) -> Iterator[tuple[str, str, str, Sentence | None]]:
    """(endpoint's uid, secret, what became of it: changed, current or unread, why it is unread) of each; an endpoint is
    a transaction of its own."""
    for pk in Endpoint.objects.order_by("pk").values_list("pk", flat=True):
        yield from _resealed(pk, by, at)


@transaction.atomic
def _resealed(pk: int, by: User | None, at: datetime) -> list[tuple[str, str, str, Sentence | None]]:
    endpoint = Endpoint.objects.select_for_update().filter(pk=pk).first()
    if endpoint is None:
        return []
    first, changed = next(iter(settings.ENCRYPTION_KEYS)), {}
    done: list[tuple[str, str, str, Sentence | None]] = []
    for name in signing.SEALED:
        sealed = getattr(endpoint, f"{name}_sealed")
        if not sealed:
            continue
        try:
            plain = sealing.unseal(sealed, signing.place_of(endpoint, name))
        except sealing.Unreadable as error:
            done.append((str(endpoint.uid), name, "unread", error.sentence))
            continue
        if sealing.key_of(sealed) == first:
            done.append((str(endpoint.uid), name, "current", None))
            continue
        changed[name] = sealing.key_of(sealed)
        setattr(endpoint, f"{name}_sealed", sealing.seal(plain, signing.place_of(endpoint, name)))
        done.append((str(endpoint.uid), name, "changed", None))
    if changed:
        endpoint.save(update_fields=[f"{name}_sealed" for name in changed])
        after = dict.fromkeys(changed, first)
        subject = f"webhook:{endpoint.uid}"
        audit.record(actor=by, action="webhook.rotate-keys", subject=subject, before=changed, after=after, at=at)
    return done
