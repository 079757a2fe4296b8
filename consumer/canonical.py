"""Structs as builtin values without what is left at its default.

So a field that a later release adds changes neither the fingerprint of a command that does not use
it nor its row, and an older release can still read it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec


def told(value: Any) -> Any:
    """Structs become dicts, tuples lists; fields at their default are left out; all else stays."""
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name), default) for name, default in _fields(type(value)))
        return {name: told(field) for name, field, default in fields if field != default()}
    if isinstance(value, tuple):
        return [told(item) for item in value]
    return value


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """Names of the fields with makers of their defaults."""
    return tuple((field.name, _maker(field)) for field in msgspec.structs.fields(kind))


def _maker(field: msgspec.structs.FieldInfo) -> Callable[[], Any]:
    if field.default_factory is not msgspec.NODEFAULT:
        factory: Callable[[], Any] = field.default_factory
        return factory
    return lambda: field.default
