"""Emergency access: a local administrator's account, for a named person and a few hours, that needs no directory.

There is none until somebody with a shell on the portal opens it (`manage.py break_glass`). The account belongs to the
person it is for, so that one person in two accounts still decides nothing they asked for.
"""

import logging
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import rules
from accounts.models import User
from audit import services as audit
from web.errors import Conflict, Invalid

log = logging.getLogger(__name__)
LONGEST_REASON = 300


def open_access(*, person: str, reason: str, hours: int, at: datetime) -> tuple[User, str]:
    """Opens emergency access for the user name `person`: (the account, its password, which is kept nowhere).

    Opened again it has another password and period. Raises Invalid, Conflict where the settings forbid it.
    """
    name = rules.account_name(person)
    reason = reason.strip()
    if not settings.BREAK_GLASS_HOURS:
        raise Conflict(_("The settings forbid emergency access (PORTAL_BREAK_GLASS_HOURS=0)."))
    if name is None or len(rules.EMERGENCY + name) > rules.LONGEST_NAME:
        raise Invalid(_("This can be nobody's user name."))
    if not 10 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise Invalid(_("Say in 10 to 300 characters why it is needed."))
    if not 1 <= hours <= settings.BREAK_GLASS_HOURS:
        raise Invalid(_("Open it for 1 to %(hours)s hours.") % {"hours": settings.BREAK_GLASS_HOURS})
    password = secrets.token_urlsafe(24)
    with transaction.atomic():
        owner, _created = User.objects.get_or_create(username=name, defaults={"password": make_password(None)})
        user, _created = User.objects.select_for_update().get_or_create(
            username=rules.EMERGENCY + name, defaults={"owner": owner}
        )
        user.owner, user.is_active, user.roles = owner, True, ["administrator"]
        user.display_name = f"{owner} (break-glass)"[:128]
        user.local_until, user.local_reason = at + timedelta(hours=hours), reason
        # Another password also ends what sessions there were.
        user.set_password(password)
        user.save()
        after = {"until": user.local_until.isoformat(), "reason": reason, "person": name}
        audit.record(actor=None, action="emergency.open", subject=f"user:{user.username}", after=after, at=at)
    log.warning("emergency access of %s is open until %s: %s", name, user.local_until.isoformat(), reason)
    return user, password


def close_access(*, person: str, at: datetime) -> bool:
    """Ends emergency access of `person` and its sessions at once; False where none is open."""
    with transaction.atomic():
        user = open_at(at).filter(username=f"{rules.EMERGENCY}{person.lower()}").select_for_update().first()
        if user is None:
            return False
        user.local_until, user.roles, user.is_active = at, [], False
        user.set_unusable_password()
        user.save()
        audit.record(actor=None, action="emergency.close", subject=f"user:{user.username}", at=at)
    log.warning("emergency access of %s is closed", person)
    return True


def open_at(at: datetime) -> QuerySet[User]:
    """The accounts that work at the time `at`, by name."""
    return User.objects.filter(local_until__gt=at, is_active=True).order_by("username")


def note_login(*, user: User, address: str, at: datetime) -> None:
    """Writes down that somebody came in this way, and from where; also in the log, where alarms look."""
    after = {"address": address, "reason": user.local_reason, "until": user.local_until.isoformat()}  # type: ignore[union-attr]
    with transaction.atomic():
        audit.record(actor=user, action="emergency.login", subject=f"user:{user.username}", after=after, at=at)
    log.warning("emergency access: %s signed in from %s", user.username, address)
