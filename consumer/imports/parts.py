"""The parts of one instance in the cloud, and what is wrong with each of them. Pure."""

from collections.abc import Iterator

import msgspec

from consumer.imports.inventory import Inventory, subject_of
from consumer.imports.rows import Mismatch, Row, Why
from handlers.resources import Kind, Port, Resource, SecurityGroup, Server, Volume

#: Statuses in which Nova leaves a server alone.
_SETTLED = frozenset(
    {"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "RESCUE", "SHELVED", "SHELVED_OFFLOADED"}
)
_LOST = frozenset({"ERROR", "DELETED", "SOFT_DELETED"})


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the cloud has of an instance; None for what it has not, or what is not named."""

    server: Server | None
    volume: Volume | None
    ports: tuple[Port, ...]
    group: SecurityGroup | None

    @property
    def ids(self) -> frozenset[str]:
        """The cloud ids of all parts."""
        found = (self.server, self.volume, *self.ports, self.group)
        return frozenset(one.id for one in found if one is not None)


def parts_of(row: Row, inventory: Inventory) -> Parts:
    """What the row names; ports and group are looked for when it names none."""
    server = inventory.servers.get(row.server)
    ports = row.ports or inventory.plugged.get(row.server, ())
    carried = inventory.carrying(Kind.SECURITY_GROUP, row.id)
    only = carried[0] if len(carried) == 1 else ""
    return Parts(
        server=server,
        volume=inventory.volumes.get(row.volume),
        ports=tuple(inventory.ports[port] for port in ports if port in inventory.ports),
        group=inventory.groups.get(row.security_group or only),
    )


def wrong_parts(row: Row, parts: Parts, inventory: Inventory) -> Iterator[Mismatch]:
    """Everything that speaks against the parts being this instance's, and fit to be managed."""
    yield from _missing(row, inventory)
    for one in (parts.server, parts.volume, *parts.ports, parts.group):
        if one is not None and one.project not in (row.project, inventory.project):
            yield Mismatch(Why.PROJECT, f"{_said(one)} belongs to project {one.project}")
    if parts.server is None:
        return
    yield from _server(row, parts.server)
    if parts.volume is not None:
        yield from _volume(row, parts.volume)
    for port in parts.ports:
        yield from _port(row, port)
    if parts.group is not None and subject_of(parts.group) != row.id:
        yield _stranger(row, parts.group)
    yield from _extra(row, parts, inventory)


def _missing(row: Row, inventory: Inventory) -> Iterator[Mismatch]:
    known = (inventory.servers, inventory.volumes, inventory.ports, inventory.groups)
    kinds = (Kind.SERVER, Kind.VOLUME, Kind.PORT, Kind.SECURITY_GROUP)
    named = ((row.server,), (row.volume,), row.ports, (row.security_group,))
    for there, kind, ids in zip(known, kinds, named, strict=True):
        for one in ids:
            if one and one not in there:
                where = f"is not in project {inventory.project}"
                yield Mismatch(Why.MISSING, f"{kind} {one} {where}")


def _server(row: Row, server: Server) -> Iterator[Mismatch]:
    if subject_of(server) != row.id:
        yield _stranger(row, server)
    if server.status in _LOST:
        fault = f": {server.fault}" if server.fault else ""
        yield Mismatch(Why.FAILED, f"{_said(server)} is {server.status}{fault}")
    elif server.task or server.status not in _SETTLED:
        doing = server.task or server.status
        yield Mismatch(Why.BUSY, f"Nova is busy with {_said(server)} ({doing})")


def _volume(row: Row, volume: Volume) -> Iterator[Mismatch]:
    if subject_of(volume) not in (row.id, None):
        yield _stranger(row, volume)
    if row.server not in volume.servers:
        yield Mismatch(Why.ATTACHMENT, f"{_said(volume)} is not attached to server {row.server}")
    for other in volume.servers:
        if other != row.server:
            yield Mismatch(Why.ATTACHMENT, f"{_said(volume)} is attached to server {other}")
    if volume.status.startswith("error"):
        yield Mismatch(Why.FAILED, f"{_said(volume)} has status {volume.status}")
    elif volume.status not in ("in-use", "available"):
        yield Mismatch(Why.BUSY, f"Cinder is busy with {_said(volume)} ({volume.status})")


def _port(row: Row, port: Port) -> Iterator[Mismatch]:
    if subject_of(port) not in (row.id, None):
        yield _stranger(row, port)
    if port.device != row.server:
        yield Mismatch(Why.ATTACHMENT, f"{_said(port)} is not plugged into server {row.server}")


def _extra(row: Row, parts: Parts, inventory: Inventory) -> Iterator[Mismatch]:
    """What a deletion would find and the record would not have, and stacks that have it all."""
    for stack in inventory.carrying(Kind.STACK, row.id):
        yield Mismatch(Why.STACK, f"stack {stack} of Heat's carries the instance's identity")
    used = parts.ids
    for port in inventory.plugged.get(row.server, ()):
        if port not in used:
            yield Mismatch(
                Why.EXTRA, f"port {port} is plugged into the server, and the row does not name it"
            )
            used |= {port}
    for kind in (Kind.SERVER, Kind.VOLUME, Kind.PORT, Kind.SECURITY_GROUP):
        for one in inventory.carrying(kind, row.id):
            if one not in used:
                text = f"{kind} {one} carries the instance's identity, and is not the one in use"
                yield Mismatch(Why.EXTRA, text)


def _stranger(row: Row, resource: Resource) -> Mismatch:
    owner = subject_of(resource)
    if owner:
        return Mismatch(Why.IDENTITY, f"{_said(resource)} carries the identity of {owner}")
    text = f"{_said(resource)} carries no identity"
    if isinstance(resource, Server):
        mark = f"openstack server set --property trove_instance_id={row.id} {resource.id}"
        text += f": '{mark}' gives it this one"
    return Mismatch(Why.IDENTITY, text)


def _said(resource: Resource) -> str:
    return f"{resource.kind} {resource.id}"
