"""REST: what one was told, and having read it."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from notify import queries, services
from notify.models.message import SORTS
from notify.serializers import MessagePageSerializer, MessageSerializer, ReadSerializer, UntilSerializer
from web import paging
from web.document import PAGING
from web.errors import Invalid


class MessagesView(Endpoint):
    """What one was told."""

    @extend_schema(
        operation_id="notifications_list",
        summary="What I was told",
        parameters=[
            OpenApiParameter("state", enum=["unread"], description="only what is neither read nor done"),
            OpenApiParameter("sort", enum=list(SORTS)),
            *PAGING,
        ],
        responses=MessagePageSerializer,
        tags=["notifications"],
    )
    def get(self, http: Http) -> Response:
        """Newest first."""
        for name, known in (("state", ("unread",)), ("sort", SORTS)):
            if name in http.query_params and http.query_params[name] not in known:
                raise Invalid(_("The address is not valid."), {f"/{name}": _("This is not one of the choices.")})
        is_unread = "state" in http.query_params
        found = queries.unread_of(http.user) if is_unread else queries.messages_visible_to(http.user)
        if "sort" in http.query_params:
            found = found.filter(sort=http.query_params["sort"])
        page, after = paging.page_of(found, http.query_params)
        return Response(MessagePageSerializer({"items": page, "next": after}).data)


class ReadView(Endpoint):
    """Having read one message."""

    is_one_transaction = True
    problems = (404,)

    @extend_schema(
        operation_id="notifications_read",
        summary="Mark as read",
        request=None,
        responses=MessageSerializer,
        tags=["notifications"],
    )
    def post(self, http: Http, pk: int) -> Response:
        """The message; a second time changes nothing."""
        return Response(MessageSerializer(services.read(pk=pk, by=http.user, at=timezone.now())).data)


class ReadAllView(Endpoint):
    """Having read all messages."""

    is_one_transaction = True

    @extend_schema(
        operation_id="notifications_read_all",
        summary="Mark all as read",
        description="With `until` those that came after that message stay unread.",
        request=UntilSerializer,
        responses=ReadSerializer,
        tags=["notifications"],
    )
    def post(self, http: Http) -> Response:
        """How many there were."""
        asked = UntilSerializer(data=http.data)
        asked.is_valid(raise_exception=True)
        until = asked.validated_data.get("until")
        return Response({"count": services.read_all(until=until, by=http.user, at=timezone.now())})
