"""The parts that the bodies of commands are made of."""

from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.resources import PortRange
from handlers.secret import Secret

#: The end of a pattern: in Python a bare `$` would let a last line feed through.
_END = r"$(?!\n)"

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Id = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._:-]+" + _END)]
Uuid = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}" + _END)
]
GiB = Annotated[int, Meta(ge=1, le=65536, description="GiB")]
Seconds = Annotated[int, Meta(ge=10, le=3600, description="seconds")]
Cidr = Annotated[str, Meta(min_length=3, max_length=43, description="IPv4 or IPv6 network")]
UserData = Annotated[
    Secret, Meta(extra_json_schema={"type": "string", "maxLength": 65535, "writeOnly": True})
]


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may reach which ports: one rule per port range and CIDR, for IPv4 and IPv6."""

    ports: Annotated[tuple[PortRange, ...], Meta(max_length=32)] = ()
    cidrs: Annotated[tuple[Cidr, ...], Meta(max_length=128)] = ()


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network that the instance gets a port on.

    The instance's own security group goes on `user` ports only; `security_groups` are cloud ids of
    groups that the port gets besides (a deployment's management groups, for example).
    """

    network: Id
    subnet: Id | None = None
    ip_address: Annotated[str, Meta(max_length=45)] | None = None
    role: Annotated[str, Meta(pattern="^(user|management)$")] = "user"
    security_groups: Annotated[tuple[Id, ...], Meta(max_length=16)] = ()


class DataVolume(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data volume; `type` and `zone` are Cinder's."""

    size: GiB
    type: Text | None = None
    zone: Text | None = None


class NamedResources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cloud ids of an instance that Trove made before us.

    They are checked to exist, to belong to the project and to carry the instance's identity before
    anything touches them, and are then recorded.
    """

    server: Id | None = None
    volume: Id | None = None
    ports: Annotated[tuple[Id, ...], Meta(max_length=16)] = ()
    security_group: Id | None = None
