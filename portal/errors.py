"""Errors mapped once: to the error page, and to RFC 9457 problem details for the API."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from web.errors import Invalid, UserError
from web.moments import exact
from web.request_id import request_id

PROBLEM = "application/problem+json"
NON_FIELD_ERRORS = api_settings.NON_FIELD_ERRORS_KEY


Words = tuple[str, str, str]


def error_page(request: HttpRequest, status: int, sentence: str = "", words: Words | None = None) -> HttpResponse:
    """What happened, why, and what to do, in the `words` for the status or in those given; `sentence` replaces the
    cause. The reference id leads to the log. Who is signed in keeps the navigation."""
    title, cause, todo = words or _words(status)
    # Who is signed in is asked of the database, which may be what failed.
    known = None if status >= 500 else request
    context = {
        "frame": "base.html" if known is not None and _is_signed_in(known) else "base_plain.html",
        "status": status,
        "title": title,
        "sentence": sentence or cause,
        "todo": todo,
        "reference": request_id.get(),
        "at": exact(timezone.now()),
        "home_url": "/",
        "retry_url": request.get_full_path() if status >= 500 and request.method == "GET" else "",
    }
    return HttpResponse(render_to_string("error.html", context, known), status=status)


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and request.headers.get("HX-Request") != "true"


def _words(status: int) -> Words:
    """(title, cause, what to do) for a status."""
    words = {
        400: (_("That did not arrive as it should"), _("The request was not understood."), _("Go back and try again.")),
        401: (_("Please sign in"), _("The portal does not know who is asking."), _("Sign in, or send a token.")),
        403: (
            _("You may not do this"),
            _("Your role does not allow it."),
            _("If you need it for your work, ask the owner of your tenant or the platform team."),
        ),
        404: (
            _("Page not found"),
            _("The page does not exist, or it belongs to a tenant you are not part of."),
            _("Check the address, or ask the owner of the tenant to make you a member."),
        ),
        405: (_("That is not done here"), _("The address does not take this method."), _("See the API document.")),
        406: (_("That format is not written here"), _("The API answers in JSON."), _("Accept application/json.")),
        409: (_("Somebody was faster"), _("The state has changed meanwhile."), _("Go back and look at it again.")),
        412: (
            _("Somebody was faster"),
            _("It is no longer what you read."),
            _("Read it again, and change what is there now."),
        ),
        413: (_("That is too large"), _("The body is larger than the portal takes."), _("Send less at once.")),
        415: (_("That format is not read here"), _("The API reads JSON."), _("Send application/json.")),
        422: (_("Not valid"), _("Something in it is not valid."), _("Go back and correct it.")),
        428: (
            _("Which state is meant?"),
            _("A change has to say what it changes."),
            _("Read it first, and send its ETag as If-Match."),
        ),
        429: (
            _("Too many calls"),
            _("There are more of them than the portal answers in a minute."),
            _("Wait as long as Retry-After says."),
        ),
        503: (
            _("Something the portal needs does not answer"),
            _("Please try again in a few minutes."),
            _("If it lasts, tell the platform team the reference id."),
        ),
    }
    fallback = (
        _("Something went wrong on our side"),
        _("Nothing you entered caused this, and nothing was left half-done."),
        _("Try again; if it happens again, tell the platform team the reference id."),
    )
    return words.get(status, fallback)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: malformed, also where Django itself refuses, 413: too large; for the API as problem details."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    if request.path.startswith("/api/"):
        return _json_problem(request, status, "bad-request", _words(status)[1])
    return error_page(request, status)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: not allowed; for the API as problem details."""
    if request.path.startswith("/api/"):
        return _json_problem(request, 403, "forbidden", _("Your role does not allow it."))
    return error_page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's protection token is missing or old."""
    words = (
        _("This form is no longer valid"),
        _("It was open too long, or somebody signed in or out in the meantime."),
        _("Go back, where your entries still are, and send it again; reload the page there if that is asked."),
    )
    return error_page(request, 403, words=words)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such address; for the API as problem details."""
    if request.path.startswith("/api/"):
        return _json_problem(request, 404, "not-found", _("There is no such endpoint."))
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault, already logged with the reference id."""
    if request.path.startswith("/api/"):
        return _json_problem(request, 500, "server-error", _("Something went wrong on our side."))
    return error_page(request, 500)


def _json_problem(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    return JsonResponse(problem(status, code, sentence), status=status, content_type=PROBLEM)


def problem(status: int, code: str, sentence: str, fields: dict[str, str] | None = None) -> dict[str, Any]:
    """RFC 9457 problem details; `errors` lists field problems by JSON pointer."""
    body: dict[str, Any] = {
        "type": f"urn:portal:problem:{code}",
        "title": _words(status)[0],
        "status": status,
        "detail": sentence,
        "instance": f"urn:portal:request:{request_id.get()}",
    }
    if fields:
        body["errors"] = [{"pointer": pointer, "detail": text} for pointer, text in fields.items()]
    return body


def api_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error as problem details; None lets Django answer 500."""
    if isinstance(error, UserError):
        fields = error.fields if isinstance(error, Invalid) else None
        body = problem(error.status, error.code, error.sentence, fields) | error.context
        return Response(body, status=error.status, content_type=PROBLEM, headers=dict(error.headers))
    if isinstance(error, RequestDataTooBig):
        return Response(problem(413, "too-large", _words(413)[1]), status=413, content_type=PROBLEM)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    if isinstance(error, exceptions.ValidationError):
        # Of the right form but not valid, wherever that is noticed.
        error.status_code = 422
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = getattr(error, "auth_header", "") or "Bearer"
    detail = error.detail if isinstance(error.detail, str) else _("The request is not valid.")
    fields = _fields(error.detail) if isinstance(error, exceptions.ValidationError) else None
    body = problem(error.status_code, error.default_code.replace("_", "-"), str(detail), fields)
    return Response(body, status=error.status_code, content_type=PROBLEM, headers=headers)


def _fields(detail: Any, pointer: str = "") -> dict[str, str]:
    """DRF's nested error details by JSON pointer; what it calls non_field_errors is about the whole."""
    if isinstance(detail, dict):
        paths = {key: pointer if key == NON_FIELD_ERRORS else f"{pointer}/{key}" for key in detail}
        return {k: v for key, inner in detail.items() for k, v in _fields(inner, paths[key]).items()}
    if isinstance(detail, list) and detail:
        return _fields(detail[0], pointer)
    return {pointer: str(detail)}
