"""Where processes can be killed: the run is rehearsed with a manager on the in-memory cloud.

So the crossings come from the plans: a step that a manager adds is killed at too, and one that only
looks has no call to be killed at.
"""

from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.operation import Operation
from tests.contract.managers.state import site_of
from tests.real.phases import phases
from tests.real.targets import Crossing
from tests.support.world import Parts, VirtualClock, World


def rehearse(manager: str) -> dict[str, tuple[Crossing, ...]]:
    """By phase: each crossing that an undisturbed run comes to, in that order."""
    seen: dict[Crossing, None] = {}

    def note(boundary: str, op: Operation, step: str) -> None:
        seen.setdefault(Crossing.of(boundary, op, step))

    clock = VirtualClock()
    state = CloudState(now=clock.now, sleep=clock.sleep)
    clouds = MemoryClouds({"": MemoryCloud(state)})
    world = World(clouds, clock, manager=manager, parts=Parts(checkpoint=note))
    world.worker()
    subject = world.uuid()
    found = {}
    for phase in phases(site_of(state)):
        seen.clear()
        for body in phase.bodies:
            clock.sleep(0.01)  # a command opens later than what was seen before
            command = world.send(subject, body)
            world.run()
            if world.events(command) != ["start", "end"]:
                raise RuntimeError(f"rehearsal of {command.name}: {world.event(command).data}")
        found[phase.name] = tuple(seen)
    return found
