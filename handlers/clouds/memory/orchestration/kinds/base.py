"""What the engine knows of a resource type."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from handlers.clouds.memory.orchestration.natives import Steps
from handlers.clouds.memory.orchestration.refusals import invalid
from handlers.clouds.memory.things import StackResource, StackThing

#: Reads a property's value: (resource, value) -> value; Refusal 400 when it does not do.
Reader = Callable[[str, Any], Any]


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """A property of a type: whether an update may change it in place, and how it is read."""

    update: bool = False
    required: bool = False
    default: Any = None
    read: Reader | None = None


Schema = Mapping[str, Property]
Values = Mapping[str, Any]


class ResourceKind(Protocol):
    """A resource type. Steps raise `failures.Failed`; `values` have every property of `schema`."""

    @property
    def type(self) -> str: ...

    @property
    def schema(self) -> Schema: ...

    def validate(self, name: str, values: Values) -> None:
        """Refusal 400 for values that do not go together; references are not resolved yet."""
        ...

    def create(self, stack: StackThing, row: StackResource, values: Values) -> Steps: ...

    def update(
        self, stack: StackThing, row: StackResource, values: Values, changed: frozenset[str]
    ) -> Steps: ...

    def delete(self, row: StackResource) -> Steps: ...

    def check(self, row: StackResource) -> Steps | None:
        """None where Heat has no check: that counts as complete."""
        ...

    def is_broken(self, row: StackResource) -> bool:
        """Whether a resource that failed is replaced by the next update."""
        ...

    def replaces(self, changed: frozenset[str], values: Values) -> bool:
        """Whether a change of these properties replaces the resource by its own policy."""
        ...

    def before_replacement(self, row: StackResource) -> None: ...

    def attribute(self, row: StackResource, name: str) -> Any:
        """What `get_attr` tells; None where there is no such thing, or not yet."""
        ...


def read_values(kind: ResourceKind, name: str, given: Values) -> dict[str, Any]:
    """All properties with their values; Refusal 400 for an unknown, missing or wrong one."""
    schema = kind.schema
    for key in given:
        if key not in schema:
            raise invalid(
                f"Property error: : resources.{name}.properties: : Unknown Property {key}"
            )
    found: dict[str, Any] = {}
    for key, prop in schema.items():
        value = given.get(key)
        if value is None:
            if prop.required:
                text = f"Property {key} not assigned"
                raise invalid(f"Property error: : resources.{name}.properties: : {text}")
            value = prop.default
        elif prop.read is not None:
            value = prop.read(name, value)
        found[key] = value
    return found


def whole_number(name: str, value: Any) -> int:
    """An integer, also when it comes as a number or text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise invalid(f"Property error: : resources.{name}.properties: : '{value}'") from None


def texts(name: str, value: Any) -> dict[str, str]:
    """A mapping of text to text."""
    if not isinstance(value, Mapping):
        raise invalid(f"Property error: : resources.{name}.properties: : '{value}' is not a map")
    return {key: each if isinstance(each, str) else str(each) for key, each in value.items()}
