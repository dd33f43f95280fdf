"""Mailing people what they were told: one mail each, in the reader's language, and the mail of a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.directory import DirectoryUnavailable
from accounts.services import PersonGone, refresh_person
from audit import services as audit
from notify import queries, smtp
from notify.models import Digest, Mail, Message
from notify.models.message import SORTS
from notify.services.mails import next_daily
from web.sentences import shown
from work import failpoints
from work.claims import Lease, guarded
from work.tasks import Pass

# Between attempts, in seconds: eight in two days.
SCHEDULE = [60, 300, 900, 3600, 14400, 43200, 86400]
# As much of a day as one mail holds.
MOST = 50


def send(lease: Lease) -> Pass:
    """One attempt. What was read, done or is nobody's any more is not mailed; what the server refuses for good, or for
    two days, is given up and said on the person's page."""
    mail = Mail.objects.select_related("to__owner").get(pk=lease.pk)
    found = list(queries.unread_of(mail.to).filter(pk__in=mail.messages).order_by("pk"))
    if not found or not _is_reachable(mail):
        return _ended(lease, mail, "dropped")
    try:
        smtp.send(composed(mail, found))
    except smtp.Refused as error:
        return _refused(lease, mail, error)
    failpoints.reach("after-mail")
    return _ended(lease, mail, "sent")


def digest(lease: Lease) -> Pass:
    """The mail of a day is put on its way, if there is anything to say; the row is due again the next day."""
    now = timezone.now()
    with guarded(lease):
        row = Digest.objects.select_related("user").get(pk=lease.pk)
        preference = queries.preference_of(row.user)
        sorts = [sort for sort in SORTS if getattr(preference, sort) == "daily"]
        found = queries.unread_of(row.user).filter(sort__in=sorts, pk__gt=row.until)
        pks = sorted(found.order_by("-pk").values_list("pk", flat=True)[:MOST])
        if pks:
            Mail.objects.create(to=row.user, messages=pks, created_at=now, due_at=now, generation=1, lane="mail")
            Digest.objects.filter(pk=row.pk).update(until=pks[-1])
    return Pass(observed=lease.generation, after=next_daily(preference, now) - now)


def composed(mail: Mail, found: Sequence[Message]) -> EmailMultiAlternatives:
    """The mail in the reader's language, as text and as plain HTML."""
    with translation.override(mail.to.language or settings.LANGUAGE_CODE):
        rows = [{"text": shown(one.sentence), "url": settings.EXTERNAL_URL + one.link, "at": one.at} for one in found]
        count = len(rows)
        many = ngettext("%(count)s notification", "%(count)s notifications", count) % {"count": count}
        subject = str(rows[0]["text"]) if count == 1 else many
        context = {
            "rows": rows,
            "language": translation.get_language(),
            "preferences_url": f"{settings.EXTERNAL_URL}/notifications/preferences",
        }
        text = render_to_string("notifications/mail.txt", context)
        html = render_to_string("notifications/mail.html", context)
        name = _("Container Cloud")
    host = urlsplit(settings.EXTERNAL_URL).hostname or "portal"
    headers = {
        "Message-ID": f"<{mail.uid}@{host}>",
        "List-Id": f"<notifications.{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    title = f"[{name}] {' '.join(subject.split())}"
    made = EmailMultiAlternatives(title[:160], text, settings.MAIL_FROM, [mail.to.email], headers=headers)
    made.attach_alternative(html, "text/html")
    return made


def _is_reachable(mail: Mail) -> bool:
    """Whether the person still is one of the company's, as the directory says now; while it is silent, yes."""
    if not mail.to.is_active or not mail.to.email:
        return False
    try:
        refresh_person(user=mail.to, at=timezone.now())
    except PersonGone:
        return False
    except DirectoryUnavailable:
        return True
    return True


def _ended(lease: Lease, mail: Mail, state: str) -> Pass:
    with guarded(lease):
        Mail.objects.filter(pk=mail.pk).update(state=state, problem=None)
    return Pass(observed=lease.generation)


def _refused(lease: Lease, mail: Mail, error: smtp.Refused) -> Pass:
    is_over = error.is_final or mail.attempts >= len(SCHEDULE)
    with guarded(lease):
        state = "failed" if is_over else "pending"
        Mail.objects.filter(pk=mail.pk).update(state=state, problem=error.sentence.stored())
        if is_over:
            _record(mail, error, timezone.now())
    if is_over:
        return Pass(observed=lease.generation)
    return Pass(after=timedelta(seconds=SCHEDULE[mail.attempts]), failed=True)


def _record(mail: Mail, error: smtp.Refused, at: datetime) -> None:
    subject = f"user:{mail.to.username}"
    audit.record(actor=None, action="mail.give-up", subject=subject, after=error.sentence.stored(), at=at)
