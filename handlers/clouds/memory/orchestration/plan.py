"""What a stack shall become: a template with its values, and what an update may not do."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from handlers.clouds.memory.orchestration.hot import EMPTY, Function, Template, parse, pick, resolve
from handlers.clouds.memory.orchestration.kinds import Kinds
from handlers.clouds.memory.orchestration.kinds.base import read_values
from handlers.clouds.memory.orchestration.parameters import values_of
from handlers.clouds.memory.orchestration.specs import Document
from handlers.clouds.memory.things import StackResource


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A template with its environment, as read from the documents.

    `given` are the parameters that were given, `values` those with the defaults. `forbidden` are
    the `restricted_actions` by resource name. `revision` tells one plan of a stack from another.
    """

    document: Document
    environment: Document
    given: Mapping[str, Any]
    template: Template
    values: Mapping[str, Any]
    forbidden: Mapping[str, frozenset[str]]
    revision: int


def plan_of(
    kinds: Kinds,
    document: Document,
    environment: Document,
    given: Mapping[str, Any],
    revision: int,
    *,
    drop: bool = False,
) -> Plan:
    """Read and validate all of it; Refusal 400. `given` come on top of the environment's. `drop`:
    parameters that the template does not have are not refused but dropped."""
    template = parse(document, frozenset(kinds))
    together = {**(environment.get("parameters") or {}), **given}
    if drop:
        together = {key: each for key, each in together.items() if key in template.parameters}
    defaults = environment.get("parameter_defaults") or {}
    known = {name: value for name, value in defaults.items() if name in template.parameters}
    plan = Plan(
        document=document,
        environment=environment,
        given=together,
        template=template,
        values=values_of(template.parameters, {**known, **together}),
        forbidden=_forbidden(environment),
        revision=revision,
    )
    function = references(kinds, plan, nobody)
    for name, each in template.definitions.items():
        kind = kinds[each.type]
        kind.validate(name, read_values(kind, name, resolve(each.properties, function)))
    return plan


def emptied(plan: Plan, revision: int) -> Plan:
    """The plan of a deletion; the documents stay to be read."""
    return msgspec.structs.replace(plan, template=EMPTY, revision=revision)


def nobody(name: str) -> None:
    """No resource is there yet."""
    return


def references(kinds: Kinds, plan: Plan, row_of: Callable[[str], StackResource | None]) -> Function:
    """What the functions of a template say, while its resources are those of `row_of`.

    A resource that is not there yet is referred to by its name, or by nothing if Neutron makes it;
    its attributes are None (both measured on Heat 27).
    """

    def refer(name: str) -> str | None:
        row = row_of(name)
        if row is not None and row.physical:
            return row.physical
        definition = plan.template.definitions.get(name)
        neutron = definition is not None and definition.type.startswith("OS::Neutron::")
        return None if neutron else name

    def function(name: str, argument: Any) -> Any:
        if name == "get_resource":
            return refer(argument)
        if name == "get_param":
            if isinstance(argument, list):
                return pick(plan.values.get(argument[0]), argument[1:])
            return plan.values.get(argument)
        row = row_of(argument[0])
        if row is None or not row.physical:
            return None
        return pick(kinds[row.type].attribute(row, argument[1]), argument[2:])

    return function


def _forbidden(environment: Document) -> dict[str, frozenset[str]]:
    registry = environment.get("resource_registry") or {}
    found = {}
    for name, each in (registry.get("resources") or {}).items():
        actions = each.get("restricted_actions") if isinstance(each, Mapping) else None
        if actions:
            found[name] = frozenset([actions] if isinstance(actions, str) else actions)
    return found
