"""REST: search."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from portal import search
from portal.serializers import FoundSerializer
from web.errors import Invalid
from web.filters import LONGEST
from web.searching import words_of


class SearchView(Endpoint):
    """What is called so."""

    @extend_schema(
        operation_id="search",
        summary="Search over what I may see",
        description="Requests by number and title, projects, tenants and clusters by their names: at most 20 of each.",
        parameters=[OpenApiParameter("q", str, required=True, description="words, each of which is in the name")],
        responses=FoundSerializer,
        tags=["search"],
    )
    def get(self, http: Request) -> Response:
        """Hits of all sorts."""
        text = http.query_params.get("q", "")
        if text.strip() and not words_of(text):
            wanted = _("At most five words, %(limit)s characters, in letters that can be shown.") % {"limit": LONGEST}
            raise Invalid(_("Nothing can be looked for with this."), {"/q": wanted})
        groups = search.search(text, http.user)
        return Response(FoundSerializer({"items": [hit for group in groups for hit in group.hits]}).data)
