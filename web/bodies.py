"""Bodies of API calls, read strictly: what no row, log or answer could hold is refused before anything looks at it."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils.json import strict_constant

# No schema of ours is half as deep; Python's own limit would end in a 500.
DEEPEST = 32


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 (RFC 8259) of bounded depth, without NaN, half a surrogate pair, and names that are there twice."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed value. Raises ParseError; Django has bounded the size (DATA_UPLOAD_MAX_MEMORY_SIZE)."""
        try:
            value = json.loads(stream.read().decode(), parse_constant=strict_constant, object_pairs_hook=_object)
            _check(value, 0)
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not JSON in UTF-8.")) from None
        return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ParseError where a name is there twice: what checks and what acts might each take another one."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ParseError(_("A name is there twice in one object of the body."))
    return made


def _check(value: Any, depth: int) -> None:
    """Raises ValueError for what cannot be written as UTF-8 or is too deep."""
    if depth > DEEPEST:
        raise ValueError(depth)
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for key, inner in value.items():
            key.encode()
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
