"""Whom a request's moves are told to: those who decide next, who asked, and who said something; never who did it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_noop

from accounts.models import User
from notify.services import Notice, close, publish, tell
from web.sentences import Sentence
from workflow import authority
from workflow.models import Request, Step


def ask(request: Request, step: Step, at: datetime, *, days: int | None = None) -> None:
    """Tells those who may decide the step that it waits for them; with `days` that it expires in so many."""
    notices = []
    for person, principal in authority.deciders_of(request, step.group.slug, at):
        sentence = _waits(request, principal) if days is None else _still_waits(request, days)
        kind = "request.waiting" if days is None else "request.reminder"
        notices.append(_notice(request, person, kind, "waiting", sentence, asks=True))
    tell(notices=notices, at=at)


def decided_by(request: Request, people: Iterable[User], at: datetime) -> None:
    """Those who have spoken are no longer asked; the step still waits for others."""
    close(about=about(request), at=at, to=[one.pk for one in people])


def no_longer_asked(request: Request, at: datetime) -> None:
    """Nobody is asked for anything about the request any more: the step is over, or the round is."""
    close(about=about(request), at=at)


def approved(request: Request, by: User, at: datetime) -> None:
    """Tells who asked that the last step was approved."""
    text = gettext_noop("%(who)s approved #%(number)s %(title)s.")
    _tell_asker(request, "request.approved", Sentence(text, {**_words(request), "who": str(by)}), at, by=by)


def rejected(request: Request, by: User, note: str, at: datetime) -> None:
    """Tells who asked, with the reason."""
    text = gettext_noop("%(who)s rejected #%(number)s %(title)s: %(note)s")
    words = {**_words(request), "who": str(by), "note": note}
    _tell_asker(request, "request.rejected", Sentence(text, words), at, by=by)


def sent_back(request: Request, by: User, note: str, at: datetime) -> None:
    """Tells who asked that it is theirs again."""
    text = gettext_noop("%(who)s sent #%(number)s %(title)s back to you: %(note)s")
    words = {**_words(request), "who": str(by), "note": note}
    _tell_asker(request, "request.sent-back", Sentence(text, words), at, by=by, asks=True)


def asker_reminded(request: Request, days: int, at: datetime) -> None:
    """Tells who asked that what was sent back expires in so many days."""
    no_longer_asked(request, at)
    text = gettext_noop("Reminder: #%(number)s %(title)s was sent back to you. It expires in %(days)s days.")
    _tell_asker(request, "request.reminder", Sentence(text, _words(request) | {"days": days}), at, asks=True)


def expired(request: Request, at: datetime) -> None:
    """Tells who asked that nothing came of it."""
    text = gettext_noop("#%(number)s %(title)s expired: it was not decided or changed in time.")
    _tell_asker(request, "request.expired", Sentence(text, _words(request)), at)


def commented(request: Request, by: User, text: str, at: datetime) -> None:
    """Tells who asked, and whoever said something before and may still read it."""
    words = {**_words(request), "who": str(by), "text": text}
    sentence = Sentence(gettext_noop("%(who)s about #%(number)s %(title)s: %(text)s"), words)
    people = [one for one in _involved(request) if one.pk not in (by.pk, by.owner_id)]
    asker = request.asker.principal_id
    notices = [
        _notice(request, one, "request.commented", "mine" if one.pk == asker else "talk", sentence) for one in people
    ]
    tell(notices=notices, at=at)


def arrived(request: Request, outcome: str, reason: Sentence | None, at: datetime) -> None:
    """Tells who asked what became of an approved request: ready, committed, removed, or blocked with the reason."""
    texts = {
        "ready": gettext_noop("#%(number)s %(title)s is ready."),
        "committed": gettext_noop("#%(number)s %(title)s is committed to Git."),
        "removed": gettext_noop("#%(number)s %(title)s: what was to be removed is gone."),
        "blocked": gettext_noop("#%(number)s %(title)s is approved but could not be applied: %(reason)s"),
    }
    words = _words(request) | ({"reason": reason} if reason else {})
    _tell_asker(request, f"request.{outcome}", Sentence(texts[outcome], words), at)


def announce(request: Request, event: str, at: datetime, **more: str) -> None:
    """Tells webhooks what happened to the request: what leads to it, nothing of what people wrote."""
    data = {
        "request": request.number,
        "kind": request.kind,
        "state": request.state,
        "tenant": request.tenant_code,
        "environment": request.environment,
        "url": f"{settings.EXTERNAL_URL}/api/v1/requests/{request.number}",
    }
    publish(event=event, tenant=request.tenant_id, data=data | more, at=at)


def about(request: Request) -> str:
    """What messages call the request by."""
    return f"request:{request.number}"


def _words(request: Request) -> dict[str, str | int | Sentence]:
    return {"number": request.number, "title": request.title}


def _waits(request: Request, principal: User | None) -> Sentence:
    words = _words(request) | {"asker": str(request.asker)}
    if principal is None:
        return Sentence(gettext_noop("%(asker)s asks for #%(number)s %(title)s: it waits for your decision."), words)
    text = gettext_noop(
        "%(asker)s asks for #%(number)s %(title)s: it waits for your decision in place of %(principal)s."
    )
    return Sentence(text, words | {"principal": str(principal)})


def _still_waits(request: Request, days: int) -> Sentence:
    text = gettext_noop("Reminder: #%(number)s %(title)s still waits for your decision. It expires in %(days)s days.")
    return Sentence(text, _words(request) | {"days": days})


def _tell_asker(
    request: Request, kind: str, sentence: Sentence, at: datetime, by: User | None = None, asks: bool = False
) -> None:
    asker = request.asker.owner or request.asker
    if by is None or asker.pk not in (by.pk, by.owner_id):
        tell(notices=[_notice(request, asker, kind, "mine", sentence, asks)], at=at)


def _notice(request: Request, to: User, kind: str, sort: str, sentence: Sentence, asks: bool = False) -> Notice:
    link = reverse("request-detail", args=[request.number])
    return Notice(to, kind, sort, sentence, link, about(request), asks)


def _involved(request: Request) -> list[User]:
    """Who asked, decided or said something, of those who may still read the request; programs by their owners."""
    asker = request.asker.owner or request.asker
    said = User.objects.filter(pk__in=request.decisions.values("by")) | User.objects.filter(
        pk__in=request.comments.filter(by__isnull=False).values("by")
    )
    members = set(request.tenant.memberships.values_list("subject", flat=True)) if request.tenant else set()
    people = {one.pk: one for one in (found.owner or found for found in said.select_related("owner"))}
    readers = [one for one in people.values() if one.sees_all_tenants or members.intersection(one.subjects)]
    return [asker, *(one for one in readers if one.pk != asker.pk)]
