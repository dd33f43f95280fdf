"""The fields of "change quota": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants import figures
from tenants.kinds import member_requests, of_project

TITLE = _("Change quota")
SUMMARY = _("More or less CPU, memory, storage and pods for a project; never less than is in use.")

# Shown, because the figures below it are those of this project.
_PROJECT = {"section": "what", "label": _("Project"), "widget": "select"}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["project"],
    "x-sections": [
        {"id": "what", "title": _("Which project")},
        {
            "id": "quota",
            "title": _("Quota"),
            "help": _("A size, or figures of your own; those of today are filled in."),
        },
        {"id": "why", "title": _("Why")},
    ],
    "properties": {
        # Shown, unlike where it is about people: the figures below are those of this project.
        "project": of_project.field("what")
        | {"x-form": {"section": "what", "label": _("Project"), "widget": "select"}},
        **figures.FIELDS,
        "reason": member_requests.REASON,
    },
}
