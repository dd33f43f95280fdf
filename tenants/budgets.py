"""A tenant's budget as people write it: quantities of their own; what is left empty has no limit."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.figures import QUANTITIES, text_of

# Millicores, bytes and pieces by resource; None is no limit.
Budget = dict[str, int | None]

# A tenant may have a hundred times what the largest project has.
_TIMES = 100
_MOST_PODS = 1_000_000


def _limit(label: Any, help: Any) -> dict[str, Any]:
    hints = {"section": "budget", "label": label, "help": help, "attrs": {"autocomplete": "off"}}
    return {"type": "string", "maxLength": 24, "default": "", "x-form": hints}


# Fields of a schema.
FIELDS: dict[str, dict[str, Any]] = {
    "cpu": _limit(gettext_lazy("CPU"), gettext_lazy("Cores, for example 200")),
    "memory": _limit(gettext_lazy("Memory"), gettext_lazy("For example 512Gi or 2Ti")),
    "storage": _limit(gettext_lazy("Storage"), gettext_lazy("All volumes together, for example 10Ti")),
    "pods": {
        "type": "integer",
        "minimum": 0,
        "maximum": _MOST_PODS,
        "x-form": {"section": "budget", "label": gettext_lazy("Pods"), "widget": "number"},
    },
}


def read(values: Mapping[str, Any]) -> tuple[Budget, dict[str, str]]:
    """(the budget, errors by JSON pointer) of values with FIELDS; whole only where there are no errors."""
    budget: Budget = {}
    errors: dict[str, str] = {}
    for name, (parse, _least, most) in QUANTITIES.items():
        try:
            budget[name] = parse(values[name]) if values.get(name) else None
        except ValueError as error:
            errors[f"/{name}"] = str(error)
            continue
        if (budget[name] or 0) > most * _TIMES:
            errors[f"/{name}"] = _("This is more than all clusters together can have.")
    return budget | {"pods": values.get("pods")}, errors


def of(values: Mapping[str, Any]) -> Budget:
    """The budget of checked values."""
    return read(values)[0]


def written(budget: Budget) -> dict[str, Any]:
    """The budget as it is stored with a request, in Kubernetes' own form; without a limit "", of pods nothing."""
    texts: dict[str, Any] = {name: "" for name in QUANTITIES}
    return texts | {
        name: amount if name == "pods" else text_of(name, amount)
        for name, amount in budget.items()
        if amount is not None
    }


def texts(budget: Budget) -> dict[str, str | None]:
    """For people: {"cpu": "64", "memory": None, ...}; None is no limit."""
    return {name: None if amount is None else text_of(name, amount) for name, amount in budget.items()}
