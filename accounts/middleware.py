"""What a request must know of the person: whether the roles still hold, and the language to answer in."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts import rules, services
from accounts.directory import DirectoryUnavailable
from accounts.models import User


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
