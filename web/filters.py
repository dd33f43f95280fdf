"""Filters of lists, as fields for components/field.html; their state is the page's address."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

# Characters that may be typed into a filter.
LONGEST = 80


def select_field(name: str, label: str, value: str, choices: Mapping[str, str]) -> dict[str, Any]:
    """A filter to choose from, with all as the first choice."""
    options = [{"value": key, "label": text} for key, text in ({"": _("All")} | dict(choices)).items()]
    return {"name": name, "label": label, "kind": "select", "value": value, "options": options}


def text_field(name: str, label: str, value: str, hint: str) -> dict[str, Any]:
    """A filter to type into."""
    attrs = {"maxlength": str(LONGEST), "autocomplete": "off"} | ({"placeholder": hint} if hint else {})
    return {"name": name, "label": label, "kind": "text", "value": value, "attrs": attrs}
