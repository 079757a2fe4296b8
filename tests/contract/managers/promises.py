"""What a manager promises of every subject that it has worked on, whatever the command was."""

from collections.abc import Callable

from handlers.instance import Instance, State
from handlers.keys import SERVER, VOLUME
from handlers.resources import Kind
from handlers.template import name_of
from tests.contract.managers.inventory import Inventory, SeenStack, Stored
from tests.contract.managers.place import Place

#: Fails when the promise is not kept; takes the place and the subject's record.
Promise = Callable[[Place, Instance], None]


#: What a stack says when it rests; the last one until an adoption is committed.
_AT_REST = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "CHECK_COMPLETE")


def natives_have_no_stack(place: Place, record: Instance) -> None:
    """No stack carries the subject's identity: neither one that an adoption made and that failed,
    nor one that it was released from."""
    mine = _stacks_of(record, place.look())
    assert not mine, f"{record.id} is native, and there is {mine}"
    assert not any(ref.kind is Kind.STACK for ref in record.resources.values())


def stacks_tell_the_truth(place: Place, record: Instance) -> None:
    """The recorded stack is there, alone and at rest, and holds exactly the recorded ids. Heat
    stores what Nova and Cinder have, its next update replaces, adds and deletes nothing, and its
    deletion takes no volume along; while an adoption soaks, nothing at all. What was deleted has no
    stack."""
    there = place.look()
    mine = _stacks_of(record, there)
    if record.state is State.DELETED:
        assert not mine, f"a stack outlived its subject: {mine}"
        return
    recorded = {ref.id for ref in record.resources.values() if ref.kind is Kind.STACK}
    assert {one.id for one in mine} == recorded and len(mine) == 1, f"{mine} is not {recorded}"
    (stack,) = mine
    assert stack.status in (_AT_REST if record.soaking else _AT_REST[:2]), stack
    stored = place.stored(stack)
    _next_update_is_harmless(stored, stack)
    members = {
        name_of(key): ref.id for key, ref in record.resources.items() if ref.kind is not Kind.STACK
    }
    assert stored.members == members, f"{stack.name} holds {stored.members}, recorded: {members}"
    kept = set(members) if record.soaking else set(members) & {name_of(VOLUME)}
    assert stored.retained == kept, f"{stack.name}: {stored.retained} outlive it, not {kept}"
    _values_are_true(stored.parameters, there, record)


def _stacks_of(record: Instance, there: Inventory) -> list[SeenStack]:
    return [one for one in there.stacks if f"trove_instance_id_{record.id}" in one.tags]


def _next_update_is_harmless(stored: Stored, stack: SeenStack) -> None:
    for what in ("replaced", "added", "deleted"):
        names = getattr(stored, what)
        assert not names, f"the next update of {stack.name} would have {what}: {sorted(names)}"


def _values_are_true(parameters: dict[str, str], there: Inventory, record: Instance) -> None:
    """Stack, services and record agree on flavor and size."""
    flavors = {one.id: one.flavor for one in there.servers}
    if SERVER in record.resources:
        flavor = flavors[record.resources[SERVER].id]
        assert parameters["flavor"] == flavor == record.flavor, f"{parameters} for {flavor}"
    sizes = {one.id: one.size for one in there.volumes}
    if VOLUME in record.resources:
        size = sizes[record.resources[VOLUME].id]
        assert int(parameters["volume_size"]) == size == record.volume_size, (
            f"{parameters} for {size} GiB"
        )
