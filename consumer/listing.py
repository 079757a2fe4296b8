"""Everything in the project of a cloud's credentials, for tools that compare a whole fleet."""

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


class Listing(Protocol):
    """What is asked of a cloud: these are methods of `Cloud`."""

    @property
    def project(self) -> str: ...

    def every(self, kind: Kind) -> tuple[Resource, ...]: ...


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Resources of `project` by id; nothing of a kind that was not asked for."""

    project: str
    servers: Mapping[str, Server] = {}
    volumes: Mapping[str, Volume] = {}
    ports: Mapping[str, Port] = {}
    groups: Mapping[str, SecurityGroup] = {}
    stacks: Mapping[str, Stack] = {}


def listed(cloud: Listing, kinds: Collection[Kind] = frozenset(Kind)) -> Listed:
    """One listing per kind, whatever the size of the fleet; raises the cloud's faults."""
    found: dict[Kind, tuple[Resource, ...]] = {}

    def walk(lane: tuple[Kind, ...]) -> None:
        found.update({kind: cloud.every(kind) for kind in lane if kind in kinds})

    with ThreadPoolExecutor(len(_LANES)) as pool:
        list(pool.map(walk, _LANES))
    return Listed(
        project=cloud.project,
        servers=by_id(found.get(Kind.SERVER, ()), Server),
        volumes=by_id(found.get(Kind.VOLUME, ()), Volume),
        ports=by_id(found.get(Kind.PORT, ()), Port),
        groups=by_id(found.get(Kind.SECURITY_GROUP, ()), SecurityGroup),
        stacks=by_id(found.get(Kind.STACK, ()), Stack),
    )


def by_id(found: Iterable[Resource], kind: type[Some]) -> dict[str, Some]:
    """What is of this type, by its id."""
    return {one.id: one for one in found if isinstance(one, kind)}
