"""API tokens as prepared rows for pages: plain values in the reader's language."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.forms import TokenForm, scope_labels
from accounts.models import ApiToken

_STATES = {"active": ("success", "check"), "expired": ("neutral", "clock"), "revoked": ("neutral", "skip")}


def state_words() -> dict[str, str]:
    """What a token can be, in words."""
    return {"active": _("Active"), "expired": _("Expired"), "revoked": _("Revoked")}


def token_row(token: ApiToken, now: datetime, revoke_url: str, form: type[TokenForm] = TokenForm) -> dict[str, Any]:
    """A token in a table of them, its rights in the words of the `form` that makes such; what does not work any more
    cannot be revoked."""
    state = token.state(now)
    tone, icon = _STATES[state]
    labels = scope_labels(form)
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": [labels.get(scope, scope) for scope in token.scopes],
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "state": state,
        "status": {"label": state_words()[state], "tone": tone, "icon": icon},
        "revoke_url": revoke_url if state == "active" else "",
    }
