"""Secrets of endpoints and what they sign, by the Standard Webhooks specification."""

import base64
import os
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from notify.models import Endpoint
from web import sealing

SECRET_BYTES = 32
# Fields of an endpoint that are sealed.
SEALED = ("secret", "old_secret")


def new_secret() -> str:
    """A secret as it is shown once."""
    return "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def place_of(endpoint: Endpoint, name: str) -> str:
    """Where a secret belongs, for sealing."""
    return f"notify.Endpoint:{name}:{endpoint.uid}"


def secrets_of(endpoint: Endpoint, at: datetime) -> list[str]:
    """Those that sign at `at`, the newest first. Raises sealing.Unreadable."""
    found = [sealing.unseal(endpoint.secret_sealed, place_of(endpoint, "secret"))]
    if endpoint.old_secret_until is not None and endpoint.old_secret_until > at:
        found.append(sealing.unseal(endpoint.old_secret_sealed, place_of(endpoint, "old_secret")))
    return found


def headers(webhook_id: str, body: str, secrets: Iterable[str], at: datetime) -> dict[str, str]:
    """webhook-id, webhook-timestamp and webhook-signature, with a signature for each of the secrets."""
    moment = at.astimezone(UTC)
    signatures = [Webhook(secret).sign(webhook_id, moment, body) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
