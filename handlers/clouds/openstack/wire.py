"""The parts of the services' JSON that we read, as typed structs.

Field names are the services' own (Nova 2.46, Cinder 3.60, Neutron v2.0, Heat v1).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import field


class Flavor(msgspec.Struct):
    """A server's flavor; Nova tells its id up to microversion 2.46 only."""

    id: str = ""


class NovaFault(msgspec.Struct):
    """Why a server is in ERROR, in Nova's words."""

    message: str = ""


class Named(msgspec.Struct):
    """Anything with an id."""

    id: str


class Attached(msgspec.Struct):
    """A volume of a server's."""

    id: str
    delete_on_termination: bool = False


class Server(msgspec.Struct):
    """One entry of GET /servers/detail, or of GET /servers/{id}."""

    id: str
    name: str = ""
    status: str = "UNKNOWN"
    task: str | None = field(name="OS-EXT-STS:task_state", default=None)
    flavor: Flavor = field(default_factory=Flavor)
    fault: NovaFault | None = None
    launched: str | None = field(name="OS-SRV-USG:launched_at", default=None)
    image: Named | str = ""
    config_drive: str = ""
    volumes: list[Attached] = field(
        name="os-extended-volumes:volumes_attached", default_factory=list
    )
    metadata: dict[str, str] = {}
    tags: list[str] = []
    tenant_id: str = ""


class OneServer(msgspec.Struct):
    """The answer of GET /servers/{id}."""

    server: Server


class MadeServer(msgspec.Struct):
    """The answer of POST /servers: little more than the id."""

    server: Named


class Servers(msgspec.Struct):
    """One page of GET /servers/detail; `links` names the next one."""

    items: list[Server] = field(name="servers")
    links: list[Any] = field(name="servers_links", default_factory=list)


class Attachment(msgspec.Struct):
    """To which server a volume is attached."""

    server_id: str | None = None


class Volume(msgspec.Struct):
    """One entry of GET /volumes/detail, or of GET /volumes/{id}; `size` in GiB."""

    id: str
    name: str | None = None
    status: str = "unknown"
    size: int = 0
    attachments: list[Attachment] = []
    volume_type: str | None = None
    metadata: dict[str, str] = {}
    project: str = field(name="os-vol-tenant-attr:tenant_id", default="")


class OneVolume(msgspec.Struct):
    """The answer of GET /volumes/{id} and of POST /volumes."""

    volume: Volume


class Volumes(msgspec.Struct):
    """One page of GET /volumes/detail; `links` names the next one."""

    items: list[Volume] = field(name="volumes")
    links: list[Any] = field(name="volumes_links", default_factory=list)


class Address(msgspec.Struct):
    """One fixed address of a port."""

    ip_address: str = ""
    subnet_id: str = ""


class Port(msgspec.Struct):
    """One entry of GET /ports, or of GET /ports/{id}; `device_id` is the server's id or empty."""

    id: str
    name: str = ""
    status: str = "UNKNOWN"
    device_id: str = ""
    network_id: str = ""
    description: str | None = ""
    fixed_ips: list[Address] = []
    security_groups: list[str] = []
    project_id: str = ""


class OnePort(msgspec.Struct):
    """The answer of GET /ports/{id} and of POST /ports."""

    port: Port


class Ports(msgspec.Struct):
    """One page of GET /ports; `links` names the next one."""

    items: list[Port] = field(name="ports")
    links: list[Any] = field(name="ports_links", default_factory=list)


class GroupRule(msgspec.Struct):
    """One rule of a security group; None where it does not narrow anything."""

    id: str
    direction: str = ""
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None


class Group(msgspec.Struct):
    """One entry of GET /security-groups, or of GET /security-groups/{id}, with its rules."""

    id: str
    name: str = ""
    description: str | None = ""
    project_id: str = ""
    rules: list[GroupRule] = field(name="security_group_rules", default_factory=list)


class OneGroup(msgspec.Struct):
    """The answer of GET /security-groups/{id} and of POST /security-groups."""

    security_group: Group


class Groups(msgspec.Struct):
    """One page of GET /security-groups; `links` names the next one."""

    items: list[Group] = field(name="security_groups")
    links: list[Any] = field(name="security_groups_links", default_factory=list)


class Output(msgspec.Struct):
    """One output of a stack; the value is None while it cannot be told."""

    output_key: str
    output_value: Any = None


class Stack(msgspec.Struct):
    """One entry of GET /stacks, or of GET /stacks/{name}/{id}, which alone has outputs.

    Heat names the project in a listing for an administrator only.
    """

    id: str
    stack_name: str = ""
    stack_status: str = "UNKNOWN"
    stack_status_reason: str | None = None
    tags: list[str] | None = None
    outputs: list[Output] | None = None
    project: str = ""


class OneStack(msgspec.Struct):
    """The answer of GET /stacks/{name}/{id}."""

    stack: Stack


class MadeStack(msgspec.Struct):
    """The answer of POST /stacks: little more than the id."""

    stack: Named


class Stacks(msgspec.Struct):
    """GET /stacks: all of them, for Heat cuts no listing without a `limit`."""

    items: list[Stack] = field(name="stacks")


class StackResource(msgspec.Struct):
    """One entry of GET /stacks/{name}/{id}/resources; the id is empty before it is made."""

    resource_name: str
    physical_resource_id: str | None = None


class StackResources(msgspec.Struct):
    """The answer of GET /stacks/{name}/{id}/resources."""

    resources: list[StackResource]


class Preview(msgspec.Struct):
    """The answer of PATCH /stacks/{name}/{id}/preview, by what would become of the resources."""

    resource_changes: dict[str, list[StackResource]]


class ErrorBody(msgspec.Struct, frozen=True):
    """What a service says about a refusal. `own` is False when it is not the service that speaks.

    `{"itemNotFound": {"code": 404, "message": …}}` is Nova's and Cinder's form,
    `{"NeutronError": {"type": …, "message": …}}` Neutron's, and Heat's is
    `{"code": 404, "title": …, "explanation": …, "error": {"type": …, "message": …}}`, without a
    message where the text may be meant for Heat's operator only (500).
    """

    own: bool = False
    code: str = ""
    message: str = ""


#: Neutron's and Heat's type of a 404 for a path that they do not know: that says nothing about a
#: resource.
#: How each answer is read. msgspec works that out when a type is first met, and two threads that
#: meet it at the same time crash the process (measured on msgspec 0.22): so it is done here, while
#: there is one thread.
READERS: Mapping[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (
        *(OneServer, MadeServer, Servers),
        *(OneVolume, Volumes),
        *(OnePort, Ports, OneGroup, Groups),
        *(OneStack, MadeStack, Stacks, StackResources, Preview),
    )
}


_NO_SUCH_PATH = "HTTPNotFound"


def error_body(content: bytes) -> ErrorBody:
    """The service's error, read from any of the forms; `own` is False for anything else."""
    try:
        body = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return ErrorBody()
    inner = body.get("error")
    if isinstance(inner, dict) and "explanation" in body:
        return _typed(inner, "", str(body["explanation"]))
    for name, inner in body.items():
        if isinstance(inner, str):
            return ErrorBody(own=True, code=name, message=inner)
        if isinstance(inner, dict) and "message" in inner:
            return _typed(inner, name)
    return ErrorBody()


def _typed(inner: dict[str, Any], name: str, otherwise: str = "") -> ErrorBody:
    code = str(inner.get("type") or name)
    return ErrorBody(code != _NO_SUCH_PATH, code, str(inner.get("message") or otherwise))
