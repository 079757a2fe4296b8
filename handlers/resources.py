"""What is seen in the cloud: typed resources, the questions asked about them, and the answers.

The structs hold just the fields that a step decides on. Adapters fill them from the services'
JSON; `subject` and `role` come from identity.py.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Kind(StrEnum):
    """A kind of cloud resource; its value is used in the ledger, events and metrics."""

    SERVER = "server"
    VOLUME = "volume"
    PORT = "port"
    SECURITY_GROUP = "security_group"
    STACK = "stack"


class Service(StrEnum):
    """A cloud service: each has its own observer, pool and time-out."""

    COMPUTE = "compute"
    BLOCK_STORAGE = "block_storage"
    NETWORK = "network"
    ORCHESTRATION = "orchestration"


SERVICE_OF: dict[Kind, Service] = {
    Kind.SERVER: Service.COMPUTE,
    Kind.VOLUME: Service.BLOCK_STORAGE,
    Kind.PORT: Service.NETWORK,
    Kind.SECURITY_GROUP: Service.NETWORK,
    Kind.STACK: Service.ORCHESTRATION,
}


class PortRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TCP or UDP ports that clients may reach, first and last included."""

    protocol: Annotated[str, Meta(description="tcp or udp")]
    first: Annotated[int, Meta(description="1 to 65535")]
    last: Annotated[int, Meta(description="first to 65535")]


class Rule(msgspec.Struct, frozen=True):
    """One ingress rule of a security group. `id` is empty for a rule that is only wanted."""

    ports: PortRange
    cidr: str
    id: str = ""

    @property
    def wanted(self) -> "Rule":
        """The rule without its cloud id, to compare what is wanted with what is there."""
        return msgspec.structs.replace(self, id="")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A Nova server. `flavor` is the flavor's id; `fault` is Nova's own text in ERROR; `launched`
    changes with a resize, a revert and a rebuild, not with a reboot (measured); `doomed` are the
    attached volumes that Nova deletes with it. `details` (filled by an `InFull` look-up only) are
    `image` (empty: it boots from a volume), `config_drive`, `metadata` and `tags`."""

    id: str
    name: str = ""
    status: str = "UNKNOWN"
    task: str | None = None
    flavor: str = ""
    fault: str | None = None
    volumes: tuple[str, ...] = ()
    doomed: tuple[str, ...] = ()
    launched: str = ""
    details: dict[str, Any] | None = None
    subject: str | None = None
    role: str | None = None
    project: str = ""

    kind = Kind.SERVER


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """A Cinder volume. `size` is in GiB; `servers` are the ids that it is attached to. `details`
    (`InFull` only) are `type` and `metadata`."""

    id: str
    name: str = ""
    status: str = "unknown"
    size: int = 0
    servers: tuple[str, ...] = ()
    details: dict[str, Any] | None = None
    subject: str | None = None
    role: str | None = None
    project: str = ""

    kind = Kind.VOLUME


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A Neutron port. `device` is the server that it is plugged into, or empty. `details` (`InFull`
    only) are `network`, `fixed_ips` (each a `subnet_id` and an `ip_address`) and `description`."""

    id: str
    name: str = ""
    status: str = "UNKNOWN"
    device: str = ""
    addresses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    details: dict[str, Any] | None = None
    subject: str | None = None
    role: str | None = None
    project: str = ""

    kind = Kind.PORT


class SecurityGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A Neutron security group with its ingress rules that name a CIDR. `details` (`InFull` only)
    is its `description`."""

    id: str
    name: str = ""
    status: str = "ACTIVE"
    rules: tuple[Rule, ...] = ()
    details: dict[str, Any] | None = None
    subject: str | None = None
    role: str | None = None
    project: str = ""

    kind = Kind.SECURITY_GROUP


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """A Heat stack. `status` is action and status in one (`UPDATE_COMPLETE`), `reason` Heat's own
    text. `outputs` is filled by an `InFull` look-up only: a listing does not tell them."""

    id: str
    name: str = ""
    status: str = "UNKNOWN"
    reason: str = ""
    tags: tuple[str, ...] = ()
    outputs: dict[str, Any] | None = None
    subject: str | None = None
    role: str | None = None
    project: str = ""

    kind = Kind.STACK

    @property
    def is_busy(self) -> bool:
        """Whether Heat works on it, or says so."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def has_failed(self) -> bool:
        return self.status.endswith("_FAILED")


Resource = Server | Volume | Port | SecurityGroup | Stack


class ById(msgspec.Struct, frozen=True):
    """Ask for one resource by its cloud id."""

    kind: Kind
    id: str


class ByIdentity(msgspec.Struct, frozen=True):
    """Ask for every resource of a kind that carries the subject's identity or has one of `ids`.

    `ids` are for resources that are known to be the subject's but may not carry its identity.
    With `since` (microseconds) all that changed from then on is looked through besides: a look-up
    by identity rests on Nova's tags, which Heat gives a server only once it is ACTIVE.
    """

    kind: Kind
    subject: str
    ids: tuple[str, ...] = ()
    since: int = 0


class InFull(msgspec.Struct, frozen=True):
    """Ask for one resource with what no listing tells: a stack with its outputs, others with their
    details."""

    kind: Kind
    id: str
    name: str = ""


Query = ById | ByIdentity | InFull


class Unknown(msgspec.Struct, frozen=True):
    """Nobody looked late enough to tell. Only the observer and the reconciler meet it."""


class Absent(msgspec.Struct, frozen=True):
    """Proven not to be there by a look-up that began at `at` (microseconds, ledger time)."""

    at: int


class Present(msgspec.Struct, frozen=True):
    """All matches, seen by a look-up, a listing or a call's own answer that began at `at`."""

    matches: tuple[Resource, ...]
    at: int


Seen = Absent | Present

UNKNOWN = Unknown()
