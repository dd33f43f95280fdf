"""Telling people something, and no longer asking them for what is done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.models import User
from notify.models import Message
from notify.services import mails
from web.sentences import Sentence


class NotInTransaction(RuntimeError):
    """Somebody was told outside the transaction of what it tells of."""


@dataclass(frozen=True)
class Notice:
    """What one person is told. `kind` is thing.what ("request.rejected"), `sort` one of models.message.SORTS, `link` a
    path, `about` kind:id; `asks`: something is wanted of the person."""

    to: User
    kind: str
    sort: str
    sentence: Sentence
    link: str
    about: str
    asks: bool = False


def tell(*, notices: Iterable[Notice], at: datetime) -> list[Message]:
    """Writes the messages in the caller's transaction, one to each person that is named; who names somebody twice
    tells them once. Raises NotInTransaction."""
    if not connection.in_atomic_block:
        raise NotInTransaction
    once = {notice.to.pk: notice for notice in notices}
    told = Message.objects.bulk_create(
        Message(
            to=notice.to,
            kind=notice.kind,
            sort=notice.sort,
            sentence=notice.sentence.stored(),
            link=notice.link,
            about=notice.about,
            asks=notice.asks,
            at=at,
        )
        for notice in once.values()
    )
    mails.queue(told, at)
    return told


def close(*, about: str, at: datetime, to: Iterable[int] | None = None) -> int:
    """What was asked for about this (kind:id) is done: of the people named by their ids, or of everybody. How many
    messages that closed."""
    waiting = Message.objects.filter(about=about, asks=True, closed_at__isnull=True)
    if to is not None:
        waiting = waiting.filter(to__in=list(to))
    return waiting.update(closed_at=at)
