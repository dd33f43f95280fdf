"""The API document as prepared rows for pages: operations by tag, and what each takes and answers."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

Row = dict[str, Any]
Schema = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
# Deeper than anything people write by hand; kinds' values do not nest further.
_DEEPEST = 5
_TONES = {"GET": "info", "POST": "success", "PUT": "warning", "PATCH": "warning", "DELETE": "danger"}


def sections(document: Schema, text: str = "") -> list[Row]:
    """[{tag, operations: [{id, method, tone, path, summary, url}]}] of the operations in which all words of `text` are
    found."""
    words = text.lower().split()
    found: dict[str, list[Row]] = {}
    for path, method, operation in _operations(document):
        searched = f"{method} {path} {operation['operationId']} {operation['summary']} {operation.get('description')}"
        if all(word in searched.lower() for word in words):
            found.setdefault(operation["tags"][0], []).append(_line(path, method, operation))
    return [{"tag": tag, "operations": rows} for tag, rows in sorted(found.items())]


def operation_page(document: Schema, name: str) -> Row | None:
    """All that is said of the operation with this id; None if there is none."""
    for path, method, operation in _operations(document):
        if operation["operationId"] == name:
            return _line(path, method, operation) | {
                "description": operation.get("description", ""),
                "parameters": [_parameter(one) for one in operation.get("parameters", [])],
                "bodies": _bodies(document, operation),
                "answers": _answers(document, operation),
                "example": _example(document, path, method, operation),
            }
    return None


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method.upper(), methods[method]


def _line(path: str, method: str, operation: Schema) -> Row:
    name = operation["operationId"]
    return {
        "id": name,
        "method": method,
        "tone": _TONES[method],
        "path": path,
        "summary": operation["summary"],
        "url": reverse("reference-operation", args=[name]),
    }


def _parameter(one: Schema) -> Row:
    places = {"query": _("in the address"), "path": _("in the path"), "header": _("header")}
    return {
        "name": one["name"],
        "place": places.get(one["in"], one["in"]),
        "type": type_text(one["schema"]),
        "required": one.get("required", False),
        "description": one.get("description", ""),
    }


def _bodies(document: Schema, operation: Schema) -> list[Row]:
    """[{title, rows}] of what is sent: one, or one for each of several forms."""
    schema = _content(operation.get("requestBody", {}))
    if schema is None:
        return []
    whole = _resolved(document, schema)
    forms = whole.get("oneOf", [schema])
    return [
        {"title": _title(form) if len(forms) > 1 else "", "rows": list(_rows(document, form, "", 0))} for form in forms
    ]


def _answers(document: Schema, operation: Schema) -> list[Row]:
    found = []
    for status, answer in operation["responses"].items():
        told = _resolved(document, answer)
        schema = _content(told)
        is_problem = status >= "4"
        found.append(
            {
                "status": status,
                "tone": "danger" if is_problem else "success",
                "is_problem": is_problem,
                "description": told.get("description", ""),
                "headers": ", ".join(told.get("headers", {})),
                "rows": [] if schema is None or is_problem else list(_rows(document, schema, "", 0)),
            }
        )
    return found


def _content(body: Schema) -> Schema | None:
    """The schema of the first format that is offered."""
    for offered in body.get("content", {}).values():
        schema: Schema = offered.get("schema", {})
        return schema
    return None


def _rows(document: Schema, schema: Schema, path: str, depth: int) -> Iterator[Row]:
    """{name, type, required, description} of each member, members of members by their path."""
    whole = _resolved(document, schema)
    if depth > _DEEPEST:
        return
    if whole.get("type") == "array":
        yield from _rows(document, whole.get("items", {}), f"{path}[]", depth)
        return
    needed = whole.get("required", [])
    for name, member in whole.get("properties", {}).items():
        resolved = _resolved(document, member)
        place = f"{path}.{name}" if path else name
        yield {
            "name": place,
            "type": type_text(resolved),
            "required": name in needed,
            "description": _said(member, resolved),
        }
        yield from _rows(document, resolved, place, depth + 1)


def _said(member: Schema, resolved: Schema) -> str:
    """What is said of a member where it stands, else of its type; a plain type's own words are of the type."""
    own = member.get("description") or resolved.get("title") or resolved.get("description") or ""
    return str(own)


def _resolved(document: Schema, schema: Schema) -> Schema:
    """The schema behind references and alternatives with null."""
    for _step in range(10):
        if "$ref" in schema:
            found: Any = document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
        elif len(schema.get("allOf", [])) == 1:
            schema = {**schema["allOf"][0], **{key: value for key, value in schema.items() if key != "allOf"}}
        elif "oneOf" in schema and any(one == {"type": "null"} for one in schema["oneOf"]):
            [schema] = [one for one in schema["oneOf"] if one != {"type": "null"}][:1]
        else:
            break
    return schema


def _title(form: Schema) -> str:
    return str(form.get("$ref", "")).rpartition("/")[2]


def type_text(schema: Schema) -> str:
    """A type in words for programmers: "string …64", "integer 1…200", "dev | test", "[string]"."""
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    text = " | ".join(kinds)
    if kinds == ["array"]:
        items = schema.get("items", {})
        text = f"[{type_text(items) if '$ref' not in items else _title(items)}]"
    if form := schema.get("format"):
        text = f"{text} ({form})"
    low, high = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    if low is not None or high is not None:
        text = f"{text} {low if low is not None else ''}…{high if high is not None else ''}"
    return text


def _example(document: Schema, path: str, method: str, operation: Schema) -> Row:
    """A call with curl, as lines and as one text to copy."""
    headers = {"Authorization": "Bearer $TOKEN"}
    names = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
    if "If-Match" in names:
        headers["If-Match"] = "$ETAG"
    if "Idempotency-Key" in names:
        headers["Idempotency-Key"] = "$(uuidgen)"
    schema = _content(operation.get("requestBody", {}))
    if schema is not None:
        headers["Content-Type"] = "application/json"
    where = f"{settings.EXTERNAL_URL}{path}"
    lines = [f"curl {'' if method == 'GET' else f'-X {method} '}{shlex.quote(where)}"]
    # In double quotes, so that the shell fills in what is a variable.
    lines += [f'  -H "{name}: {value}"' for name, value in headers.items()]
    if schema is not None:
        lines.append(f"  -d {shlex.quote(json.dumps(sample(document, schema), ensure_ascii=False))}")
    return {"lines": [*(f"{line} \\" for line in lines[:-1]), lines[-1]], "text": " \\\n".join(lines)}


def sample(document: Schema, schema: Schema, depth: int = 0) -> Any:
    """A value of the schema to begin with: what must be there, with the first choices and defaults."""
    whole = _resolved(document, schema)
    for known in ("const", "default"):
        if known in whole:
            return whole[known]
    if whole.get("examples"):
        return whole["examples"][0]
    if "enum" in whole:
        return whole["enum"][0]
    if "oneOf" in whole:
        return sample(document, whole["oneOf"][0], depth)
    kinds = whole.get("type", "object" if "properties" in whole else "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        members = whole.get("properties", {})
        names = whole.get("required", []) or list(members)[:1]
        return {name: sample(document, members[name], depth + 1) for name in names if name in members and depth < 6}
    if kind == "array":
        return [sample(document, whole.get("items", {}), depth + 1)] if depth < 6 else []
    plain = {"integer": whole.get("minimum", 1), "number": 1, "boolean": True}
    return plain.get(kind, _text_sample(whole))


def _text_sample(schema: Schema) -> str:
    texts = {
        "uuid": "11111111-2222-3333-4444-555555555555",
        "date-time": "2027-01-31T18:00:00+08:00",
    }
    return texts.get(schema.get("format", ""), "…")
