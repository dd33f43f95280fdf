"""The fields of "new project": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants import figures, rules
from tenants.kinds import member_requests
from tenants.words import ENVIRONMENT_OPTIONS, ISOLATION_OPTIONS

TITLE = _("New project")
SUMMARY = _("A namespace of your own with quota, limits, network isolation and members.")

_PERSON = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", "maxLength": 64}


def _people(section: str, label: Any, help: Any) -> dict[str, Any]:
    return {
        "type": "array",
        "items": dict(_PERSON),
        "maxItems": 100,
        "uniqueItems": True,
        "default": [],
        "x-form": {
            "section": section,
            "label": label,
            "help": help,
            "widget": "people",
            "grammar": _("A user name has letters, digits and . _ @ - only."),
        },
    }


# What is wanted of one environment.
ENVIRONMENT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["environment"],
    "properties": {
        "environment": {
            "type": "string",
            "enum": list(rules.ENVIRONMENTS),
            "x-form": {"label": _("Environment"), "options": ENVIRONMENT_OPTIONS},
        },
        "cluster": {
            "type": "string",
            "maxLength": 40,
            "default": "",
            "x-form": {"label": _("Cluster"), "widget": "select"},
        },
        **figures.FIELDS,
    },
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["tenant", "name", "display_name", "environments"],
    "x-sections": [
        {"id": "what", "title": _("What it is")},
        {
            "id": "environments",
            "title": _("Environments"),
            "help": _("Each gets a namespace and a quota of its own, and is decided by itself."),
        },
        {"id": "people", "title": _("Who works in it"), "help": _("You are a developer of it in any case.")},
        {"id": "why", "title": _("Why")},
    ],
    "properties": {
        "tenant": {
            "type": "string",
            "minLength": 1,
            "pattern": rules.TENANT_CODE,
            "x-form": {"section": "what", "label": _("Tenant"), "widget": "select"},
        },
        "display_name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 80,
            "pattern": r"\S",
            "x-form": {
                "section": "what",
                "grammar": _("This is needed."),
                "label": _("Display name"),
                "help": _("As people know it, for example: Claims imaging"),
            },
        },
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 40,
            "pattern": rules.PROJECT_NAME,
            "x-form": {
                "section": "what",
                "label": _("Short name"),
                "help": _("Part of the namespace's name: small letters, digits and hyphens."),
                "grammar": _("Small letters, digits and hyphens; begins with a letter and does not end with a hyphen."),
                "attrs": {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
            },
        },
        "isolation": {
            "type": "string",
            "enum": list(rules.ISOLATIONS),
            "default": "shared",
            "x-form": {
                "section": "what",
                "label": _("Isolation"),
                "widget": "radio",
                "options": ISOLATION_OPTIONS,
            },
        },
        "environments": {
            "type": "array",
            "minItems": 1,
            "maxItems": len(rules.ENVIRONMENTS),
            "items": ENVIRONMENT,
            "x-form": {
                "section": "environments",
                "label": _("Environments"),
                # One row per value of this key, each of which is wanted or not.
                "widget": "rows",
                "key": "environment",
                "options": ENVIRONMENT_OPTIONS,
            },
        },
        "developers": _people("people", _("Developers"), _("User names, separated by spaces or commas")),
        "viewers": _people("people", _("Viewers"), _("May look at everything but secrets, and change nothing")),
        "developer_groups": {
            "type": "array",
            "items": {"type": "string", "maxLength": 500},
            "maxItems": 20,
            "uniqueItems": True,
            "default": [],
            "x-form": {"section": "", "label": _("Developer groups"), "help": _("Distinguished names of LDAP groups")},
        },
        "cost_centre": {
            "type": "string",
            "maxLength": 40,
            "default": "",
            "x-form": {"section": "why", "label": _("Cost centre")},
        },
        "reason": member_requests.REASON,
    },
}
