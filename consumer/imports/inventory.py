"""The cloud's side of an import."""

import re
from collections import defaultdict
from collections.abc import Mapping

from consumer.listing import Listed, Listing, listed
from handlers.errors import Fault
from handlers.resources import Kind, Resource, SecurityGroup, Stack

_NATIVE = frozenset(Kind) - {Kind.STACK}

#: Trove names a group <prefix>-<instance id> or <prefix>_<instance id>; the prefix is an option of
#: Trove (trove_security_group_name_prefix: trove_sg, in old releases SecGroup).
_GROUP = re.compile(r"[-_]([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$")


class Inventory(Listed, frozen=True, kw_only=True):
    """What was listed; `carried` are those of a kind that carry an instance's identity, `plugged`
    the ports of a server, both sorted by id. `no_heat` says why no stacks could be listed."""

    carried: Mapping[tuple[Kind, str], tuple[str, ...]]
    plugged: Mapping[str, tuple[str, ...]]
    no_heat: str = ""

    def carrying(self, kind: Kind, subject: str) -> tuple[str, ...]:
        """Ids of the resources of a kind that carry the identity of this instance."""
        return self.carried.get((kind, subject), ())


def inventory_of(cloud: Listing) -> Inventory:
    """Everything in the project; raises the cloud's faults, but for Heat's: a cloud may be without
    it."""
    found = listed(cloud, _NATIVE)
    stacks, no_heat = _stacks(cloud)
    natives = (found.servers, found.volumes, found.ports, found.groups)
    every: list[Resource] = [one for kind in (*natives, stacks) for one in kind.values()]
    carried: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    plugged: dict[str, list[str]] = defaultdict(list)
    for one in every:
        if subject := subject_of(one):
            carried[one.kind, subject].append(one.id)
    for port in found.ports.values():
        plugged[port.device].append(port.id)
    return Inventory(
        project=found.project,
        servers=found.servers,
        volumes=found.volumes,
        ports=found.ports,
        groups=found.groups,
        stacks=stacks,
        carried={key: tuple(sorted(ids)) for key, ids in carried.items()},
        plugged={server: tuple(sorted(ids)) for server, ids in plugged.items()},
        no_heat=no_heat,
    )


def _stacks(cloud: Listing) -> tuple[Mapping[str, Stack], str]:
    try:
        return listed(cloud, (Kind.STACK,)).stacks, ""
    except Fault as fault:
        return {}, fault.message


def subject_of(resource: Resource) -> str | None:
    """The instance whose identity a resource carries, also by the group names of old Troves."""
    if resource.subject is None and isinstance(resource, SecurityGroup):
        found = _GROUP.search(resource.name)
        return found[1] if found else None
    return resource.subject
