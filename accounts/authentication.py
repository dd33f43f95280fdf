"""Who calls the REST API: a bearer token or a session, and what it may do there."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts import services, tokens
from accounts.models import ApiToken, User

if TYPE_CHECKING:
    # rest_framework.views imports this module while it is being made.
    from rest_framework.views import APIView

# To the minute is enough to find forgotten tokens, and spares a write per call.
_NOTE_USE_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer cp_...`; request.auth becomes the ApiToken."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """User and token, or None where no bearer token is sent. Raises AuthenticationFailed (401) for a bad one,
        DirectoryUnavailable (503) where nobody knows what its owner may still do."""
        scheme, _space, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = _token_of(text.strip())
        if token is None:
            # One sentence for all: what is wrong with a token is its owner's business.
            raise AuthenticationFailed(_("The token is not valid, has expired or was revoked."))
        try:
            services.refresh_person(user=token.user, at=timezone.now())
        except services.PersonGone as gone:
            raise AuthenticationFailed(gone.sentence) from gone
        _note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Makes a refusal 401 with this challenge."""
        return 'Bearer realm="api"'


class HasScope(BasePermission):
    """Reading needs the scope "read", all else the view's `required_scope` (default "request"); sessions have all."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller is known and its token, if any, covers the method."""
        if not request.user.is_authenticated:
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        needed = "read" if request.method in SAFE_METHODS else getattr(view, "required_scope", "request")
        self.message = _('The token lacks the right "%(scope)s".') % {"scope": needed}
        return needed in request.auth.scopes


def _token_of(text: str) -> ApiToken | None:
    prefix = tokens.prefix_of(text)
    if prefix is None:
        return None
    token = ApiToken.objects.select_related("user", "user__owner").filter(prefix=prefix).first()
    digest = tokens.digest_of(text, settings.TOKEN_PEPPER)
    # Compared also where there is no such row, so that the time does not tell which prefixes exist.
    if not tokens.same_digest(digest, token.digest if token else "0" * len(digest)) or token is None:
        return None
    if token.state(timezone.now()) != "active":
        return None
    owner = token.user.owner
    return token if token.user.is_active and (owner is None or owner.is_active) else None


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    before = now - _NOTE_USE_EVERY
    if token.last_used_at is not None and token.last_used_at > before:
        return
    ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=token.pk).update(last_used_at=now)
    token.last_used_at = now
