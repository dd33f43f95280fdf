"""The fields of "new tenant": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants import budgets, rules
from tenants.kinds import member_requests

TITLE = _("New tenant")
SUMMARY = _("An organisational unit of its own, whose owners decide who works in its projects.")


def _name(label: Any) -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": 80,
        "pattern": r"\S",
        "x-form": {"section": "what", "label": label, "grammar": _("This is needed.")},
    }


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "name_zh", "name_en"],
    "x-sections": [
        {"id": "what", "title": _("What it is")},
        {"id": "people", "title": _("Who belongs to it"), "help": _("You are an owner of it in any case.")},
        {"id": "groups", "title": _("Groups that belong to it")},
        {
            "id": "budget",
            "title": _("Budget"),
            "help": _("How much may be promised to it on all clusters together; what is left empty has no limit."),
        },
        {"id": "why", "title": _("Why")},
    ],
    "properties": {
        "code": {
            "type": "string",
            "minLength": 1,
            "maxLength": 12,
            "pattern": rules.TENANT_CODE,
            "x-form": {
                "section": "what",
                "label": _("Code"),
                "help": _("Begins the names of its namespaces; it cannot be changed later."),
                "grammar": _("2 to 12 small letters and digits, beginning with a letter."),
                "attrs": {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
            },
        },
        "name_zh": _name(_("Name in Chinese")),
        "name_en": _name(_("Name in English")),
        **member_requests.fields("owner", "developer", "viewer"),
        **budgets.FIELDS,
        "reason": member_requests.REASON,
    },
}
