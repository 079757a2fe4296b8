"""A live instance on the in-memory cloud, and what is done to move it."""

from typing import Any

from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.clouds.memory.settings import Abilities
from handlers.clouds.memory.things import StackThing
from handlers.commands import AdoptInstance, Body, CreateInstance, ReleaseInstance
from handlers.errors import Reason
from handlers.instance import Instance
from handlers.operation import Operation, Phase
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from tests.support.world import VirtualClock, World

PROJECT = "tenant"


class Bench:
    """One worker, and an instance of `manager` with flavor 2, two ports and 2 GiB."""

    def __init__(
        self,
        manager: str = "natives",
        abilities: Abilities | None = None,
        cloud: type[MemoryCloud] = MemoryCloud,
    ) -> None:
        self.clock = VirtualClock()
        self.state = CloudState(now=self.clock.now, sleep=self.clock.sleep)
        self.state.core.abilities = abilities or Abilities()
        self.cloud = cloud(self.state)
        self.world = World(MemoryClouds({"": self.cloud}), self.clock, manager=manager)
        self.world.worker()
        self.subject = self.world.uuid()
        assert self.send(self.create()).phase is Phase.SUCCEEDED

    def create(self) -> CreateInstance:
        catalogue = self.state.catalogue
        user, management = catalogue.networks[1], catalogue.networks[0]
        return CreateInstance(
            project=PROJECT,
            name="db",
            flavor="2",
            image=catalogue.images[0].id,
            networks=(
                Network(network=user.id),
                Network(network=management.id, role="management"),
            ),
            volume=DataVolume(size=2),
            access=Access(ports=(PortRange("tcp", 3306, 3306),), cidrs=("10.0.0.0/8",)),
        )

    def send(self, body: Body, subject: str = "") -> Operation:
        command = self.world.send(subject or self.subject, body)
        self.world.run()
        return self.world.operation(command)

    def adopt(self, *, commit: bool = True) -> Operation:
        return self.send(AdoptInstance(project=PROJECT, commit=commit))

    def release(self) -> Operation:
        return self.send(ReleaseInstance(project=PROJECT))

    @property
    def record(self) -> Instance:
        record = self.world.ledger.instance(self.subject)
        assert record is not None
        return record

    @property
    def stacks(self) -> list[StackThing]:
        return [each for each in self.state.core.stacks.values() if each.action != "DELETE"]


def native(bench: Bench) -> dict[str, Any]:
    """Everything that has an id and is no stack, as it is now."""
    core = bench.state.core
    return {
        "servers": {one.id: (one.launched, one.flavor) for one in core.servers.values()},
        "volumes": {one.id: one.size for one in core.volumes.values()},
        "ports": set(core.ports),
        "groups": {one.id for one in core.groups.values() if one.name != "default"},
    }


def reason(op: Operation) -> Reason:
    assert op.phase is Phase.FAILED, op
    assert op.failure is not None
    return op.failure.reason
