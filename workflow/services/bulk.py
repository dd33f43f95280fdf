"""Deciding several requests in one go: each by itself, with a result of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.models import User
from web.errors import Invalid, UserError
from workflow.services.decide import decide

MOST = 50


class Result(NamedTuple):
    """What became of one row: `error` is None where it was decided as wished."""

    number: int
    state: str
    error: UserError | None


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
