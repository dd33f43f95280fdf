"""What a request must know of the person: whether the roles still hold, and the language to answer in."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts import rules, services, sessions
from accounts.directory import DirectoryUnavailable
from accounts.models import User

# What a page sends along when it asks by itself and nobody touched it for a while (static/src/session.js).
BY_ITSELF = "X-By-Itself"


class SessionLifeMiddleware:
    """Stands behind AuthenticationMiddleware: ends sessions whose time is over, and notes that the others are used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes on, with `session_ended` (why) on the request of somebody who is signed in no longer."""
        request.session_ended = ""  # type: ignore[attr-defined]
        if isinstance(request.user, User):
            now = timezone.now()
            why = sessions.why_ended(request.session, request.user, now)
            if why:
                services.note_session_end(user=request.user, why=why, at=now)
                logout(request)
                request.session_ended = why  # type: ignore[attr-defined]
            else:
                by_itself = request.headers.get(BY_ITSELF) == "true"
                sessions.go_on(request.session, request.user, now, by_itself=by_itself)
        return self.get_response(request)


class FreshRolesMiddleware:
    """Stands behind AuthenticationMiddleware: roles follow the directory in sessions, too, and whoever left is out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes on; while the directory does not answer, whoever is signed in goes on."""
        if isinstance(request.user, User):
            try:
                services.refresh_person(user=request.user, at=timezone.now())
            except services.PersonGone:
                logout(request)
            except DirectoryUnavailable:
                pass
            if isinstance(request.user, User):
                sessions.renew_for_roles(request.session, request.user)
        return self.get_response(request)


class PreferredLanguageMiddleware:
    """Stands behind AuthenticationMiddleware, as it asks for the person; API tokens speak by Accept-Language alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answers in the language chosen and says which it is."""
        language = _language_of(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response


def _language_of(request: HttpRequest) -> str:
    accepted = [code for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    chosen = [getattr(request.user, "language", ""), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")]
    return rules.language_for([code for code in [*chosen, *accepted] if code])
