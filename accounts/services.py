"""What a person can do with an account: sign in and out, hold tokens, choose language and theme."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts import directory, rules, tokens
from accounts.models import ADMINISTRATORS, ApiToken, ApproverGroup, User
from audit import services as audit
from web.errors import Conflict, Forbidden, Invalid, UserError

# How long a directory that did not answer is not asked again for the same person: every try costs seconds.
_SPARE_AFTER_SILENCE = timedelta(minutes=1)


class PersonGone(UserError):
    """The directory knows the person no longer, or there is nobody any more who answers for a service account: all
    sessions have ended and no token works."""

    status = 401
    code = "person-gone"

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("The company directory does not know this person any more."))


def note_login(*, user: User, address: str, at: datetime) -> None:
    """Writes down that `user` signed in from the IP address `address`, with the roles the directory gave."""
    with transaction.atomic():
        audit.record(
            actor=user,
            action="user.login",
            subject=_subject(user),
            at=at,
            after={"address": address, "roles": user.roles},
        )


def note_failed_login(*, username: str | None, reason: str, address: str, at: datetime) -> None:
    """Writes down a refused login; `username` None where none was given.

    `reason` is wrong, locked, unavailable or service-account.

    What was typed is kept only where it can be a user name: people type their password into the wrong field.
    """
    with transaction.atomic():
        audit.record(
            actor=None,
            action="user.login-failed",
            subject=f"user:{username or '?'}",
            at=at,
            after={"address": address, "reason": reason},
        )


def note_session_end(*, user: User, why: str, at: datetime) -> None:
    """Writes down that a session ended by itself; `why` is idle or over (accounts.sessions)."""
    with transaction.atomic():
        audit.record(actor=user, action="user.session-end", subject=_subject(user), after={"why": why}, at=at)


def note_logout(*, user: User, at: datetime) -> None:
    """Writes down that `user` signed out."""
    with transaction.atomic():
        audit.record(actor=user, action="user.logout", subject=_subject(user), at=at)


def refresh_person(*, user: User, at: datetime) -> None:
    """Groups and roles of `user` as the directory has them now, unless they were seen within ROLES_FRESH_SECONDS.

    A service account is no entry of the directory: its owner is looked up in its place, and it is held to what the
    owner may (SERVICE_ACCOUNT_HOLD). While the directory does not
    answer, what it said within the life of a session (SESSION_COOKIE_AGE) counts. Raises PersonGone,
    directory.DirectoryUnavailable.
    """
    if user.local_until is not None:
        # Emergency access is for when the directory does not answer.
        if user.local_until <= at:
            raise PersonGone
        return
    if user.owner is not None:
        refresh_person(user=user.owner, at=at)
        import_string(settings.SERVICE_ACCOUNT_HOLD)(user=user, at=at)
        return
    if _is_within(user.roles_seen_at, timedelta(seconds=settings.ROLES_FRESH_SECONDS), at):
        return
    try:
        if _is_within(user.roles_missed_at, _SPARE_AFTER_SILENCE, at):
            raise directory.DirectoryUnavailable
        groups = directory.groups_of_person(user.username)
    except directory.DirectoryUnavailable:
        if not _is_within(user.roles_missed_at, _SPARE_AFTER_SILENCE, at):
            User.objects.filter(pk=user.pk).update(roles_missed_at=at)
        if _is_within(user.roles_seen_at, timedelta(seconds=settings.SESSION_COOKIE_AGE), at):
            return
        raise
    if groups is None:
        _note_gone(user, at)
        raise PersonGone
    _note_groups(user, [dn for dn in groups if len(dn) <= rules.LONGEST_DN], at)


def issue_token(
    *,
    user: User,
    name: str,
    scopes: Collection[str],
    days: int,
    by: User,
    at: datetime,
    through: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """A new API token of `user`, valid for `days` days, and its text, which is shown once and kept nowhere.

    `through` is the token that `by` asks with, if any: a token makes none that can more or lives longer than itself.
    Raises Forbidden for somebody else's account, Invalid for a bad name, scope or life, Conflict for one too many.
    """
    check_manage_tokens(user=user, by=by)
    expires_at = at + timedelta(days=max(days, 0))
    _check_token(name=name, scopes=scopes, days=days)
    _check_not_beyond(through=through, scopes=scopes, expires_at=expires_at)
    prefix, text = tokens.new_token()
    with transaction.atomic():
        # The row lock makes counting and adding one step.
        User.objects.select_for_update().get(pk=user.pk)
        if ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=at).count() >= rules.MOST_ACTIVE_TOKENS:
            raise Conflict(
                _("There are already %(count)s active tokens. Revoke one first.") % {"count": rules.MOST_ACTIVE_TOKENS}
            )
        token = ApiToken.objects.create(
            user=user,
            name=name.strip(),
            prefix=prefix,
            digest=tokens.digest_of(text, settings.TOKEN_PEPPER),
            scopes=[scope for scope in rules.SCOPES if scope in scopes],
            created_at=at,
            expires_at=expires_at,
        )
        audit.record(actor=by, action="token.issue", subject=f"token:{prefix}", at=at, after=_described(token))
    return token, text


def revoke_token(*, token: ApiToken, by: User, at: datetime) -> None:
    """Ends a token at once; a second time it does nothing. Raises Forbidden for somebody else's token."""
    if not by.is_administrator:
        check_manage_tokens(user=token.user, by=by)
    end_token(token=token, by=by, at=at)


def end_token(*, token: ApiToken, by: User, at: datetime) -> None:
    """As `revoke_token`, for who has seen to it that `by` may."""
    with transaction.atomic():
        if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
            return
        audit.record(actor=by, action="token.revoke", subject=f"token:{token.prefix}", at=at, before=_described(token))
    token.revoked_at = at


def set_preferences(*, user: User, language: str | None, theme: str | None, at: datetime) -> None:
    """Sets the language (a code of LANGUAGES) and the theme (light, dark); "" is as the browser says, None as it was.

    Raises Invalid for anything else.
    """
    check_preferences(language=language, theme=theme)
    before = {"language": user.language, "theme": user.theme}
    after = {
        "language": user.language if language is None else language,
        "theme": user.theme if theme is None else theme,
    }
    if before == after:
        return
    user.language, user.theme = after["language"], after["theme"]
    with transaction.atomic():
        user.save(update_fields=["language", "theme"])
        audit.record(actor=user, action="user.prefer", subject=_subject(user), at=at, before=before, after=after)


def sync_groups(*, at: datetime) -> list[ApproverGroup]:
    """Makes a row of every approver group in ROLE_GROUPS (role "approver:<slug>" -> DN), and one of the platform's
    administrators; those changed are returned.

    Names are set once, so that people may word them; a group that is gone from the settings stays, as policies name it,
    but loses its DN.
    """
    wanted = {
        role.partition(":")[2]: rules.normal_dn(dn)
        for role, dn in settings.ROLE_GROUPS.items()
        if role.startswith("approver:")
    }
    if "administrator" in settings.ROLE_GROUPS:
        wanted[ADMINISTRATORS] = rules.normal_dn(settings.ROLE_GROUPS["administrator"])
    changed = []
    with transaction.atomic():
        known = {group.slug: group for group in ApproverGroup.objects.select_for_update()}
        for slug in sorted(wanted.keys() | known.keys()):
            group = known.get(slug) or _new_group(slug)
            if group.pk and group.ldap_dn == wanted.get(slug, ""):
                continue
            before = {"ldap_dn": group.ldap_dn} if group.pk else None
            group.ldap_dn = wanted.get(slug, "")
            group.save()
            audit.record(
                actor=None,
                action="approver-group.sync",
                subject=f"approver-group:{slug}",
                at=at,
                before=before,
                after={"ldap_dn": group.ldap_dn},
            )
            changed.append(group)
    return changed


def check_manage_tokens(*, user: User, by: User) -> None:
    """Raises Forbidden unless `by` is `user` or the owner of that service account; emergency access has no tokens."""
    if by.is_emergency or user.is_emergency:
        raise Forbidden(_("Emergency access has no tokens: they would outlive it."))
    if by.pk not in (user.pk, user.owner_id):
        raise Forbidden(_("Only the owner of an account can manage its tokens."))


def check_preferences(*, language: str | None, theme: str | None) -> None:
    """Raises Invalid unless both are known; see set_preferences."""
    if language and language not in dict(settings.LANGUAGES):
        raise Invalid(_("This language is not spoken here."), {"/language": _("Choose one of the languages offered.")})
    if theme and theme not in ("light", "dark"):
        raise Invalid(_("There is no such theme."), {"/theme": _("Choose light or dark.")})


def _is_within(moment: datetime | None, age: timedelta, at: datetime) -> bool:
    return moment is not None and at - moment < age


def _note_groups(user: User, groups: list[str], at: datetime) -> None:
    before = user.roles
    user.directory_groups, user.roles = groups, rules.roles_of(groups, settings.ROLE_GROUPS)
    user.roles_seen_at = at
    with transaction.atomic():
        user.save(update_fields=["directory_groups", "roles", "roles_seen_at"])
        if user.roles != before:
            audit.record(
                actor=None,
                action="user.roles",
                subject=_subject(user),
                at=at,
                before={"roles": before},
                after={"roles": user.roles},
            )


def _note_gone(user: User, at: datetime) -> None:
    """Takes all the person was; another password, though nobody can use one, ends the sessions in other browsers."""
    is_news = user.roles_seen_at is not None
    before = {"roles": user.roles}
    user.directory_groups, user.roles, user.roles_seen_at = [], [], None
    user.set_unusable_password()
    with transaction.atomic():
        user.save(update_fields=["directory_groups", "roles", "roles_seen_at", "password"])
        # A token that is tried again and again is one event.
        if is_news:
            audit.record(actor=None, action="user.gone", subject=_subject(user), at=at, before=before)


def _check_token(*, name: str, scopes: Collection[str], days: int) -> None:
    wrong = {}
    if not 1 <= len(name.strip()) <= 80:
        wrong["/name"] = _("Give a name of 1 to 80 characters.")
    if not scopes or not set(scopes) <= set(rules.SCOPES):
        wrong["/scopes"] = _("Choose at least one of the rights offered.")
    if not 1 <= days <= rules.LONGEST_TOKEN_DAYS:
        wrong["/days"] = _("Choose a life of 1 to %(days)s days.") % {"days": rules.LONGEST_TOKEN_DAYS}
    if wrong:
        raise Invalid(_("The token cannot be made like this."), wrong)


def _check_not_beyond(*, through: ApiToken | None, scopes: Collection[str], expires_at: datetime) -> None:
    if through is None:
        return
    if not set(scopes) <= set(through.scopes) or expires_at > through.expires_at:
        raise Forbidden(_("A token cannot make one that may do more or lives longer than itself."))


def _new_group(slug: str) -> ApproverGroup:
    name_zh, name_en = rules.APPROVER_GROUP_NAMES.get(slug, (slug, slug))
    return ApproverGroup(slug=slug, name_zh=name_zh, name_en=name_en)


def _subject(user: User) -> str:
    return f"user:{user.username}"


def _described(token: ApiToken) -> dict[str, object]:
    return {
        "user": token.user.username,
        "name": token.name,
        "scopes": token.scopes,
        "expires_at": token.expires_at.isoformat(),
    }
