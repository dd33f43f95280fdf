"""Service accounts as prepared rows and form fields for pages, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from tenants.models import ServiceAccount, Tenant
from tenants.services.service_accounts import effective_role
from tenants.services.tenants import is_administrator

Row = dict[str, Any]


def account_row(account: ServiceAccount) -> Row:
    """One service account in the list of a tenant's; `tokens` work now (queries.service_accounts_of)."""
    return {
        "url": reverse("service-account", args=[account.tenant.code, account.name]),
        "name": account.name,
        "username": account.user.username,
        "description": account.description,
        "owner": str(account.user.owner),
        "role_label": role_labels()[account.role],
        "tokens": account.tokens_active,  # type: ignore[attr-defined]
        "created_at": account.created_at,
        "status": _status(account),
        "note": _note(account),
    }


def role_labels() -> dict[str, str]:
    """The roles a service account may have, in words."""
    return {"developer": _("Developer"), "viewer": _("Viewer")}


def new_fields(tenant: Tenant, user: User, entries: Mapping[str, str], errors: Mapping[str, str]) -> list[Row]:
    """The fields of the form for a new service account."""
    name = _text("name", _("Name"), _("Small letters, digits and hyphens; a letter first, at most 30."), 30)
    fields = [name | {"required": True}, _role_field(entries.get("role", "")), _description_field()]
    if user.is_administrator:
        fields.append(_text("owner", _("Owner"), _("User name of an owner of the tenant, who answers for it."), 64))
    return [_filled(field, entries, errors) for field in fields]


def edit_fields(account: ServiceAccount, entries: Mapping[str, str], errors: Mapping[str, str]) -> list[Row]:
    """The fields of the form that changes one; `entries` are what was typed, else what is there."""
    entries = entries or {"role": account.role, "description": account.description}
    return [_filled(field, entries, errors) for field in (_role_field(entries["role"]), _description_field())]


def entry_link(tenant: Tenant, roles: set[str], user: User) -> str:
    """The address of the tenant's service accounts, "" for who does not keep them (services.service_accounts.may_keep,
    from the person's roles in the tenant, which the page has read already)."""
    keeps = user.owner_id is None and ("owner" in roles or is_administrator(user))
    return reverse("service-accounts", args=[tenant.code]) if keeps else ""


def _status(account: ServiceAccount) -> Row:
    if account.disabled_at is not None:
        return {"label": _("Switched off"), "tone": "neutral", "icon": "skip"}
    if effective_role(account) is None:
        return {"label": _("Without rights"), "tone": "danger", "icon": "error"}
    return {"label": _("Active"), "tone": "success", "icon": "check"}


def _note(account: ServiceAccount) -> str:
    """Why it may less than its role says, "" where it does not."""
    role = effective_role(account)
    if account.disabled_at is not None or role == account.role:
        return ""
    if role is None:
        return _("Its owner no longer belongs to the tenant: its tokens do not work.")
    return _("It may no more than its owner, who is %(role)s now.") % {"role": role_labels()[role]}


def _role_field(chosen: str) -> Row:
    helps = {
        "developer": _("Asks for changes, as developers of the tenant do"),
        "viewer": _("Reads what belongs to the tenant"),
    }
    options = [{"value": role, "label": label, "help": helps[role]} for role, label in role_labels().items()]
    return {"name": "role", "label": _("Role"), "kind": "radio", "required": True, "options": options}


def _description_field() -> Row:
    return _text("description", _("Description"), _("Which program it is for"), 200)


def _text(name: str, label: str, help_text: str, longest: int) -> Row:
    attrs = {"maxlength": str(longest), "autocomplete": "off"}
    return {"name": name, "label": label, "help": help_text, "kind": "text", "attrs": attrs}


def _filled(field: Row, entries: Mapping[str, str], errors: Mapping[str, str]) -> Row:
    pointer = f"/{field['name']}"
    wrong = [errors[pointer]] if pointer in errors else []
    default = "developer" if field["name"] == "role" else ""
    return {**field, "value": entries.get(field["name"], "") or default, "errors": wrong}
