"""The cloud's side of a plan."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from consumer.listing import Listed, Listing, by_id, listed
from handlers.resources import Kind, Resource, Server, Stack

#: Servers that are asked for by id, because no listing tells of them: Nova takes one id a request.
_AGAIN = 20


class Source(Listing, Protocol):
    """What a plan asks of a cloud beside its listings."""

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]: ...


class Inventory(Listed, frozen=True, kw_only=True):
    """What was listed, and stacks by the instance whose identity they carry."""

    carried: Mapping[str, tuple[Stack, ...]] = {}


def inventory_of(cloud: Source, servers: Iterable[str] = ()) -> Inventory:
    """Everything in the project; raises the cloud's faults.

    `servers` are recorded ids: the first few that the listing does not have are asked for by id,
    which tells one in another project from one that is gone (for credentials that may see it).
    """
    found = listed(cloud)
    missing = [one for one in servers if one not in found.servers][:_AGAIN]
    again = by_id(cloud.get(Kind.SERVER, missing), Server) if missing else {}
    return Inventory(
        project=found.project,
        servers={**found.servers, **again},
        volumes=found.volumes,
        ports=found.ports,
        groups=found.groups,
        stacks=found.stacks,
        carried=carried_by(found.stacks.values()),
    )


def carried_by(stacks: Iterable[Stack]) -> dict[str, tuple[Stack, ...]]:
    """Stacks by the instance that their name or tag tells of."""
    found: dict[str, list[Stack]] = defaultdict(list)
    for one in stacks:
        if one.subject:
            found[one.subject].append(one)
    return {subject: tuple(each) for subject, each in found.items()}
