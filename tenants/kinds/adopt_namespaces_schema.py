"""The fields of "adopt namespaces": one schema for the form, the validation and the API document."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants import figures, rules
from tenants.words import ENVIRONMENT_OPTIONS

TITLE = _("Adopt namespaces")
SUMMARY = _("Namespaces that exist already become projects of the portal, and what is in them stays as it is.")

MOST = 500
LONGEST_CSV = 200_000
# What may be taken over beside the quota.
TAKEABLE = tuple(part for part in rules.PARTS if part != "quota")

_GRAMMAR = _("Small letters, digits and hyphens; begins with a letter and does not end with a hyphen.")
_ENVIRONMENTS = ["", *rules.ENVIRONMENTS]

TAKE_OPTIONS = [
    {
        "value": "limits",
        "label": _("Limits"),
        "help": _("Defaults for containers; caps on volumes, services, node ports and the nodes' disks"),
    },
    {"value": "network", "label": _("Network isolation"), "help": _("What comes in from elsewhere is denied")},
    {"value": "members", "label": _("Members"), "help": _("Developers and viewers of the tenant get their roles")},
    {"value": "security", "label": _("Pod security"), "help": _('New pods have to keep to the level "baseline"')},
    {
        "value": "names",
        "label": _("Names"),
        "help": _("Managed by the portal; on OpenShift also the display name and who requested it"),
    },
]


def _text(label: Any, longest: int, pattern: str = "", **hints: Any) -> dict[str, Any]:
    field = {"type": "string", "maxLength": longest, "default": "", "x-form": {"label": label, **hints}}
    return field | ({"pattern": pattern} if pattern else {})


def _environment(**hints: Any) -> dict[str, Any]:
    return {"type": "string", "enum": _ENVIRONMENTS, "default": "", "x-form": {"label": _("Environment"), **hints}}


# One namespace. What is empty follows from its labels, its quotas and what is said for all.
ROW: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["namespace"],
    "properties": {
        "namespace": {
            "type": "string",
            "minLength": 1,
            "maxLength": rules.NAMESPACE_LENGTH,
            "pattern": rules.NAMESPACE_NAME,
            "x-form": {"label": _("Namespace"), "grammar": _GRAMMAR},
        },
        "tenant": _text(_("Tenant"), 12),
        "name": _text(_("Short name"), 40, pattern=rf"^$|{rules.PROJECT_NAME}", grammar=_GRAMMAR),
        "environment": _environment(),
        "display_name": _text(_("Display name"), 80),
        **figures.FIELDS,
    },
}

NAMESPACES: dict[str, Any] = {
    "type": "array",
    "maxItems": MOST,
    "items": ROW,
    "default": [],
    # For programs; people write a selector or a CSV.
    "x-form": {"section": "", "label": _("Namespaces"), "key": "namespace", "options": []},
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["cluster"],
    "x-sections": [
        {"id": "which", "title": _("Which namespaces")},
        {
            "id": "whose",
            "title": _("Whose they are"),
            "help": _("For what neither the CSV nor the labels portal.cloud/tenant and portal.cloud/environment say."),
        },
        {
            "id": "take",
            "title": _("What the portal keeps"),
            "help": _("Its own labels and a quota in any case; all else stays as it is unless you choose it."),
        },
        {"id": "why", "title": _("Why")},
    ],
    "properties": {
        "cluster": {
            "type": "string",
            "minLength": 1,
            "maxLength": 40,
            "x-form": {"section": "which", "label": _("Cluster"), "widget": "select"},
        },
        "selector": _text(
            _("Label selector"),
            500,
            section="which",
            help=_("For example: team=claims,stage in (dev,test). Namespaces that are the portal's are passed over."),
        ),
        "csv": _text(
            _("CSV"),
            LONGEST_CSV,
            section="which",
            widget="textarea",
            help=_(
                "The first line names the columns: namespace, and any of "
                "tenant, name, environment, display_name, size, cpu, memory, storage, pods."
            ),
        ),
        "namespaces": NAMESPACES,
        "tenant": _text(_("Tenant"), 12, section="whose", widget="select"),
        "environment": _environment(section="whose", widget="select", options=ENVIRONMENT_OPTIONS),
        "default_size": _text(
            _("Size where no quota says it"),
            20,
            section="whose",
            widget="select",
            help=_("Quotas that are there say how much a namespace has; this fills in what they do not limit."),
        ),
        "take": {
            "type": "array",
            "items": {"type": "string", "enum": list(TAKEABLE)},
            "uniqueItems": True,
            "default": [],
            "x-form": {
                "section": "take",
                "label": _("Take over as well"),
                "widget": "checkbox",
                "options": TAKE_OPTIONS,
            },
        },
        "reason": _text(_("Reason"), 1000, section="why", widget="textarea", help=_("Helps those who decide")),
        # Written by the portal with the request, and ignored when it is sent.
        "found": {
            "type": "object",
            "default": {},
            "readOnly": True,
            "x-form": {
                "section": "",
                "label": _("What was found: the namespaces as they will be adopted, and members by tenant"),
            },
        },
    },
}
