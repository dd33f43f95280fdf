"""Deciding and asking for several things in one go: each by itself, with a result of its own."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.models import User
from web.errors import Invalid, UserError
from workflow.services.decide import decide
from workflow.services.submit import submit

logger = logging.getLogger(__name__)

MOST = 50
MOST_WISHES = 200


class Result(NamedTuple):
    """What became of one row: `error` is None where it was decided as wished."""

    number: int
    state: str
    error: UserError | None


class Wish(NamedTuple):
    """One thing asked for among others; `key` is its own idempotency key, None for that of its place in the whole."""

    kind: str
    values: object
    key: str | None = None


class Broken(UserError):
    """Something went wrong on our side with one of several rows; the others go on."""

    status = 500
    code = "server-error"

    def __init__(self) -> None:
        super().__init__(_("Something went wrong on our side."))


def submit_many(
    *,
    wishes: Sequence[Wish | UserError],
    by: User,
    at: datetime,
    key: str | None = None,
    alive: Callable[[], None] = lambda: None,
) -> list[Result]:
    """Asks for each in order, in a transaction of its own; one that fails stops no other. What could not even be read
    is passed as its error, so that places agree. `alive` is called before each: it takes as long as clusters do.

    With the `key` of the whole a row without its own has one by its place, so that rows that were made before a process
    died are not made again. Raises Invalid for none or more than 200.
    """
    if not wishes or len(wishes) > MOST_WISHES:
        raise Invalid(_("Please ask for between 1 and %(most)s things.") % {"most": MOST_WISHES})
    results = []
    for place, wish in enumerate(wishes):
        if isinstance(wish, UserError):
            results.append(Result(0, "", wish))
            continue
        alive()
        own = wish.key if wish.key is not None or key is None else _key_at(key, place)
        results.append(_submitted(wish, own, by, at))
    return results


def _submitted(wish: Wish, key: str | None, by: User, at: datetime) -> Result:
    try:
        made = submit(kind=wish.kind, values=wish.values, by=by, at=at, idempotency_key=key)
    except UserError as error:
        return Result(0, "", error)
    except Exception:
        logger.exception("one of several wishes failed")
        return Result(0, "", Broken())
    return Result(made.number, made.state, None)


def _key_at(key: str, place: int) -> str:
    return f"bulk:{hashlib.sha256(f'{place}:{key}'.encode()).hexdigest()}"


def decide_many(*, rows: Sequence[tuple[int, str]], verdict: str, note: str, by: User, at: datetime) -> list[Result]:
    """Decides (number, plan digest) rows in order with the same verdict and note; one that fails stops no other.

    Raises Invalid for none, more than 50, or one named twice.
    """
    numbers = [number for number, _digest in rows]
    if not rows or len(rows) > MOST:
        raise Invalid(_("Please choose between 1 and %(most)s requests.") % {"most": MOST})
    if len(set(numbers)) != len(numbers):
        raise Invalid(_("A request is named twice."))
    results = []
    for number, digest in rows:
        try:
            done = decide(number=number, verdict=verdict, note=note, plan_digest=digest, by=by, at=at)
            results.append(Result(number, done.state, None))
        except UserError as error:
            results.append(Result(number, "", error))
    return results
