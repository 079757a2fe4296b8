"""What a small OpenStack is made of: mutable records of servers, volumes, ports and groups.

Times are microseconds of the state's clock. `subject` and `role` are read from the identity once,
when a thing is made: names, tags and descriptions do not change here.
"""

from dataclasses import dataclass, field

from handlers.resources import Kind, PortRange

Micros = int


@dataclass(slots=True, kw_only=True)
class Thing:
    """What all have in common.

    `visible` is when listings begin to show it; by id it is there at once. `epoch` is raised
    whenever something new begins with it, so that what was planned before no longer happens.
    """

    id: str
    project: str
    name: str = ""
    status: str = "ACTIVE"
    subject: str | None = None
    role: str | None = None
    created: Micros = 0
    updated: Micros | None = None
    visible: Micros = 0
    epoch: int = 0
    request_id: str = ""


@dataclass(slots=True, kw_only=True)
class ServerThing(Thing):
    """A Nova server. `hosted`: a host was chosen and its ports are bound. `deleted` is when it
    went; it is kept for `changes-since` only."""

    kind = Kind.SERVER
    flavor: str
    image: str
    status: str = "BUILD"
    task: str | None = "scheduling"
    old_flavor: str = ""
    new_flavor: str = ""
    fault: str | None = None
    ports: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    delete_with: frozenset[str] = frozenset()
    metadata: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    zone: str = "nova"
    key_name: str | None = None
    user_data: str | None = None
    config_drive: bool = False
    launched: Micros | None = None
    deleted: Micros | None = None
    hosted: bool = False
    confirming: bool = False
    actions: list["Action"] = field(default_factory=list)

    def note(self, name: str, request_id: str, at: Micros, message: str | None = None) -> None:
        """Write a line of the instance actions."""
        self.actions.append(Action(name=name, request_id=request_id, started=at, message=message))


@dataclass(slots=True, kw_only=True)
class Action:
    """One line of a server's instance actions: what was begun, and whether it went wrong."""

    name: str
    request_id: str
    started: Micros
    message: str | None = None


@dataclass(slots=True, kw_only=True)
class VolumeThing(Thing):
    """A Cinder volume; `size` in GiB."""

    kind = Kind.VOLUME
    size: int
    status: str = "creating"
    type: str = ""
    zone: str = "nova"
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    servers: list[str] = field(default_factory=list)
    attached: Micros = 0


@dataclass(slots=True, kw_only=True)
class PortThing(Thing):
    """A Neutron port; `device` is the server that it is plugged into, or empty."""

    kind = Kind.PORT
    network: str
    subnet: str
    address: str
    mac: str
    status: str = "DOWN"
    device: str = ""
    device_owner: str = ""
    description: str = ""
    groups: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class RuleThing:
    """An ingress rule of a group: one port range, one CIDR."""

    id: str
    ports: PortRange
    cidr: str
    created: Micros = 0
    description: str = ""


@dataclass(slots=True, kw_only=True)
class GroupThing(Thing):
    """A Neutron security group with its ingress rules by id."""

    kind = Kind.SECURITY_GROUP
    description: str = ""
    rules: dict[str, RuleThing] = field(default_factory=dict)


AnyThing = ServerThing | VolumeThing | PortThing | GroupThing
