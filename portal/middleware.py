"""What surrounds every request: its id, who may reach the address, and errors that carry a sentence."""

import re
import uuid
from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from portal import errors
from portal.access import ACCESS
from web.errors import UserError
from web.request_id import request_id

Next = Callable[[HttpRequest], HttpResponse]
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Gives every request an id, or keeps a well-formed one of the proxy; it is in logs, events and the answer."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answers with the id in X-Request-ID."""
        given = request.headers.get("X-Request-ID", "")
        own = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        # Not taken back afterwards: Django logs a 404 once all middleware is done, and the next request sets its own.
        request_id.set(own)
        response = self.get_response(request)
        response["X-Request-ID"] = own
        return response


class AccessMiddleware:
    """Refuses addresses that `portal.access.ACCESS` does not open to this person."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes on; the decision is in process_view, where the URL name is known."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """None to go on; a redirect to the login page, or a 401 for a fragment."""
        assert request.resolver_match is not None
        access = ACCESS.get(request.resolver_match.url_name or "")
        if access is None:
            return errors.error_page(request, 404)
        if access in ("public", "api") or request.user.is_authenticated:
            return None
        login = f"{reverse('login')}?next={quote(request.get_full_path())}"
        if request.headers.get("HX-Request") == "true":
            # The page stays as it is, with what somebody may have typed; its parts say that they are not fresh.
            return HttpResponse(status=401)
        return redirect(login)


class ErrorMiddleware:
    """Turns a UserError that a page did not answer itself into the error page."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes on; see process_exception."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The error page for a UserError, None for anything else."""
        if isinstance(error, UserError):
            return errors.error_page(request, error.status, error.sentence)
        return None
