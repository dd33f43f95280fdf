"""How long a session lasts: it ends when nothing happens for a while, and after its life in any case."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User

# Keys in the session: seconds since 1970, and the roles its key was given for.
BEGAN, SEEN, ROLES = "began_at", "seen_at", "roles"
# To the minute is enough, and spares a write for nearly every page.
_NOTE_EVERY_SECONDS = 60
# Why a session ended.
IDLE, OVER = "idle", "over"


def limits(user: User) -> tuple[timedelta, timedelta]:
    """(how long nothing may happen, how long it lasts at most); both are shorter for emergency access."""
    if user.is_emergency:
        return timedelta(minutes=10), timedelta(hours=1)
    return timedelta(seconds=settings.SESSION_IDLE_SECONDS), timedelta(seconds=settings.SESSION_COOKIE_AGE)


def why_ended(session: SessionBase, user: User, at: datetime) -> str:
    """idle or over for a session that has ended, "" for one that goes on."""
    idle, life = limits(user)
    now = int(at.timestamp())
    if now - session.get(BEGAN, now) >= life.total_seconds():
        return OVER
    return IDLE if now - session.get(SEEN, now) >= idle.total_seconds() else ""


def go_on(session: SessionBase, user: User, at: datetime, *, by_itself: bool) -> None:
    """Notes that something happened. What a page asks `by_itself`, with nobody there, does not count."""
    now = int(at.timestamp())
    if BEGAN not in session:
        session[BEGAN] = session[SEEN] = now
        session[ROLES] = user.roles
    elif not by_itself and now - session.get(SEEN, 0) >= _NOTE_EVERY_SECONDS:
        session[SEEN] = now


def renew_for_roles(session: SessionBase, user: User) -> None:
    """Gives the session another key once the person may more or less than before: the old one is worth nothing then."""
    if session.get(ROLES) == user.roles:
        return
    if ROLES in session:
        session.cycle_key()
    session[ROLES] = user.roles
