"""A HOT template, read: parameters, resources in the order of their dependencies, outputs.

Only what stands in a template of servers, volumes, ports and groups: the functions `get_param`,
`get_resource` and `get_attr`, `depends_on`, `deletion_policy`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from handlers.clouds.memory.orchestration.refusals import invalid, refused
from handlers.clouds.memory.orchestration.specs import Document


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A resource of a template. `properties` hold functions; `requires` are names."""

    name: str
    type: str
    properties: Mapping[str, Any]
    requires: frozenset[str]
    retain: bool


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A template that holds together: every reference is to something that is in it."""

    parameters: Mapping[str, Mapping[str, Any]]
    definitions: Mapping[str, Definition]
    outputs: Mapping[str, Mapping[str, Any]]


#: A template without anything: what a deletion brings a stack to.
EMPTY = Template(parameters={}, definitions={}, outputs={})

#: Called with `get_param`, `get_resource` or `get_attr` and its argument.
Function = Callable[[str, Any], Any]

_FUNCTIONS = frozenset({"get_param", "get_resource", "get_attr"})


def parse(document: Document, known_types: frozenset[str]) -> Template:
    """Read a template; Refusal 400 for one that does not hold together."""
    if "heat_template_version" not in document:
        text = "The template version is invalid: Template version was not provided"
        raise refused("InvalidTemplateVersion", text)
    parameters = document.get("parameters") or {}
    found = document.get("resources") or {}
    if twice := set(parameters) & set(found):
        raise invalid(f"Duplicate names {twice}")
    definitions = {name: _definition(name, found[name], known_types) for name in found}
    for each in definitions.values():
        for other in each.requires:
            if other not in definitions:
                text = f'The specified reference "{other}" (in {_where(each, other)}) is incorrect.'
                raise refused("InvalidTemplateReference", text)
    outputs = document.get("outputs") or {}
    return Template(parameters=parameters, definitions=_ordered(definitions), outputs=outputs)


def resolve(value: Any, function: Function) -> Any:
    """The value with every function in it replaced by what it says."""
    if isinstance(value, dict):
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key in _FUNCTIONS:
                return function(key, resolve(argument, function))
        return {key: resolve(each, function) for key, each in value.items()}
    if isinstance(value, list):
        return [resolve(each, function) for each in value]
    return value


def pick(value: Any, path: list[Any]) -> Any:
    """What stands at a path in a value; None where it leads nowhere."""
    for key in path:
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value


def _where(definition: Definition, name: str) -> str:
    """The property in which a resource is referred to."""
    for key, value in definition.properties.items():
        if name in _references(value):
            return f"{definition.name}.Properties.{key}"
    return f"{definition.name}.depends_on"


def _definition(name: str, body: Mapping[str, Any], known_types: frozenset[str]) -> Definition:
    kind = body.get("type") if isinstance(body, Mapping) else None
    if not kind:
        raise invalid("Each resource must contain a type key.")
    if kind not in known_types:
        raise invalid(f"The Resource Type ({kind}) could not be found.")
    properties = body.get("properties") or {}
    depends = body.get("depends_on") or ()
    named = {depends} if isinstance(depends, str) else set(depends)
    return Definition(
        name=name,
        type=kind,
        properties=properties,
        requires=frozenset(named | set(_references(properties))),
        retain=str(body.get("deletion_policy", "")).lower() == "retain",
    )


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, argument in value.items():
            if key == "get_resource" and isinstance(argument, str):
                yield argument
            elif key == "get_attr" and isinstance(argument, list) and argument:
                yield str(argument[0])
            else:
                yield from _references(argument)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _ordered(definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """The definitions, each after what it requires; Refusal 400 when they go in a circle."""
    done: dict[str, Definition] = {}
    left = dict(definitions)
    while left:
        ready = [name for name, each in left.items() if each.requires <= done.keys()]
        if not ready:
            text = f"Circular Dependency Found: {sorted(left)}"
            raise refused("CircularDependencyException", text)
        for name in ready:
            done[name] = left.pop(name)
    return done
