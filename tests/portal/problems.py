"""Calling the API with anything at all, and what a refusal must look like."""

import json
from typing import Any

from django.http import HttpResponse

from tests.portal.walk import World

# What looks like a quantity and is none, wherever one is asked for.
NO_QUANTITIES = ["1e9999", "NaN", "-1", "1.5.5", "1_000", "\u0663", "0x10", "Infinity", "1Gi;rm", "1" * 25]
NUL, BIDI, EMOJI = "a\x00b", "abc\u202egnp", "🦊"


def label(value: object) -> str:
    """Names a case that cannot be printed."""
    return ascii(value)[:40]


def post(world: World, path: str, body: Any, who: str = "dev", **headers: str) -> HttpResponse:
    """Posts JSON, or bytes as they are, to /api/v1/<path>; an exception of the view is a 500."""
    client = world.program(who)
    client.raise_request_exception = False
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/api/v1/{path}", text, content_type="application/json", headers=headers)


def assert_problem(response: HttpResponse, status: int, pointer: str | None = None, sentence: str = "") -> None:
    """RFC 9457 with the status, and with a pointer the sentence there, else in the detail."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status and body["instance"].endswith(response["X-Request-ID"])
    if pointer is None:
        assert sentence in body["detail"]
        return
    errors = {error["pointer"]: error["detail"] for error in body["errors"]}
    assert pointer in errors and sentence in errors[pointer], errors
