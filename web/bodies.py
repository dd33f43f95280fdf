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
    """JSON in UTF-8 (RFC 8259) of bounded depth, without NaN and without half of a surrogate pair."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed value. Raises ParseError; Django has bounded the size (DATA_UPLOAD_MAX_MEMORY_SIZE)."""
        try:
            value = json.loads(stream.read().decode(), parse_constant=strict_constant)
            _check(value, 0)
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not JSON in UTF-8.")) from None
        return value


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
