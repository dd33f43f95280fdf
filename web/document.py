"""What every operation of the API document has in common: problems, keys, tags, limits."""

from collections.abc import Collection
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from web.paging import MOST as MOST_IN_A_PAGE
from web.waiting import MOST_SECONDS

PROBLEM = "application/problem+json"
_HEADER: Literal["header"] = "header"

AFTER = OpenApiParameter("after", str, description="`next` of the page before")
LIMIT = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_IN_A_PAGE, "default": 50})
PAGING = [AFTER, LIMIT]
WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": MOST_SECONDS},
    description="Seconds to wait for news: until it is no longer what If-None-Match names, or without that header until"
    " it is settled. The header Waited says how many it were; 0 also where too many calls wait already.",
)


def order_by(orders: Collection[str]) -> OpenApiParameter:
    """`order` of a list that has these orders (web.paging.ordered_page)."""
    choices = list(orders)
    return OpenApiParameter("order", enum=choices, default=choices[0])


_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200},
    _HEADER,
    description="Sent again with the same key and body within 24 hours, the call does not happen again: the first "
    "answer is sent again, with `Idempotency-Replayed: true`.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match", str, _HEADER, required=True, description="The ETag of what is changed, or * for whatever is there."
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, _HEADER, description="An ETag; 304 while it is still what would be answered."
)
_STATUSES = {
    400: "What was sent was not understood.",
    401: "No token, or one that does not work.",
    403: "The caller, or the token, may not do this.",
    404: "There is no such thing, or the caller may not know of it.",
    406: "The API answers in JSON.",
    409: "The state does not allow it, or the Idempotency-Key is in use.",
    412: "It is no longer what If-Match names; `etag` says what it is.",
    413: "The body is too large.",
    415: "The API reads JSON.",
    422: "Not valid; `errors` says where.",
    428: "If-Match is missing.",
    429: "Too many calls in this minute; Retry-After says how long to wait.",
    503: "Something the portal needs, such as the directory, does not answer.",
}


class ProblemPlaceSerializer(serializers.Serializer[Any]):
    """One thing that is wrong: where in the body (JSON pointer) or in the address (/name), and what."""

    pointer = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457); some have further members."""

    type = serializers.CharField(help_text="urn:portal:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="urn:portal:request:<id>, which leads to the log")
    errors = ProblemPlaceSerializer(many=True, required=False)  # type: ignore[assignment]


class EndpointSchema(AutoSchema):
    """Adds to what a view declares what `accounts.endpoint.Endpoint` does for all of them."""

    # An Endpoint, which this room does not know.
    view: Any

    def get_override_parameters(self) -> list[Any]:
        """Headers that are read and sent; ExtendedSchema adds those of the view."""
        found = [_sent("RateLimit", "calls left in this minute"), _sent("RateLimit-Policy", "calls a minute")]
        if self.method == "POST":
            found += [_KEY, _sent("Idempotency-Replayed", "`true` where an earlier answer is sent again")]
        if self.method in self.view.matched:
            found.append(_IF_MATCH)
        if self.method in self.view.with_tag:
            found.append(_sent("ETag", "what If-Match and If-None-Match take"))
        if self.method == "GET" and "GET" in self.view.with_tag:
            found.append(_IF_NONE_MATCH)
        return found

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        """The answers of the view, and the problems that may come instead."""
        found: dict[str, Any] = super()._get_response_bodies(direction)
        if self.method == "GET" and "GET" in self.view.with_tag:
            found["304"] = {"description": "It is still what If-None-Match names."}
        # Now the component is there for `problems` below.
        self.resolve_serializer(ProblemSerializer, "response")
        for status in self._problems():
            found.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
        return dict(sorted(found.items()))

    def _problems(self) -> set[int]:
        found = {400, 401, 403, 406, 422, 429, 503}
        if self.method != "GET":
            found |= {404, 409, 413, 415}
        if "{" in self.path:
            found.add(404)
        if self.method in self.view.matched:
            found |= {412, 428}
        return found | set(self.view.problems)


def problems(result: dict[str, Any], **_arguments: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular: the problems that operations refer to, each once."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    later = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    result["components"]["responses"] = {
        f"Problem{status}": {"description": words, "content": content}
        | ({"headers": later} if status in (409, 429) else {})
        for status, words in _STATUSES.items()
    }
    return result


def _sent(name: str, description: str) -> OpenApiParameter:
    """A header of answers that are no problems."""
    return OpenApiParameter(name, str, _HEADER, response=[200, 201, 202, 204], description=description)
