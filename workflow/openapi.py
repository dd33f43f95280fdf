"""Puts the kinds' own schemas into the API document, so that a client sees what each kind wants."""

from typing import Any

from workflow import schema
from workflow.kinds import all_kinds


def kind_schemas(result: dict[str, Any], **_arguments: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular: NewRequest becomes one of the kinds, by the constant `kind`, and
    where values may be unfinished the kinds are named."""
    schemas = result["components"]["schemas"]
    choices = []
    for slug, kind in all_kinds().items():
        name = "".join(part.capitalize() for part in slug.split("-"))
        values = schema.public(kind.schema)
        schemas[f"{name}Values"] = {key: value for key, value in values.items() if key != "$schema"}
        schemas[name] = {
            "type": "object",
            "description": str(kind.summary),
            "properties": {
                "kind": {"type": "string", "const": slug},
                "values": {"$ref": f"#/components/schemas/{name}Values"},
            },
            "required": ["kind", "values"],
        }
        choices.append({"$ref": f"#/components/schemas/{name}"})
    schemas["Foresee"]["properties"]["kind"] = {"type": "string", "enum": list(all_kinds())}
    schemas["NewRequest"] = {"oneOf": choices, "description": "What to ask for; `values` follow the kind's schema."}
    return result
