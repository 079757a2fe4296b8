"""What several threads read is made ready before there are any: msgspec 0.22 crashes else."""

import msgspec

from handlers.clouds.openstack import wire
from handlers.clouds.openstack.wire import READERS


def _parts(kind: object) -> set[type]:
    """The structs that reading this one meets."""
    found: set[type] = set()
    waiting = [kind]
    while waiting:
        info = waiting.pop()
        if not isinstance(info, type) or info in found:
            continue
        found.add(info)
        waiting += [part for part in vars(wire).values() if _names(info, part)]
    return found


def _names(info: type, part: object) -> bool:
    """Whether a field of the struct speaks of the other one."""
    if not isinstance(part, type) or not issubclass(part, msgspec.Struct):
        return False
    return any(part.__name__ in str(field.type) for field in msgspec.structs.fields(info))


def test_every_struct_of_the_wire_is_ready_or_part_of_one_that_is() -> None:
    ready = {part for kind in READERS for part in _parts(kind)}
    structs = {
        each
        for each in vars(wire).values()
        if isinstance(each, type)
        and issubclass(each, msgspec.Struct)
        and each is not wire.ErrorBody
    }
    assert structs - {msgspec.Struct} <= ready
