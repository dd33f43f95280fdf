"""The figures of a quota as people write them: a size plan by name, or quantities of their own."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.quantity import bytes_of, format_bytes, format_cpu, millicores
from tenants import size_plans

Figures = dict[str, int]

# How each quantity is read, and its bounds: millicores and bytes. The upper ones are those of no cluster of today.
QUANTITIES: dict[str, tuple[Callable[[str], int], int, int]] = {
    "cpu": (millicores, 100, 10_000 * 1000),
    "memory": (bytes_of, 64 * 1024**2, 100 * 1024**4),
    "storage": (bytes_of, 0, 10 * 1024**5),
}
MOST_PODS = 1000


def _quantity(label: Any, help: Any) -> dict[str, Any]:
    return {
        "type": "string",
        "maxLength": 24,
        "default": "",
        "x-form": {"section": "quota", "label": label, "help": help, "attrs": {"autocomplete": "off"}},
    }


# Fields of a schema: either a size, or all four figures.
FIELDS: dict[str, dict[str, Any]] = {
    "size": {
        "type": "string",
        "maxLength": 20,
        "default": "",
        "x-form": {"section": "quota", "label": gettext_lazy("Size"), "widget": "select"},
    },
    "cpu": _quantity(gettext_lazy("CPU"), gettext_lazy("Cores, for example 2 or 1500m")),
    "memory": _quantity(gettext_lazy("Memory"), gettext_lazy("For example 4Gi or 512Mi")),
    "storage": _quantity(gettext_lazy("Storage"), gettext_lazy("All volumes together, for example 20Gi")),
    "pods": {
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_PODS,
        "x-form": {
            "section": "quota",
            "label": gettext_lazy("Pods"),
            "widget": "number",
            "help": gettext_lazy("At most 1000"),
        },
    },
}


def read(values: Mapping[str, Any], pointer: str = "") -> tuple[Figures, dict[str, str]]:
    """({cpu (millicores), memory, storage (bytes), pods}, errors by JSON pointer below `pointer`) of values with
    FIELDS: the figures of the size plan, or what is written; figures are whole only where there are no errors."""
    if values.get("size"):
        try:
            return size_plans.figures_of(values["size"]), {}
        except size_plans.UnknownPlan:
            return {}, {f"{pointer}/size": _("There is no such size.")}
    figures: Figures = {}
    errors: dict[str, str] = {}
    for field, (parse, least, most) in QUANTITIES.items():
        if not values.get(field):
            errors[f"{pointer}/{field}"] = _("Choose a size, or fill in all figures.")
            continue
        try:
            figures[field] = parse(values[field])
        except ValueError as error:
            errors[f"{pointer}/{field}"] = str(error)
            continue
        if figures[field] < least:
            errors[f"{pointer}/{field}"] = _("This is too little to run anything.")
        elif figures[field] > most:
            errors[f"{pointer}/{field}"] = _("This is more than any cluster has.")
    if isinstance(values.get("pods"), int):
        figures["pods"] = values["pods"]
    else:
        errors[f"{pointer}/pods"] = _("Choose a size, or fill in all figures.")
    return figures, errors


def texts(figures: Mapping[str, int]) -> dict[str, Any]:
    """Figures as they are stored with a request, in Kubernetes' own form: {"cpu": "1500m", ..., "pods": 20}."""
    return {
        "cpu": format_cpu(figures["cpu"]),
        "memory": format_bytes(figures["memory"]),
        "storage": format_bytes(figures["storage"]),
        "pods": figures["pods"],
    }


def of(values: Mapping[str, Any]) -> Figures:
    """The figures of checked values, as `texts` wrote them."""
    return {
        "cpu": millicores(values["cpu"]),
        "memory": bytes_of(values["memory"]),
        "storage": bytes_of(values["storage"]),
        "pods": values["pods"],
    }


def text_of(resource: str, amount: int) -> str:
    """One amount for people: cpu "1500m", memory "8Gi", pods "20"."""
    if resource == "cpu":
        return format_cpu(amount)
    return str(amount) if resource == "pods" else format_bytes(amount)
