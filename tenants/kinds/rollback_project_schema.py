"""The fields of "go back to an earlier revision": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants.kinds import member_requests, of_project

TITLE = _("Go back to an earlier revision")
SUMMARY = _("Quota, members and names of a project as they were agreed earlier; what came since is undone.")

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["project", "revision"],
    "x-sections": [
        {
            "id": "what",
            "title": _("Back to which revision"),
            "help": _("Those that the cluster had; what the cluster says of itself stays as it is today."),
        },
        {"id": "why", "title": _("Why")},
    ],
    "properties": {
        "project": of_project.field("what"),
        "revision": {
            "type": "integer",
            "minimum": 1,
            # As many digits as a form reads.
            "maximum": 999_999_999_999,
            "x-form": {"section": "what", "label": _("Revision"), "widget": "select"},
        },
        "reason": member_requests.REASON,
        # Written by the portal with the request, and ignored when it is sent.
        "found": {
            "type": "object",
            "default": {},
            "readOnly": True,
            "x-form": {
                "section": "",
                "label": _("What was found: the revision wanted when it was asked, and whose rights come back"),
            },
        },
    },
}
