"""What is in a project of a cloud, looked at by another way than the one that is tested."""

from typing import TypeVar

import msgspec
from msgspec.structs import replace

#: Protocol, first port, last port, CIDR as the cloud says it.
RuleKey = tuple[str, int, int, str]


class SeenServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server. `kept` are its volumes that outlive it; `user_data` is decoded. `launched` is when
    it was started or resized last, as the cloud says it."""

    id: str
    name: str
    status: str
    launched: str
    flavor: str
    image: str
    zone: str
    metadata: dict[str, str]
    tags: frozenset[str]
    volumes: frozenset[str]
    kept: frozenset[str]
    user_data: str | None
    config_drive: bool


class SeenVolume(msgspec.Struct, frozen=True, kw_only=True):
    """A volume; `size` in GiB, `servers` are those that it is attached to."""

    id: str
    name: str
    status: str
    size: int
    type: str
    zone: str
    servers: frozenset[str]


class SeenPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port; `device` is the server that it is plugged into."""

    id: str
    name: str
    network: str
    device: str
    addresses: tuple[str, ...]
    groups: frozenset[str]


class SeenGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A security group with its ingress rules, and the id of each."""

    id: str
    name: str
    rules: dict[RuleKey, str]


class SeenStack(msgspec.Struct, frozen=True, kw_only=True):
    """A Heat stack; `status` is action and status in one."""

    id: str
    name: str
    status: str
    tags: frozenset[str]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What Heat keeps of a stack: its parameters as text, the ids of its resources by their names,
    the names of those that outlive it, and of those that an update without any change would
    replace, add or delete."""

    parameters: dict[str, str]
    members: dict[str, str]
    retained: frozenset[str]
    replaced: frozenset[str]
    added: frozenset[str]
    deleted: frozenset[str]


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that somebody made in a project. `others` are kinds that no test asks about."""

    servers: tuple[SeenServer, ...] = ()
    volumes: tuple[SeenVolume, ...] = ()
    ports: tuple[SeenPort, ...] = ()
    groups: tuple[SeenGroup, ...] = ()
    stacks: tuple[SeenStack, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all of it."""
        return frozenset(
            (
                *(server.id for server in self.servers),
                *(volume.id for volume in self.volumes),
                *(port.id for port in self.ports),
                *(group.id for group in self.groups),
                *(stack.id for stack in self.stacks),
                *self.others,
            )
        )

    @property
    def natives(self) -> "Inventory":
        """All of it but the stacks."""
        return replace(self, stacks=())

    def data_of(self, subject: str) -> frozenset[str]:
        """The ids of the servers, volumes and ports that carry the subject's identity."""
        name = f"trove-{subject}"
        return frozenset(
            (
                *(s.id for s in self.servers if s.metadata.get("trove_instance_id") == subject),
                *(volume.id for volume in self.volumes if volume.name == name),
                *(port.id for port in self.ports if port.name == name),
            )
        )

    @property
    def server(self) -> SeenServer:
        """The one server that there is."""
        return only(self.servers)

    @property
    def volume(self) -> SeenVolume:
        """The one volume that there is."""
        return only(self.volumes)

    @property
    def port(self) -> SeenPort:
        """The one port that there is."""
        return only(self.ports)

    @property
    def group(self) -> SeenGroup:
        """The one security group that there is."""
        return only(self.groups)

    @property
    def stack(self) -> SeenStack:
        """The one stack that there is."""
        return only(self.stacks)


T = TypeVar("T")


def only(things: tuple[T, ...]) -> T:
    """The one thing; fails when there are none or several."""
    assert len(things) == 1, f"one was expected, not {len(things)}: {things}"
    return things[0]
