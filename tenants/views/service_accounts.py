"""Pages: a tenant's service accounts, and the tokens of each."""

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import ProgramTokenForm
from accounts.models import User
from accounts.rows import token_row
from accounts.rules import MOST_ACTIVE_TOKENS
from tenants import queries
from tenants import service_account_rows as rows
from tenants.models import ServiceAccount, Tenant
from tenants.services import service_accounts as services
from web.errors import Conflict, Forbidden, Invalid, NotFound

# Session key: forms by which tokens were made, so that a page that is loaded again makes no second one.
MADE = "service_tokens_made"
Entries = Mapping[str, str]


@require_http_methods(["GET", "HEAD", "POST"])
def listing(http: HttpRequest, code: str) -> HttpResponse:
    """The service accounts of a tenant, and a new one."""
    tenant = _tenant_or_404(http.user, code)
    if http.method != "POST":
        return _list(http, tenant, {}, None)
    entries = _entries(http, "name", "role", "description", "owner")
    try:
        made = services.create(tenant=tenant, by=http.user, at=timezone.now(), **entries)
    except (Invalid, Conflict) as error:
        return _list(http, tenant, entries, error)
    messages.success(http, _("The service account %(name)s is there; make a token for it.") % {"name": made.name})
    return redirect("service-account", code=code, name=made.name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def detail(http: HttpRequest, code: str, name: str) -> HttpResponse:
    """One service account with its tokens, and a new token; its secret is on the page that answers and nowhere else."""
    account = _account_or_404(http.user, code, name)
    if http.method != "POST":
        return _detail(http, account, ProgramTokenForm())
    once, made = http.POST.get("once", ""), http.session.get(MADE, [])
    if once and once in made:
        messages.info(http, _("This token was made already; its secret was shown that one time."))
        return redirect("service-account", code=code, name=name)
    form = ProgramTokenForm(http.POST)
    if not form.is_valid():
        return _detail(http, account, form, status=422)
    try:
        asked = form.cleaned_data
        token, secret = services.issue_token(account=account, by=http.user, at=timezone.now(), **asked)
    except Invalid as error:
        for pointer, sentence in error.fields.items():
            form.add_error(pointer.lstrip("/"), sentence)
        return _detail(http, account, form, status=422)
    except Conflict as error:
        form.add_error("name", error.sentence)
        return _detail(http, account, form, status=error.status)
    http.session[MADE] = [*made, once][-MOST_ACTIVE_TOKENS:]
    return _detail(http, account, ProgramTokenForm(), fresh={"secret": secret, "name": token.name})


@require_POST
def change(http: HttpRequest, code: str, name: str) -> HttpResponse:
    """Role and description, or whether it is switched on."""
    account = _account_or_404(http.user, code, name)
    switched = {"on": True, "off": False}.get(http.POST.get("switch", ""))
    given = {"is_active": switched} if switched is not None else dict(_entries(http, "role", "description"))
    try:
        services.change(account=account, by=http.user, at=timezone.now(), **given)
    except Invalid as error:
        return _detail(http, account, ProgramTokenForm(), given, error.fields, status=error.status)
    words = {
        True: _("The service account is switched on; make a token for it."),
        False: _("The service account is switched off, and its tokens have ended."),
        None: _("What is said of the service account is written down."),
    }
    messages.success(http, words[switched])
    return redirect("service-account", code=code, name=name)


@require_POST
def token_revoke(http: HttpRequest, code: str, name: str, prefix: str) -> HttpResponse:
    """Ends a token of the service account."""
    account = _account_or_404(http.user, code, name)
    services.revoke_token(account=account, prefix=prefix, by=http.user, at=timezone.now())
    return redirect("service-account", code=code, name=name)


def _tenant_or_404(user: User, code: str) -> Tenant:
    found = queries.tenants_visible_to(user).filter(code=code[:13]).first()
    if found is None:
        raise NotFound(_("There is no such tenant."))
    if not services.may_keep(found, user):
        raise Forbidden(_("Only owners of the tenant and administrators keep its service accounts."))
    return found


def _account_or_404(user: User, code: str, name: str) -> ServiceAccount:
    found = queries.service_accounts_of(_tenant_or_404(user, code)).filter(name=name[:31]).first()
    if found is None:
        raise NotFound(_("There is no such service account."))
    return found


def _entries(http: HttpRequest, *names: str) -> dict[str, str]:
    return {name: http.POST.get(name, "").strip() for name in names}


def _list(http: HttpRequest, tenant: Tenant, entries: Entries, error: Invalid | Conflict | None) -> HttpResponse:
    errors = error.fields if isinstance(error, Invalid) else {}
    context = {
        "t": {"name": tenant.name, "url": reverse("tenant-detail", args=[tenant.code])},
        "rows": [rows.account_row(account) for account in queries.service_accounts_of(tenant)],
        "fields": rows.new_fields(tenant, http.user, entries, errors),
        "error": error.sentence if error else "",
        "action": reverse("service-accounts", args=[tenant.code]),
        "tenants_url": reverse("tenants"),
    }
    return render(http, "tenants/service_accounts.html", context, status=error.status if error else 200)


def _detail(
    http: HttpRequest,
    account: ServiceAccount,
    form: ProgramTokenForm,
    entries: Entries | None = None,
    errors: Mapping[str, str] | None = None,
    fresh: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    now, place, words = timezone.now(), [account.tenant.code, account.name], ProgramTokenForm
    row = rows.account_row(account)
    context = {
        "a": row,
        "is_active": account.disabled_at is None,
        "tokens": [
            token_row(token, now, reverse("service-account-token-revoke", args=[*place, token.prefix]), words)
            for token in queries.tokens_of(account)
        ],
        "fields": form.page_fields() if http.user.pk == account.user.owner_id else [],
        "edit_fields": rows.edit_fields(account, entries or {}, errors or {}),
        "fresh": fresh,
        "once": uuid.uuid4().hex,
        "t": {"name": account.tenant.name, "url": reverse("tenant-detail", args=[account.tenant.code])},
        "list_url": reverse("service-accounts", args=[account.tenant.code]),
        "action": reverse("service-account", args=place),
        "change_url": reverse("service-account-change", args=place),
    }
    return render(http, "tenants/service_account.html", context, status=status)
