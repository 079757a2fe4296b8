"""What a small OpenStack is made of: mutable records of servers, volumes, ports, groups, stacks.

Times are microseconds of the state's clock. `subject` and `role` are read from the identity once,
when a thing is made: names, tags and descriptions do not change here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(slots=True, kw_only=True, eq=False)
class StackResource:
    """One resource of a stack, as Heat's database has it.

    `physical` is the cloud id, empty until the thing is made. `action` and `status` are Heat's own
    (INIT, CREATE, UPDATE, DELETE, CHECK, ADOPT; COMPLETE, FAILED, IN_PROGRESS). `properties` are
    the resolved values that Heat last applied with success: it compares with them, never with
    reality. `revision` is the template of the stack that it was last brought to; `replaces` the
    resource of the same name in whose place it came.
    """

    name: str
    type: str
    revision: int
    physical: str = ""
    action: str = "INIT"
    status: str = "COMPLETE"
    reason: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    retain: bool = False
    requires: frozenset["StackResource"] = field(default=frozenset(), repr=False)
    replaces: "StackResource | None" = field(default=None, repr=False)
    replaced: bool = False
    created: Micros = 0
    updated: Micros = 0


@dataclass(slots=True, kw_only=True)
class StackThing(Thing):
    """A Heat stack. `status` is COMPLETE, FAILED or IN_PROGRESS of its `action`.

    `template` and `environment` are the documents as last given, also after an update that failed;
    `parameters` are the values that were given (not the defaults). `rows` are all its resources,
    with those that were replaced or dropped and are still to be removed. `deleted` is when it went:
    it can be read by its id for a while.
    """

    kind = Kind.STACK
    status: str = "IN_PROGRESS"
    action: str = "CREATE"
    reason: str = ""
    tags: tuple[str, ...] = ()
    template: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    disable_rollback: bool = True
    timeout_mins: int | None = None
    revision: int = 0
    rows: list[StackResource] = field(default_factory=list)
    deleted: Micros | None = None

    @property
    def resources(self) -> dict[str, StackResource]:
        """The resources by name; of several of one name the one that came last."""
        return {row.name: row for row in self.rows}


AnyThing = ServerThing | VolumeThing | PortThing | GroupThing | StackThing
