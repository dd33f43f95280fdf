"""What an administrator fills in: how much a cluster has to give."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from clusters.models import Capacity
from clusters.quantity import bytes_of, format_bytes, format_cpu, millicores

Entries = dict[str, str]

# The field of the form for each of clusters.services.state_capacity.
QUANTITIES: dict[str, tuple[str, Callable[[str], int], Callable[[int], str]]] = {
    "cpu": ("cpu_millicores", millicores, format_cpu),
    "memory": ("memory_bytes", bytes_of, format_bytes),
    "storage": ("storage_bytes", bytes_of, format_bytes),
}
FACTORS = ("cpu_overcommit", "memory_overcommit")
# What nodes say themselves.
OF_NODES = ("cpu", "memory", "pods")
FIELDS = ("source", "cpu", "memory", "storage", "pods", *FACTORS)


def entries_of(capacity: Capacity | None, source: str) -> Entries:
    """The form as it is first shown: what is known now, and the source that is likely."""
    if capacity is None:
        return {"source": source, "cpu_overcommit": "1", "memory_overcommit": "1"}
    amounts = {name: (getattr(capacity, column), text) for name, (column, _read, text) in QUANTITIES.items()}
    shown = {name: text(amount) for name, (amount, text) in amounts.items() if amount is not None}
    shown |= {} if capacity.pods is None else {"pods": str(capacity.pods)}
    factors = {name: f"{getattr(capacity, name).normalize():f}" for name in FACTORS}
    return {"source": capacity.source, **shown, **factors}


def posted_entries(posted: Mapping[str, str]) -> Entries:
    """What the browser sent, without blanks around it."""
    return {name: posted.get(name, "").strip() for name in FIELDS}


def read(entries: Entries) -> tuple[dict[str, Any], dict[str, str]]:
    """(arguments of clusters.services.state_capacity, errors by field of the form); what is empty is not known."""
    values: dict[str, Any] = {"source": entries["source"]}
    errors: dict[str, str] = {}
    for name in FIELDS[1:]:
        if entries["source"] == "nodes" and name in OF_NODES:
            continue
        try:
            values |= _value(name, entries.get(name, ""))
        except ValueError as error:
            errors[name] = str(error)
    return values, errors


def _value(name: str, text: str) -> dict[str, Any]:
    if name in QUANTITIES:
        column, parse, _text = QUANTITIES[name]
        return {column: parse(text) if text else None}
    if name == "pods":
        if text and not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(_("Expected a whole number."))
        return {"pods": int(text) if text else None}
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", text):
        raise ValueError(_("Expected a number such as 1 or 1.5."))
    return {name: Decimal(text)}


def field_errors(fields: Mapping[str, str]) -> dict[str, str]:
    """Errors of the service (by JSON pointer) by field of the form."""
    names = {column: name for name, (column, _read, _text) in QUANTITIES.items()}
    return {names.get(pointer[1:], pointer[1:]): sentence for pointer, sentence in fields.items()}


def page_fields(entries: Entries, errors: Mapping[str, str], nodes: bool) -> list[dict[str, Any]]:
    """The fields as the page's form component wants them; `nodes` says whether the cluster's can be read."""
    source: dict[str, Any] = {
        "label": _("Where the figures come from"),
        "kind": "radio",
        "options": [
            {
                "value": "nodes",
                "label": _("Its nodes"),
                "help": _(
                    "Compute nodes that are ready, read every ten minutes; of the figures below storage alone counts"
                ),
                "disabled": not nodes,
                "reason": "" if nodes else _("The nodes of this cluster cannot be read."),
            },
            {
                "value": "stated",
                "label": _("Stated by hand"),
                "help": _("The figures below; what is left empty is not known"),
            },
        ],
    }
    described = {
        "source": source,
        "cpu": {"label": _("CPU"), "help": _("Cores, for example 200"), "kind": "text"},
        "memory": {"label": _("Memory"), "help": _("For example 512Gi or 2Ti"), "kind": "text"},
        "storage": {"label": _("Storage"), "help": _("For example 10Ti; nodes know of none"), "kind": "text"},
        "pods": {"label": _("Pods"), "kind": "text"},
        "cpu_overcommit": {"label": _("CPU overcommit"), "help": _("1 promises as much as there is"), "kind": "text"},
        "memory_overcommit": {"label": _("Memory overcommit"), "help": _("Between 0.1 and 20"), "kind": "text"},
    }
    return [
        {
            "name": name,
            "value": entries.get(name, ""),
            "errors": [errors[name]] if name in errors else [],
            "attrs": {} if name == "source" else {"maxlength": "24", "autocomplete": "off"},
            **field,
        }
        for name, field in described.items()
    ]
