"""How the API document describes bearer tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):
    """The security scheme of accounts.authentication.TokenAuthentication."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """An HTTP bearer scheme (OpenAPI 3.1, Security Scheme Object)."""
        return {"type": "http", "scheme": "bearer", "description": "An API token: cp_..."}
