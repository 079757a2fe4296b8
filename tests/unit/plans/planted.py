"""Instances as the ledger records them, with what the cloud has of them."""

from typing import Any

from msgspec.structs import replace

from consumer.fleet.inventory import Inventory, carried_by
from handlers.instance import Instance, Ref, Scope
from handlers.keys import GROUP, SERVER, STACK, VOLUME
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Kind, Port, SecurityGroup, Server, Stack, Volume

PROJECT = "service"
PORT = "port/user-0"


def record_of(name: str, *, stack: bool = False, **changes: Any) -> Instance:
    """An instance with one of each kind, whose ids end in its name."""
    resources = {
        SERVER: Ref(kind=Kind.SERVER, id=f"server-{name}", role=SERVER),
        VOLUME: Ref(kind=Kind.VOLUME, id=f"volume-{name}", role=VOLUME),
        PORT: Ref(kind=Kind.PORT, id=f"port-{name}", role=PORT),
        GROUP: Ref(kind=Kind.SECURITY_GROUP, id=f"group-{name}", role=GROUP),
    }
    if stack:
        resources[STACK] = Ref(kind=Kind.STACK, id=f"stack-{name}", role=STACK)
    made = Instance(
        id=name,
        scope=Scope(cloud="trove", region="RegionOne", project="tenant-1"),
        manager=ORCHESTRATOR if stack else NATIVES,
        resources=resources,
        flavor="1",
        volume_size=5,
    )
    return replace(made, **changes)


class Planted:
    """A cloud of values: `every` and `get` of what was put into it."""

    project = PROJECT

    def __init__(self, *records: Instance) -> None:
        self.things: dict[str, Any] = {}
        self.elsewhere: dict[str, Any] = {}
        self.asked: list[str] = []
        self.lacking: tuple[Any, ...] = ()
        for record in records:
            self.plant(record)

    def plant(self, record: Instance) -> None:
        """All that the record names, as it should be."""
        name, server = record.id, f"server-{record.id}"
        self.put(
            Server(
                id=server,
                status="ACTIVE",
                flavor=record.flavor,
                volumes=(f"volume-{name}",),
                subject=name,
                project=PROJECT,
            ),
            Volume(
                id=f"volume-{name}", status="in-use", size=record.volume_size, servers=(server,)
            ),
            Port(id=f"port-{name}", device=server),
            SecurityGroup(id=f"group-{name}"),
        )
        if STACK in record.resources:
            self.put(Stack(id=f"stack-{name}", status="CREATE_COMPLETE", subject=name))

    def put(self, *things: Any) -> None:
        self.things |= {each.id: each for each in things}

    def change(self, name: str, **changes: Any) -> None:
        self.things[name] = replace(self.things[name], **changes)

    def drop(self, name: str) -> None:
        del self.things[name]

    def every(self, kind: Kind) -> tuple[Any, ...]:
        self.asked.append(f"every {kind}")
        return tuple(each for each in self.things.values() if each.kind is kind)

    def get(self, kind: Kind, ids: Any) -> tuple[Any, ...]:
        self.asked.append(f"get {len(ids)} {kind}")
        return tuple(self.elsewhere[one] for one in ids if one in self.elsewhere)

    def lacks(self) -> tuple[Any, ...]:
        self.asked.append("lacks")
        return self.lacking

    def inventory(self) -> Inventory:
        def of(kind: Kind) -> dict[str, Any]:
            return {one.id: one for one in self.things.values() if one.kind is kind}

        return Inventory(
            project=PROJECT,
            servers=of(Kind.SERVER),
            volumes=of(Kind.VOLUME),
            ports=of(Kind.PORT),
            groups=of(Kind.SECURITY_GROUP),
            stacks=of(Kind.STACK),
            carried=carried_by(of(Kind.STACK).values()),
        )
