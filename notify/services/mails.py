"""Which messages are mailed, and when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from notify.models import Digest, Mail, Message, Preference


def queue(messages: Iterable[Message], at: datetime) -> None:
    """Puts mails of what was just told on their way, in the caller's transaction: at once, or with the daily mail, as
    each person wishes. Nothing where no mail server is configured."""
    told = [one for one in messages if one.to.email] if settings.MAIL_HOST else []
    if not told:
        return
    wishes = {one.user_id: one for one in Preference.objects.filter(user__in={one.to_id for one in told})}
    mails, daily = [], {}
    for one in told:
        preference = wishes.get(one.to_id) or Preference(user=one.to)
        wish = getattr(preference, one.sort)
        if wish == "now":
            mails.append(Mail(to=one.to, messages=[one.pk], created_at=at, due_at=at, generation=1, lane="mail"))
        elif wish == "daily":
            daily[one.to_id] = next_daily(preference, at)
    Mail.objects.bulk_create(mails)
    rows = [Digest(user_id=pk, due_at=due_at, generation=1, lane="mail") for pk, due_at in daily.items()]
    Digest.objects.bulk_create(rows, ignore_conflicts=True)


def next_daily(preference: Preference, at: datetime) -> datetime:
    """When the person's daily mail comes next after `at`."""
    zone = ZoneInfo(preference.time_zone or settings.TIME_ZONE)
    local = at.astimezone(zone)
    due = datetime.combine(local.date(), preference.daily_at, tzinfo=zone)
    return due if due > at else datetime.combine(local.date() + timedelta(days=1), preference.daily_at, tzinfo=zone)
