"""Who calls, as the framework's own token authentication finds it out."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens import prefix_of


class BareToken(BaseAuthentication):
    """One lookup, as the framework's own token authentication does it; nothing is checked beyond that."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken]:
        """User and token. Raises AuthenticationFailed."""
        text = get_authorization_header(request).decode().partition(" ")[2]
        token = ApiToken.objects.select_related("user").filter(prefix=prefix_of(text) or "").first()
        if token is None:
            raise AuthenticationFailed
        return token.user, token
