"""Answers that a healthy test cluster does not give: what is tried again, after how long, and in which words."""

import json

import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError

from clusters.drivers.base import DriverError
from clusters.drivers.kubernetes.errors import translated


def answered(code: int, message: str, reason: str = "", **headers: str) -> DriverError:
    error = ApiException(status=code, reason="HTTP words")
    error.body = json.dumps({"kind": "Status", "message": message, "reason": reason}) if message else "<html>gateway"
    error.headers = headers
    with pytest.raises(DriverError) as caught, translated():
        raise DynamicApiError(error)
    return caught.value


@pytest.mark.parametrize(
    ("code", "message", "reason", "transient"),
    [
        (400, "strict decoding error", "BadRequest", False),
        (403, "exceeded quota", "Forbidden", False),
        (403, "status unknown for quota: a, resources: pods", "Forbidden", True),
        (409, "the object has been modified", "Conflict", True),
        (422, "is invalid", "Invalid", False),
        (429, "too many requests", "TooManyRequests", True),
        (500, "failed to create typed patch object: .spec.x: field not declared in schema", "", False),
        (500, "failed to convert new object to proper version: quantities must match", "", False),
        (500, "etcdserver: request timed out", "", True),
        (500, "internal error", "InternalError", True),
        (502, "", "", True),
        (503, "apiserver is shutting down", "ServiceUnavailable", True),
        (504, "timeout", "Timeout", True),
    ],
)
def test_answer__by_code_and_reason__transient_or_not(code: int, message: str, reason: str, transient: bool) -> None:
    error = answered(code, message, reason)
    assert error.transient is transient
    assert not error.operator
    assert (message or "HTTP words") in error.sentence.english


def test_answer__with_retry_after__kept() -> None:
    answer = {"Retry-After": "7"}
    assert answered(429, "slow down", "TooManyRequests", **answer).retry_after == 7
    assert answered(429, "slow down", "TooManyRequests", **{"Retry-After": "-1"}).retry_after is None
    assert answered(503, "soon", "ServiceUnavailable").retry_after is None


def test_answer__endless_message__cut() -> None:
    assert len(answered(403, "x" * 10_000, "Forbidden").sentence.english) < 600
