"""Schemas and rows as tables in Markdown."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from consumer.codec.documents.schemas import Schema


def fields(schema: Schema, title: str) -> Iterator[str]:
    """A table of a struct's fields, from its schema; `title` heads the first column."""
    required = schema.get("required", [])
    rows = (
        (f"`{name}`", _type(field), _need(name, field, required), _limits(field))
        for name, field in schema["properties"].items()
    )
    yield from table((title, "type", "default", "limits and unit"), rows)


def _need(name: str, field: Schema, required: Iterable[str]) -> str:
    if name in required:
        return "required"
    return f"`{json.dumps(field['default'])}`" if field.get("default") is not None else ""


def _type(field: Schema) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "allOf" in field:
        return _type(field["allOf"][0])
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"] if each.get("type") != "null")
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("type") == "object" and "additionalProperties" in field:
        return f"map to {_type(field['additionalProperties'])}"
    return str(field.get("type", "string"))


def _limits(field: Schema) -> str:
    """The constraints of a field, and of what it is made of, in words."""
    parts = [field, *field.get("anyOf", ())]
    parts += [part["items"] for part in parts if "items" in part]
    words = [text for part in parts for text in _words(part)]
    return "; ".join(dict.fromkeys(words)).replace("|", "\\|")


#: Says again what `$` means everywhere but in Python.
_NO_LINE_FEED = r"(?!\n)"

_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
    ("minProperties", "maxProperties", " entries"),
)


def _words(part: Schema) -> Iterator[str]:
    if "const" in part:
        yield f"`{part['const']}`"
    if "enum" in part:
        yield ", ".join(f"`{value}`" for value in part["enum"])
    for low, high, unit in _BOUNDS:
        if high in part:
            yield f"{part.get(low, 0)} to {part[high]}{unit}"
    if "pattern" in part:
        yield f"`{part['pattern'].replace(_NO_LINE_FEED, '')}`"
    if "format" in part:
        yield str(part["format"])
    if part.get("writeOnly"):
        yield "secret: kept encrypted, never shown"
    if "description" in part:
        yield part["description"]


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a table, and an empty one after it."""
    columns = list(head)
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"
    yield ""
