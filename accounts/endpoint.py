"""What every REST view of the portal has: keys, tags, limits, strict addresses, waiting, links to the next page."""

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from accounts import idempotency
from accounts.models import ApiToken, KeptAnswer, User
from web import etags, paging, rates, waiting
from web.errors import Invalid
from work import failpoints

Handler = Callable[..., HttpResponseBase]


class Seen(NamedTuple):
    """A thing as it is now: its tag, whether it will not change by itself any more, and how it is answered."""

    tag: str
    is_settled: bool
    shape: BaseSerializer[Any]


class Endpoint(APIView):
    """A view of the API; `portal.access` and a test see to it that there are no others.

    POST takes an Idempotency-Key, whatever it does. `is_one_transaction`: the deed and its kept answer are committed
    together, so that a process that dies in between leaves neither; not for what talks to a cluster. Else the service
    itself must see that it was done before. `shown_once`: members of an answer that are null when it is sent again.

    `with_tag`: the methods that answer a tag (`tagged`); `matched`: those that change only what their If-Match names
    (`if_match`, which goes into the service and is checked under its lock). `problems`: further statuses it answers.
    """

    is_one_transaction = False
    shown_once: Collection[str] = ()
    with_tag: Collection[str] = ()
    matched: Collection[str] = ()
    problems: Collection[int] = ()
    claimed: KeptAnswer | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As APIView does it, with POST made to happen once."""
        self.args, self.kwargs = args, kwargs
        http = self.initialize_request(request, *args, **kwargs)
        self.request, self.headers = http, self.default_response_headers
        try:
            self.initial(http, *args, **kwargs)
            is_known = (http.method or "").lower() in self.http_method_names
            handler = getattr(self, (http.method or "").lower(), None) if is_known else None
            answer = self._answer(handler or self.http_method_not_allowed, http)
        except Exception as error:
            answer = self.handle_exception(error)
        final = self.finalize_response(http, answer, *args, **kwargs)  # type: ignore[arg-type]
        self.response = final
        return final

    def check_permissions(self, request: Request) -> None:
        """Counts the call, and refuses what is beyond the limit before anything else."""
        if request.user.is_authenticated:
            reads = request.method in SAFE_METHODS
            limit = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
            caller = f"token-{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"user-{request.user.pk}"
            standing = rates.count(caller, "reads" if reads else "writes", limit)
            self.headers |= standing.headers if standing else {}
        super().check_permissions(request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses also what the address says and the document does not know."""
        super().initial(request, *args, **kwargs)
        if request.method not in self.allowed_methods:
            # Answered by 405, whatever the address says.
            return
        known = _parameters_of(type(self), request.method or "")  # type: ignore[arg-type]
        wrong = {f"/{name}": _("There is no such parameter.") for name in request.query_params if name not in known}
        for name, values in request.query_params.lists():
            if len(values) > 1:
                wrong.setdefault(f"/{name}", _("Say this once."))
            elif (choices := known.get(name)) and values[0] not in choices:
                wrong[f"/{name}"] = _("This is not one of the choices.")
        if wrong:
            raise Invalid(_("The address is not valid."), wrong)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Adds the link to the next page (RFC 8288) to what has one."""
        data = getattr(response, "data", None)
        if request.method in SAFE_METHODS and isinstance(data, dict) and "items" in data and data.get("next"):
            query = request.query_params.copy()
            query["page" if isinstance(data["next"], int) else "after"] = str(data["next"])
            response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def key(self) -> str | None:
        """The Idempotency-Key of the call, checked."""
        return self.claimed.key if self.claimed else None

    def if_match(self) -> etags.IfMatch:
        """The states the caller is ready to change; raises MatchMissing."""
        return etags.read_if_match(self.request.headers.get("If-Match"))

    def tagged(self, tag: str, shape: BaseSerializer[Any], status: int = 200) -> Response:
        """The answer with its tag; 304 without a body where a reader has it already."""
        headers = {"ETag": tag}
        is_read = self.request.method in SAFE_METHODS
        if is_read and etags.is_known(self.request.headers.get("If-None-Match"), tag):
            return Response(status=304, headers=headers)
        return Response(shape.data, status=status, headers=headers)

    def waited(self, look: Callable[[], Seen]) -> Response:
        """What `look` finds, at once or after ?wait= seconds; see web.document.WAIT. Raises Invalid and what `look`
        raises."""
        seconds = paging.whole_number(self.request.query_params, "wait")
        if seconds is not None and seconds > waiting.MOST_SECONDS:
            sentence = _("At most %(most)s.") % {"most": waiting.MOST_SECONDS}
            raise Invalid(_("The address is not valid."), {"/wait": sentence})
        known = self.request.headers.get("If-None-Match")

        def is_news(seen: Seen) -> bool:
            return seen.is_settled if known is None else not etags.is_known(known, seen.tag)

        seen, spent = waiting.until(look, is_news, seconds or 0)
        answer = self.tagged(seen.tag, seen.shape)
        if seconds is not None:
            answer["Waited"] = str(spent)
        return answer

    def _answer(self, handler: Handler, http: Request) -> HttpResponseBase:
        key = http.headers.get("Idempotency-Key")
        if key is None or http.method != "POST" or handler == self.http_method_not_allowed:
            return handler(http, *self.args, **self.kwargs)
        # Read before the parser does, which leaves nothing.
        fingerprint = idempotency.fingerprint_of("POST", http.get_full_path(), http._request.body)
        assert isinstance(http.user, User)
        claimed = idempotency.claim(user=http.user, key=key, fingerprint=fingerprint, at=timezone.now())
        if claimed.status is not None:
            return _replayed(claimed)
        self.claimed = claimed
        try:
            return self._answered_once(handler, http, claimed)
        except BaseException:
            idempotency.give_up(claimed)
            raise

    def _answered_once(self, handler: Handler, http: Request, claimed: KeptAnswer) -> HttpResponseBase:
        try:
            with transaction.atomic() if self.is_one_transaction else nullcontext():
                answer = handler(http, *self.args, **self.kwargs)
                failpoints.reach("before-answer-kept")
                self._keep(claimed, answer)
        except Exception as error:
            answer = self.handle_exception(error)
            if answer.status_code >= 500:
                idempotency.give_up(claimed)
            else:
                self._keep(claimed, answer)
        return answer

    def _keep(self, claimed: KeptAnswer, answer: HttpResponseBase) -> None:
        data = getattr(answer, "data", None)
        if self.shown_once and isinstance(data, dict):
            data = {name: None if name in self.shown_once else value for name, value in data.items()}
        body = b"" if data is None else JSONRenderer().render(data)
        headers = dict(answer.items())
        if body:
            headers["Content-Type"] = getattr(answer, "content_type", None) or "application/json"
        idempotency.keep(claimed, status=answer.status_code, body=body, headers=headers, at=timezone.now())


def _replayed(kept: KeptAnswer) -> HttpResponse:
    answer = HttpResponse(bytes(kept.body), status=kept.status or 200, headers=kept.headers)
    if not kept.body:
        del answer["Content-Type"]
    answer["Idempotency-Replayed"] = "true"
    return answer


@cache
def _parameters_of(view: type[Endpoint], method: str) -> Mapping[str, Collection[str]]:
    """The query parameters that the document has for this method: their choices by name, () for any value."""
    handler = getattr(view, "get" if method == "HEAD" else method.lower(), None)
    schema_class = getattr(handler, "kwargs", {}).get("schema")
    if schema_class is None:
        return {}
    schema = schema_class()
    schema.view, schema.method = view(request=None, kwargs={}), method
    found = schema.get_override_parameters()
    asked = [one for one in found if one.location == OpenApiParameter.QUERY and not one.response]
    return {one.name: tuple(map(str, one.enum or ())) for one in asked}
