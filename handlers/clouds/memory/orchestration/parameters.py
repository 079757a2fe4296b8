"""Values of a template's parameters: given, by default, or missing."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from handlers.clouds.memory.orchestration.refusals import invalid, refused

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})

#: What Heat shows instead of the value of a hidden parameter.
HIDDEN = "******"


def values_of(schemas: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter with its value, in its type; Refusal 400 for what does not fit.

    UnknownUserParameter, UserParameterMissing, or StackValidationFailed with the reason.
    """
    for name in given:
        if name not in schemas:
            text = f"The Parameter ({name}) was not defined in template."
            raise refused("UnknownUserParameter", text)
    return {name: _value(name, schema, given.get(name)) for name, schema in schemas.items()}


def shown(schemas: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """The values as Heat shows them: text, and hidden ones not at all."""
    return {
        name: HIDDEN if schemas[name].get("hidden") else _told(schemas[name], value)
        for name, value in values.items()
        if name in schemas
    }


def _told(schema: Mapping[str, Any], value: Any) -> str:
    plain = isinstance(value, list) and schema["type"] == "comma_delimited_list"
    return ",".join(value) if plain else _text(value)


def _value(name: str, schema: Mapping[str, Any], given: Any) -> Any:
    raw = schema.get("default") if given is None else given
    if raw is None:
        text = f"The Parameter ({name}) was not provided."
        raise refused("UserParameterMissing", text)
    kind = str(schema.get("type", "string")).lower()
    read = _READERS.get(kind)
    if read is None:
        raise refused("InvalidSchemaError", f"Invalid type ({schema.get('type')})")
    try:
        value = read(raw)
        _check(value, schema.get("constraints") or ())
    except (ValueError, TypeError) as error:
        told = f"Invalid default {raw} ({error})" if given is None else error
        raise invalid(f"Parameter '{name}' is invalid: {told}") from None
    return value


def _number(raw: Any) -> int | float:
    try:
        return int(raw) if not isinstance(raw, float) else raw
    except ValueError:
        return float(raw)


def _boolean(raw: Any) -> bool:
    text = str(raw).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    known = ", ".join(f"'{one}'" for one in sorted(_TRUE | _FALSE))
    raise ValueError(f"Unrecognized value '{raw}', acceptable values are: {known}")


def _json(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return json.loads(raw) if raw else raw
    except ValueError as error:
        raise ValueError(f"Value must be valid JSON: {error}") from None


def _list(raw: Any) -> list[str]:
    if isinstance(raw, list):
        return [str(each) for each in raw]
    return [each.strip() for each in str(raw).split(",")] if raw else []


def _string(raw: Any) -> str:
    return raw if isinstance(raw, str) else _text(raw)


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
    "comma_delimited_list": _list,
}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _check(value: Any, constraints: Any) -> None:
    for each in constraints:
        if "range" in each:
            _in_range(value, each["range"])
        if "length" in each and not _within(len(value), each["length"]):
            raise ValueError(f'"{value}" length ({len(value)}) is out of range')
        if "allowed_values" in each and value not in each["allowed_values"]:
            allowed = json.dumps(each["allowed_values"])
            raise ValueError(f'"{value}" is not an allowed value {allowed}')
        if "allowed_pattern" in each and not re.fullmatch(each["allowed_pattern"], value):
            raise ValueError(f'"{value}" does not match pattern "{each["allowed_pattern"]}"')


def _in_range(value: Any, limits: Mapping[str, Any]) -> None:
    if not _within(value, limits):
        text = f"min: {limits.get('min')}, max: {limits.get('max')}"
        raise ValueError(f"{value} is out of range ({text})")


def _within(value: Any, limits: Mapping[str, Any]) -> bool:
    low, high = limits.get("min"), limits.get("max")
    return (low is None or value >= low) and (high is None or value <= high)
