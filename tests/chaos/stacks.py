"""What Heat believes of a stack, and what it would do to it next."""

from collections.abc import Collection, Iterator
from typing import Any

from handlers.clouds.memory import CloudState
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.things import StackThing
from handlers.keys import SERVER, VOLUME
from handlers.resources import Service
from handlers.template import FLAVOR, VOLUME_SIZE, name_of

#: Where the values that may change stand: resource, property, parameter.
_VALUES = (
    (name_of(SERVER), "flavor", FLAVOR),
    (name_of(VOLUME), "size", VOLUME_SIZE),
)


def is_gone(stack: StackThing) -> bool:
    """Deleted, though its name is not free for a moment more."""
    return (stack.action, stack.status) == ("DELETE", "COMPLETE")


def stored_view(stack: StackThing) -> dict[str, Any]:
    """The values that an update may change, as the stack's parameters have them (`wanted`) and as
    Heat last applied them (`applied`): it compares with these, never with the cloud."""
    rows = stack.resources
    wanted = {name: stack.parameters.get(name) for *_, name in _VALUES}
    applied = {
        name: rows[resource].properties.get(key)
        for resource, key, name in _VALUES
        if resource in rows
    }
    return {"wanted": wanted, "applied": applied, "retained": sorted(retained(stack))}


def keeps_everything(state: CloudState, ids: Collection[str]) -> bool:
    """Whether a deletion of these stacks would leave all that they hold: as they were told, and as
    they have been brought to it."""
    stacks = [each for each in state.core.stacks.values() if each.id in ids]
    return all(retained(each) == {*each.resources, *each.template["resources"]} for each in stacks)


def retained(stack: StackThing) -> set[str]:
    """The resources that the stack retains, as it was told and as it was brought to it."""
    told = stack.template.get("resources") or {}
    return {
        name
        for name, row in stack.resources.items()
        if row.retain and told.get(name, {}).get("deletion_policy") == "Retain"
    }


def update_for_nothing(state: CloudState, ids: Collection[str]) -> Iterator[str]:
    """Begin an update without a change, which may neither update nor replace any resource, of each
    of these stacks that is at rest. What comes of it is the proof of Heat's stored view: its
    preview does not follow references (both measured on Heat 27). Gives their ids."""
    doing = Doing(Call(Service.ORCHESTRATION, "update_stack"), "req-proof")
    with state.core.lock:
        state.orchestration.start_engine()
        for stack in list(state.core.stacks.values()):
            if stack.id not in ids or stack.status == "IN_PROGRESS":
                continue
            kept = {name: {"restricted_actions": ["update", "replace"]} for name in stack.resources}
            change = StackChange(
                existing=True, environment={"resource_registry": {"resources": kept}}
            )
            state.orchestration.update(doing, stack.project, stack.name, stack.id, change)
            yield stack.id
