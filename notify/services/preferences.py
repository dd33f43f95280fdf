"""What a person wishes to be mailed."""

import zoneinfo
from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from notify import queries
from notify.models import Digest, Preference
from notify.models.mail import WISHES
from notify.models.message import SORTS
from notify.services.mails import next_daily
from web.errors import Invalid

FIELDS = (*SORTS, "daily_at", "time_zone")


@transaction.atomic
def prefer(*, wishes: dict[str, str], daily_at: time, time_zone: str, by: User, at: datetime) -> Preference:
    """Sets when each sort of message is mailed (now, daily, off), and when the daily mail comes. Raises Invalid."""
    wrong = {
        f"/{sort}": _("This is not one of the choices.") for sort in SORTS if wishes.get(sort, WISHES[0]) not in WISHES
    }
    if time_zone and time_zone not in zoneinfo.available_timezones():
        wrong["/time_zone"] = _("There is no such time zone.")
    if wrong:
        raise Invalid(_("Please correct the marked fields."), wrong)
    found = queries.preference_of(by)
    before = _told(found)
    for sort in SORTS:
        setattr(found, sort, wishes.get(sort, getattr(found, sort)))
    found.daily_at, found.time_zone = daily_at, time_zone
    Preference.objects.update_or_create(user=by, defaults={name: getattr(found, name) for name in FIELDS})
    Digest.objects.filter(user=by).update(due_at=next_daily(found, at))
    if _told(found) != before:
        subject = f"user:{by.username}"
        audit.record(actor=by, action="user.prefer-mail", subject=subject, before=before, after=_told(found), at=at)
    return found


def _told(one: Preference) -> dict[str, str]:
    return {name: str(getattr(one, name)) for name in FIELDS}
