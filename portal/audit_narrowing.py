"""What an address says about which events to show, for the page, the API and exports alike."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from audit.models import Event
from web import paging
from web.errors import Invalid

LONGEST = {"actor": 64, "action": 60, "subject": 200, "tenant": 12, "call": 64, "q": 80}
PARAMETERS = (*LONGEST, "request", "since", "until")
# How many events a page looks through for a text; then it says how far it got and offers to go on.
SEARCHED = 20_000


class Wanted(NamedTuple):
    """Filters as they were sent, "" for any, and the period as moments: [begin, end)."""

    values: Mapping[str, str]
    begin: datetime | None
    end: datetime | None

    @property
    def text(self) -> str:
        """What is searched for in all that an event says."""
        return self.values["q"]

    @property
    def is_narrow(self) -> bool:
        """Whether anything is filtered."""
        return any(self.values.values())

    def sent(self) -> dict[str, str]:
        """Only what was asked for, by parameter."""
        return {name: value for name, value in self.values.items() if value}


def read(parameters: Mapping[str, str]) -> Wanted:
    """The filters; raises Invalid with what is wrong by parameter."""
    values = {name: parameters.get(name, "").strip() for name in PARAMETERS}
    wrong = {
        f"/{name}": _("That is too long, or holds what cannot be written.")
        for name, longest in LONGEST.items()
        if len(values[name]) > longest or not values[name].isprintable()
    }
    if values["request"] and not re.fullmatch("#?[0-9]{1,15}", values["request"], re.ASCII):
        wrong["/request"] = _("Expected a whole number.")
    moments: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        try:
            moments[name] = _moment(values[name], is_end=name == "until")
        except ValueError:
            wrong[f"/{name}"] = _("Expected a date such as 2026-11-23, or a time with its zone.")
    if wrong:
        raise Invalid(_("The filter cannot be read."), wrong)
    return Wanted(values, moments["since"], moments["until"])


def _moment(text: str, *, is_end: bool) -> datetime | None:
    """A day of the portal's time zone, all of which belongs to the period, or an exact time. Raises ValueError."""
    if not text:
        return None
    day = parse_date(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    if day is not None:
        return _midnight(day, days=1 if is_end else 0)
    found = parse_datetime(text)
    if found is None or timezone.is_naive(found):
        raise ValueError(text)
    return found


def _midnight(day: date, *, days: int) -> datetime:
    """The beginning of the day so many days later. Raises ValueError beyond the year 9999."""
    try:
        return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))
    except OverflowError:
        raise ValueError(day) from None


def narrowed(events: QuerySet[Event], wanted: Wanted) -> QuerySet[Event]:
    """The events that fit all but the text."""
    values = wanted.values
    fields = {"actor": "actor", "action": "action", "subject": "subject", "tenant": "tenant", "call": "request_id"}
    events = events.filter(**{field: values[name] for name, field in fields.items() if values[name]})
    if values["request"]:
        events = events.filter(subject=f"request:{int(values['request'].removeprefix('#'))}")
    if wanted.begin:
        events = events.filter(at__gte=wanted.begin)
    if wanted.end:
        events = events.filter(at__lt=wanted.end)
    return events


def with_text(events: QuerySet[Event], text: str) -> QuerySet[Event]:
    """Those that say the text anywhere, in whatever case."""
    if not text:
        return events
    written = events.annotate(before_text=Cast("before", TextField()), after_text=Cast("after", TextField()))
    found = Q(subject__icontains=text) | Q(actor__icontains=text) | Q(action__icontains=text)
    return written.filter(found | Q(before_text__icontains=text) | Q(after_text__icontains=text))


class Found(NamedTuple):
    """A page of events, newest first; `after` is where the next one begins, "" for none. Where a text is searched for,
    `until` is the event up to which was looked, with more behind it."""

    events: list[Event]
    after: str
    until: Event | None


def page_of(events: QuerySet[Event], wanted: Wanted, parameters: QueryDict, size: int = 50) -> Found:
    """The page that the parameters `after` and `limit` name. A text is looked for in SEARCHED events at a time, so that
    a page costs the same however rare it is. Raises Invalid."""
    events = narrowed(events, wanted)
    if not wanted.text:
        return Found(*paging.page_of(events, parameters, size), None)
    after = paging.whole_number(parameters, "after")
    if after is not None:
        events = events.filter(pk__lt=after)
    # The last one within reach, if there are more than that.
    horizon = events.order_by("-pk")[SEARCHED - 1 : SEARCHED].first()
    within = events.filter(pk__gte=horizon.pk) if horizon else events
    page, more = paging.page_of(with_text(within, wanted.text), parameters, size)
    if more or horizon is None:
        return Found(page, more, None)
    return Found(page, str(horizon.pk), horizon)
