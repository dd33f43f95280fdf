"""REST: the API document."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from web.errors import Invalid

_LANGUAGES = [code for code, _name in settings.LANGUAGES]


class DocumentView(Endpoint):
    """The API document."""

    @extend_schema(
        operation_id="document",
        summary="This document",
        description="OpenAPI 3.1, with what people read in the caller's language.",
        parameters=[OpenApiParameter("lang", enum=_LANGUAGES)],
        responses=OpenApiTypes.OBJECT,
        tags=["document"],
    )
    def get(self, http: Request) -> Response:
        """As docs/openapi.json."""
        wanted = http.query_params.get("lang", translation.get_language() or settings.LANGUAGE_CODE)
        if wanted not in _LANGUAGES:
            sentence = translation.gettext("This is not one of the choices.")
            raise Invalid(translation.gettext("The address is not valid."), {"/lang": sentence})
        return Response(document(wanted))


@cache
def document(language: str) -> dict[str, Any]:
    """The document with its words in this language; made once, since only new code changes it."""
    with translation.override(language):
        # Written and read again: words that are translated when they are read are read now.
        found = JSONRenderer().render(SchemaGenerator().get_schema(request=None, public=True))
    read: dict[str, Any] = json.loads(found)
    return read
