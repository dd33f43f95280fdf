"""The fields of "change a policy": one schema for validation and API document; the form is a page of its own."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from workflow.cel import LENGTH

TITLE = _("Change a policy")
SUMMARY = _("Who decides which requests; another administrator decides about the change.")

MOST_STEPS = 5
MOST_PEOPLE = 5
LONGEST_DEADLINE = 90 * 24


def _text(label: Any, length: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": length, "default": "", "x-form": {"section": "", "label": label, **more}}


STEP: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["group"],
    "properties": {
        "group": {"type": "string", "minLength": 1, "maxLength": 40, "x-form": {"label": _("Approver group")}},
        "minimum": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_PEOPLE,
            "default": 1,
            "x-form": {"label": _("How many people of the group have to approve")},
        },
        "deadline_hours": {
            "type": "integer",
            "minimum": 1,
            "maximum": LONGEST_DEADLINE,
            "default": 240,
            "x-form": {"label": _("How many hours the step may wait")},
        },
    },
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["action", "slug"],
    "x-sections": [],
    "properties": {
        "action": {
            "type": "string",
            "enum": ["create", "change", "retire"],
            "x-form": {"section": "", "label": _("What is to be done")},
        },
        "slug": {
            "type": "string",
            "minLength": 1,
            "maxLength": 40,
            "pattern": r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
            "x-form": {
                "section": "",
                "label": _("Short name"),
                "grammar": _("Small letters, digits and hyphens; begins and ends with a letter or digit."),
            },
        },
        "name_zh": _text(_("Name in Chinese"), 80),
        "name_en": _text(_("Name in English"), 80),
        "kind": _text(_("Kind of request"), 40, help=_("Empty: any kind")),
        "condition": _text(
            _("Condition"),
            LENGTH,
            widget="textarea",
            help=_("A condition in CEL over the facts, true or false; empty: always"),
        ),
        "priority": {
            "type": "integer",
            "minimum": 1,
            "maximum": 9999,
            "x-form": {"section": "", "label": _("Priority"), "help": _("The lowest number that fits decides")},
        },
        "steps": {
            "type": "array",
            "items": STEP,
            "maxItems": MOST_STEPS,
            "default": [],
            "x-form": {
                "section": "",
                "label": _("Who decides"),
                "help": _("In this order; none: approved automatically"),
            },
        },
        "reason": _text(_("Reason"), 1000, widget="textarea"),
    },
}
