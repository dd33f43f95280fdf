"""What surrounds every request: its id and measure, security headers, who may reach the address, errors in words."""

import re
import time
import uuid
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.shortcuts import redirect
from django.urls import reverse

from portal import errors
from portal.access import ACCESS
from web import measures
from web.errors import UserError
from web.request_id import request_id

Next = Callable[[HttpRequest], HttpResponse]
# Beside those that Django's and django-csp's settings name.
HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), "
        "geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
        "publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=(), clipboard-write=(self)"
    ),
    # Nearly every answer is about a person; static files say themselves how long they may be kept.
    "Cache-Control": "no-store",
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
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


class MeasureMiddleware:
    """Counts every answer and how long it took to begin, by route; static files are left out."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes on; an address that leads nowhere has no route of its own, as there is no end of them."""
        began = time.monotonic()
        response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL):
            route = (request.resolver_match and request.resolver_match.url_name) or "none"
            method = request.method if request.method in _METHODS else "other"
            measures.count("portal_http_requests_total", route=route, method=method, code=str(response.status_code))
            measures.observe("portal_http_request_duration_seconds", time.monotonic() - began, route=route)
        return response


class HeadersMiddleware:
    """Puts the security headers on every answer: pages, static files, the API, and what other middleware refuses."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self._security = SecurityMiddleware(get_response)
        self._csp = CSPMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """What an answer says of itself stays."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        self._security.process_response(request, response)
        self._csp.process_response(request, response)
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
        if access in ("public", "monitor", "api") or request.user.is_authenticated:
            return None
        login = _login_url(request)
        if request.headers.get("HX-Request") == "true":
            # The page as a whole goes there, not the part that asked; what was typed is kept by static/src/session.js.
            return HttpResponse(status=401, headers={"HX-Redirect": login})
        return redirect(login)


def _login_url(request: HttpRequest) -> str:
    """The login page, with why one has to go there, and with the way back: to a page, never to a part or a form's
    target."""
    if request.headers.get("HX-Request") == "true":
        back = _own_page(request, request.headers.get("HX-Current-URL", ""))
    elif request.method in ("GET", "HEAD"):
        back = request.get_full_path()
    else:
        back = _own_page(request, request.headers.get("Referer", ""))
    ended = getattr(request, "session_ended", "")
    query = [f"next={quote(back)}"] if back else []
    query += [f"ended={ended}"] if ended else []
    return "?".join([reverse("login"), *(["&".join(query)] if query else [])])


def _own_page(request: HttpRequest, address: str) -> str:
    """Path and query of an address if it is this portal's, else ""."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.netloc != request.get_host() or not parts.path.startswith("/") or parts.path.startswith("//"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


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
