"""Pages of who you are: signing in and out, language and theme."""

from datetime import timedelta
from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth import login as start_session
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import emergency, rules, services, sessions
from accounts.addresses import client_address
from accounts.backends import NotAPerson
from accounts.directory import DirectoryUnavailable
from accounts.models import User

THEME_COOKIE_NAME = "theme"
_YEAR_SECONDS = 365 * 24 * 3600


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """The login page, and the session that follows from it."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next_of(request))
    if request.method != "POST":
        return _login_page(request, None)
    typed = request.POST.get("username", "").strip()
    name = rules.account_name(typed) or rules.emergency_name(typed)
    noted = {"username": name, "address": client_address(request), "at": timezone.now()}
    try:
        user = _authenticated(request, name)
    except DirectoryUnavailable as error:
        services.note_failed_login(reason="unavailable", **noted)
        return _login_page(request, _unavailable_error(error), status=error.status)
    except NotAPerson as error:
        services.note_failed_login(reason="service-account", **noted)
        return _login_page(request, _service_account_error(error), status=error.status)
    if user is None:
        is_locked = getattr(request, "axes_locked_out", False)
        services.note_failed_login(reason="locked" if is_locked else "wrong", **noted)
        return locked_out(request, None, {}) if is_locked else _login_page(request, _wrong_error(request), status=403)
    start_session(request, user)
    sessions.go_on(request.session, user, noted["at"], by_itself=False)
    note = emergency.note_login if user.is_emergency else services.note_login
    note(user=user, address=noted["address"], at=noted["at"])
    response = HttpResponseRedirect(_next_of(request))
    # Who never chose keeps what this browser has.
    _keep_in_cookies(response, user.language or None, user.theme or None)
    return response


def locked_out(request: HttpRequest, _response: HttpResponse | None, _credentials: dict[str, Any]) -> HttpResponse:
    """The login page after too many tries; the middleware of django-axes calls it as well."""
    pause = get_cool_off(request) or timedelta(0)
    hours = _hours(pause)
    error = {
        "title": _("Too many wrong tries"),
        "text": ngettext(
            "This account cannot sign in from here for %(hours)s hour.",
            "This account cannot sign in from here for %(hours)s hours.",
            hours,
        )
        % {"hours": hours},
        "tone": "danger",
    }
    response = _login_page(request, error, status=429, locked=True)
    response["Retry-After"] = str(round(pause.total_seconds()))
    add_never_cache_headers(response)
    return response


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    if isinstance(request.user, User):
        services.note_logout(user=request.user, at=timezone.now())
    end_session(request)
    return redirect("login")


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Somebody is still writing on a page that asks for nothing: the session goes on."""
    return HttpResponse(status=204)


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Sets language and theme, whichever is sent: for the person, and in a cookie for the login page."""
    language, theme = request.POST.get("language"), request.POST.get("theme")
    services.check_preferences(language=language, theme=theme)
    if isinstance(request.user, User):
        services.set_preferences(user=request.user, language=language, theme=theme, at=timezone.now())
    if _asked_by_script(request):
        response = HttpResponse(status=204)
        if language is not None:
            response["HX-Refresh"] = "true"
    else:
        response = HttpResponseRedirect(_next_of(request))
    _keep_in_cookies(response, language, theme)
    return response


def _authenticated(request: HttpRequest, name: str | None) -> User | None:
    """The person, or None; what can be nobody's name is neither asked nor counted, as it can never be right."""
    if name is None:
        return None
    user = authenticate(request, username=name, password=request.POST.get("password", ""))
    return user if isinstance(user, User) else None


def _login_page(
    request: HttpRequest, error: dict[str, str] | None, status: int = 200, locked: bool = False
) -> HttpResponse:
    context = {
        "error": error or _ended_notice(request.GET.get("ended", "")),
        "username": request.POST.get("username", "")[:64],
        "next": _wanted_next(request),
        "locked": locked,
    }
    return render(request, "login.html", context, status=status)


def _ended_notice(why: str) -> dict[str, str] | None:
    """Why somebody sees this page again, as the address says it."""
    minutes = settings.SESSION_IDLE_SECONDS // 60
    texts = {
        sessions.IDLE: ngettext(
            "Nothing happened for %(minutes)s minute.", "Nothing happened for %(minutes)s minutes.", minutes
        )
        % {"minutes": minutes},
        sessions.OVER: _("A session ends after some hours in any case."),
    }
    if why not in texts:
        return None
    still = _("Sign in to go on where you were; what you typed comes back if this browser still has it.")
    return {"title": _("You have been signed out"), "text": f"{texts[why]} {still}", "tone": "info"}


def _wrong_error(request: HttpRequest) -> dict[str, str]:
    """One sentence for a wrong name and a wrong password, so that nobody learns who has an account."""
    text = _("Forgotten your password? Ask the IT service desk.")
    failures = getattr(request, "axes_failures_since_start", None)
    if failures is not None:
        left = max(0, settings.AXES_FAILURE_LIMIT - failures)
        tries = ngettext(
            "You can try %(left)s more time before a pause of %(pause)s.",
            "You can try %(left)s more times before a pause of %(pause)s.",
            left,
        )
        hours = _hours(get_cool_off(request) or timedelta(0))
        pause = ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}
        text = f"{tries % {'left': left, 'pause': pause}} {text}"
    return {"title": _("The user name or the password is wrong"), "text": text, "tone": "danger"}


def _hours(pause: timedelta) -> int:
    return max(1, round(pause.total_seconds() / 3600))


def _service_account_error(error: NotAPerson) -> dict[str, str]:
    todo = _("Sign in with your own name; programs use the service account by API tokens.")
    return {"title": error.sentence, "text": todo, "tone": "danger"}


def _unavailable_error(error: DirectoryUnavailable) -> dict[str, str]:
    still = _("Your password was not checked. Whoever is signed in can go on working.")
    return {"title": error.sentence, "text": still, "tone": "warning"}


def _keep_in_cookies(response: HttpResponse, language: str | None, theme: str | None) -> None:
    """Sets what is chosen, forgets what is "", leaves what is None."""
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, language), (THEME_COOKIE_NAME, theme)):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=_YEAR_SECONDS,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        elif value == "":
            response.delete_cookie(name, samesite="Lax")


def _asked_by_script(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _wanted_next(request: HttpRequest) -> str:
    """Where to go afterwards, or "": a path of this portal alone, never another host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours and wanted.startswith("/") else ""


def _next_of(request: HttpRequest) -> str:
    return _wanted_next(request) or resolve_url(settings.LOGIN_REDIRECT_URL)
