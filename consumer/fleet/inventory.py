"""The cloud's side of a plan: everything in the project of the credentials, listed once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import msgspec

from handlers.resources import Kind, Port, Resource, SecurityGroup, Server, Stack, Volume

Some = TypeVar("Some", Server, Volume, Port, SecurityGroup, Stack)

#: Listings of one service go one after the other, those of different services at once.
_LANES = (
    (Kind.SERVER,),
    (Kind.VOLUME,),
    (Kind.PORT, Kind.SECURITY_GROUP),
    (Kind.STACK,),
)

#: Servers that are asked for by id, because no listing tells of them: Nova takes one id a request.
_AGAIN = 20


class Listing(Protocol):
    """What a plan asks of a cloud: these are methods of `Cloud`."""

    @property
    def project(self) -> str: ...

    def every(self, kind: Kind) -> tuple[Resource, ...]: ...

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]: ...


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Resources by id, and stacks by id and by the instance whose identity they carry."""

    project: str
    servers: Mapping[str, Server] = {}
    volumes: Mapping[str, Volume] = {}
    ports: Mapping[str, Port] = {}
    groups: Mapping[str, SecurityGroup] = {}
    stacks: Mapping[str, Stack] = {}
    carried: Mapping[str, tuple[Stack, ...]] = {}


def inventory_of(cloud: Listing, servers: Iterable[str] = ()) -> Inventory:
    """One listing per kind, whatever the size of the fleet; raises the cloud's faults.

    `servers` are recorded ids: the first few that the listing does not have are asked for by id,
    which tells one in another project from one that is gone (for credentials that may see it).
    """
    found: dict[Kind, tuple[Resource, ...]] = {}

    def walk(lane: tuple[Kind, ...]) -> None:
        for kind in lane:
            found[kind] = cloud.every(kind)

    with ThreadPoolExecutor(len(_LANES)) as pool:
        list(pool.map(walk, _LANES))
    listed = _by_id(found[Kind.SERVER], Server)
    missing = [one for one in servers if one not in listed][:_AGAIN]
    if missing:
        listed |= _by_id(cloud.get(Kind.SERVER, missing), Server)
    stacks = _by_id(found[Kind.STACK], Stack)
    return Inventory(
        project=cloud.project,
        servers=listed,
        volumes=_by_id(found[Kind.VOLUME], Volume),
        ports=_by_id(found[Kind.PORT], Port),
        groups=_by_id(found[Kind.SECURITY_GROUP], SecurityGroup),
        stacks=stacks,
        carried=carried_by(stacks.values()),
    )


def carried_by(stacks: Iterable[Stack]) -> dict[str, tuple[Stack, ...]]:
    """Stacks by the instance that their name or tag tells of."""
    found: dict[str, list[Stack]] = defaultdict(list)
    for one in stacks:
        if one.subject:
            found[one.subject].append(one)
    return {subject: tuple(each) for subject, each in found.items()}


def _by_id(found: Iterable[Resource], kind: type[Some]) -> dict[str, Some]:
    return {one.id: one for one in found if isinstance(one, kind)}
