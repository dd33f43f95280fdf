"""The fields of "tenant quota": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants import budgets, rules
from tenants.kinds.member_requests import REASON

TITLE = _("Tenant quota")
SUMMARY = _("How much may be promised to a tenant, on all clusters together; never less than is promised already.")

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["tenant"],
    "x-sections": [
        {"id": "what", "title": _("Which tenant")},
        {"id": "budget", "title": _("Budget"), "help": _("What is left empty has no limit.")},
        {"id": "why", "title": _("Why")},
    ],
    "properties": {
        "tenant": {
            "type": "string",
            "minLength": 1,
            "pattern": rules.TENANT_CODE,
            "x-form": {"section": "what", "label": _("Tenant"), "widget": "select"},
        },
        **budgets.FIELDS,
        "reason": REASON,
    },
}
