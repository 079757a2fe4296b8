"""What a manager promises of every subject that it has worked on, whatever the command was."""

from collections.abc import Callable

from handlers.instance import Instance, State
from handlers.keys import SERVER, VOLUME
from handlers.resources import Kind
from tests.contract.managers.inventory import Inventory, SeenStack
from tests.contract.managers.place import Place

#: Fails when the promise is not kept; takes the place and the subject's record.
Promise = Callable[[Place, Instance], None]


def stacks_tell_the_truth(place: Place, record: Instance) -> None:
    """The recorded stack is there, alone and at rest; Heat stores what Nova and Cinder have, and
    its next update replaces, adds and deletes nothing. What was deleted has no stack."""
    there = place.look()
    mine = [one for one in there.stacks if f"trove_instance_id_{record.id}" in one.tags]
    if record.state is State.DELETED:
        assert not mine, f"a stack outlived its subject: {mine}"
        return
    recorded = {ref.id for ref in record.resources.values() if ref.kind is Kind.STACK}
    assert {one.id for one in mine} == recorded and len(mine) == 1, f"{mine} is not {recorded}"
    (stack,) = mine
    assert stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
    _next_update_is_harmless(place, stack)
    _values_are_true(place.stored(stack).parameters, there, record)


def _next_update_is_harmless(place: Place, stack: SeenStack) -> None:
    stored = place.stored(stack)
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
