"""The fields of "new project": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants import rules
from tenants.words import ENVIRONMENT_OPTIONS

TITLE = _("New project")
SUMMARY = _("A namespace of your own with quota, limits, network isolation and members.")

_PERSON = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", "maxLength": 64}


def _quantity(default: str, label: Any, help: Any) -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": 20,
        "default": default,
        "x-form": {"section": "quota", "label": label, "help": help, "attrs": {"autocomplete": "off"}},
    }


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


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["tenant", "name", "display_name", "environment", "cpu", "memory", "storage", "pods"],
    "x-sections": [
        {"id": "what", "title": _("What it is")},
        {"id": "quota", "title": _("Quota"), "help": _("The most this project can use.")},
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
        "cluster": {
            "type": "string",
            "maxLength": 40,
            "default": "",
            "x-form": {"section": "what", "label": _("Cluster"), "widget": "select"},
        },
        "environment": {
            "type": "string",
            "enum": list(rules.ENVIRONMENTS),
            "default": "dev",
            "x-form": {
                "section": "what",
                "label": _("Environment"),
                "widget": "radio",
                "options": ENVIRONMENT_OPTIONS,
            },
        },
        "cpu": _quantity("2", _("CPU"), _("Cores, for example 2 or 1500m")),
        "memory": _quantity("4Gi", _("Memory"), _("For example 4Gi or 512Mi")),
        "storage": _quantity("20Gi", _("Storage"), _("All volumes together, for example 20Gi")),
        "pods": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "default": 20,
            "x-form": {"section": "quota", "label": _("Pods"), "widget": "number", "help": _("At most 1000")},
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
        "reason": {
            "type": "string",
            "maxLength": 1000,
            "default": "",
            "x-form": {
                "section": "why",
                "label": _("Reason"),
                "widget": "textarea",
                "help": _("Helps those who decide"),
            },
        },
    },
}
