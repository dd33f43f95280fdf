"""Signing in against the enterprise directory: search, bind, and mirror what the directory says of the person. And, for
when it is down, by emergency access."""

from typing import Any

import ldap
from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django_auth_ldap.backend import LDAPBackend, ldap_error
from django_auth_ldap.config import LDAPSettings

from accounts import directory, emergency, ldap_settings, rules
from accounts.models import User
from web import measures
from web.errors import Forbidden

_LONGEST_PASSWORD = 512
# What a directory answers where the person is at fault and not itself: no password set, locked, password expired.
_REFUSALS = (ldap.INAPPROPRIATE_AUTH, ldap.UNWILLING_TO_PERFORM, ldap.CONSTRAINT_VIOLATION, ldap.INSUFFICIENT_ACCESS)


class NotAPerson(Forbidden):
    """The name belongs to a service account: its roles were given to its owner, not to a namesake in the directory."""

    def __init__(self) -> None:
        super().__init__(_("This name belongs to a service account; nobody signs in with it."))


class DirectoryBackend(LDAPBackend):
    """django-auth-ldap for the portal's own user model; no groups or permissions of Django are used."""

    def __init__(self) -> None:
        # Django builds a backend per login, so a changed setting counts from the next one on.
        self.settings = LDAPSettings(self.settings_prefix, ldap_settings.backend_settings())

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The person behind name and password, or None. Raises DirectoryUnavailable, NotAPerson.

        What cannot be a user name or a password never reaches the directory; an empty password above all, for which
        many servers answer a bind with success (RFC 4513, 5.1.2).
        """
        name = rules.account_name(username or "")
        if name is None or not password or len(password) > _LONGEST_PASSWORD or "\0" in password:
            return None
        with measures.timed(directory.MEASURED, directory.DirectoryUnavailable, operation="login"):
            user: User | None = super().authenticate(request, name, password)
        return user if user is not None and user.is_active else None

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """The account of the person just bound, as the directory describes it now; django-auth-ldap saves it."""
        person = directory.person_from(ldap_user.attrs or {})
        if person is None:
            raise ldap_user.AuthenticationFailed("the entry's user name is not one the portal accepts")
        groups = directory.groups_of(ldap_user.connection, ldap_user.dn)
        # Two first logins at once: one of them creates the row.
        user, _created = User.objects.get_or_create(
            username=person.username, defaults={"password": make_password(None)}
        )
        if not user.is_active:
            raise ldap_user.AuthenticationFailed("the account is switched off")
        if user.owner_id is not None:
            raise NotAPerson
        user.display_name = person.display_name
        user.email = person.email
        user.directory_groups = [dn for dn in groups if len(dn) <= rules.LONGEST_DN]
        user.roles = rules.roles_of(user.directory_groups, settings.ROLE_GROUPS)
        user.roles_seen_at = timezone.now()
        return user, False

    def get_user(self, user_id: int) -> User | None:
        """The account a session belongs to: from the database alone, so that sessions outlive the directory."""
        return User.objects.filter(pk=user_id, is_active=True).first()


class EmergencyBackend(BaseBackend):
    """Accounts that `manage.py break_glass` opened; everybody else is left to the directory."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The account behind name and password, None for other names. Raises PermissionDenied, so that nobody else is
        asked and the try is counted."""
        name = rules.emergency_name(username or "")
        if name is None:
            return None
        if not password or len(password) > _LONGEST_PASSWORD:
            raise PermissionDenied
        user = emergency.open_at(timezone.now()).filter(username=name).first()
        if user is None:
            # Takes as long as a wrong password, so that the time does not tell what is open.
            make_password(password)
            raise PermissionDenied
        if not user.check_password(password):
            raise PermissionDenied
        return user

    def get_user(self, user_id: int) -> User | None:
        """The account a session belongs to, as long as it is open."""
        return emergency.open_at(timezone.now()).filter(pk=user_id).select_related("owner").first()


@receiver(ldap_error, sender=DirectoryBackend, dispatch_uid="directory-unavailable")
def _unavailable(context: str, exception: ldap.LDAPError, **_kwargs: Any) -> None:
    """django-auth-ldap takes every LDAP error for a wrong password; only a refused bind is one."""
    if context == "authenticate" and isinstance(exception, _REFUSALS):
        return
    raise directory.DirectoryUnavailable from exception
