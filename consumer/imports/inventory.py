"""The cloud's side: everything in the project of the credentials, listed once and indexed."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

import msgspec

from handlers.errors import Fault
from handlers.resources import Kind, Port, Resource, SecurityGroup, Server, Volume

#: Trove names a group <prefix>-<instance id> or <prefix>_<instance id>; the prefix is an option of
#: Trove (trove_security_group_name_prefix: trove_sg, in old releases SecGroup).
_GROUP = re.compile(r"[-_]([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$")


class Listing(Protocol):
    """What an import asks of a cloud: these are two methods of `Cloud`."""

    @property
    def project(self) -> str: ...

    def every(self, kind: Kind) -> tuple[Resource, ...]: ...


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Resources by id; `carried` are those of a kind that carry an instance's identity, `plugged`
    the ports of a server, both sorted by id. `no_heat` says why no stacks could be listed."""

    project: str
    servers: Mapping[str, Server]
    volumes: Mapping[str, Volume]
    ports: Mapping[str, Port]
    groups: Mapping[str, SecurityGroup]
    carried: Mapping[tuple[Kind, str], tuple[str, ...]]
    plugged: Mapping[str, tuple[str, ...]]
    no_heat: str = ""

    def carrying(self, kind: Kind, subject: str) -> tuple[str, ...]:
        """Ids of the resources of a kind that carry the identity of this instance."""
        return self.carried.get((kind, subject), ())


def inventory_of(cloud: Listing) -> Inventory:
    """One listing per kind, whatever the size of the fleet; raises the cloud's faults, but for
    Heat's: a cloud may be without it."""
    servers = [one for one in cloud.every(Kind.SERVER) if isinstance(one, Server)]
    volumes = [one for one in cloud.every(Kind.VOLUME) if isinstance(one, Volume)]
    ports = [one for one in cloud.every(Kind.PORT) if isinstance(one, Port)]
    groups = [one for one in cloud.every(Kind.SECURITY_GROUP) if isinstance(one, SecurityGroup)]
    carried: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    plugged: dict[str, list[str]] = defaultdict(list)
    stacks, no_heat = _stacks(cloud)
    found: tuple[Resource, ...] = (*servers, *volumes, *ports, *groups, *stacks)
    for one in found:
        if subject := subject_of(one):
            carried[one.kind, subject].append(one.id)
    for port in ports:
        plugged[port.device].append(port.id)
    return Inventory(
        project=cloud.project,
        servers={one.id: one for one in servers},
        volumes={one.id: one for one in volumes},
        ports={one.id: one for one in ports},
        groups={one.id: one for one in groups},
        carried={key: tuple(sorted(ids)) for key, ids in carried.items()},
        plugged={server: tuple(sorted(ids)) for server, ids in plugged.items()},
        no_heat=no_heat,
    )


def _stacks(cloud: Listing) -> tuple[tuple[Resource, ...], str]:
    try:
        return cloud.every(Kind.STACK), ""
    except Fault as fault:
        return (), fault.message


def subject_of(resource: Resource) -> str | None:
    """The instance whose identity a resource carries, also by the group names of old Troves."""
    if resource.subject is None and isinstance(resource, SecurityGroup):
        found = _GROUP.search(resource.name)
        return found[1] if found else None
    return resource.subject
