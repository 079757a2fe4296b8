"""What the contract suite needs of an implementation: a cloud, a site, and a way to let time pass.

Whatever a test makes, it makes for a subject of `Bench.subject`, so that `clean` can remove it.
"""

import uuid
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from handlers.base import Answer, Cloud
from handlers.errors import Retryable
from handlers.operation import Micros
from handlers.orders import NewPort, NewServer, NewVolume, Rules
from handlers.resources import Kind, PortRange, Resource, Rule, Server, Stack, Volume

T = TypeVar("T")

#: An id that no cloud has.
NOBODY = "6f0c1f7e-0000-4000-8000-000000000000"

MYSQL = PortRange("tcp", 3306, 3306)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What is there before anybody makes anything. `address` is free, and in `network`."""

    image: str
    flavor: str
    other_flavor: str
    network: str
    address: str


class Place(Protocol):
    """One implementation, ready to be tested.

    `guest` has no administrator's rights, and room for one volume of 1 GiB, one security group with
    one rule, and nothing else. `breaks_resize` gives server metadata with which a resize fails on
    the host.
    """

    @property
    def cloud(self) -> Cloud: ...
    @property
    def guest(self) -> Cloud: ...
    @property
    def site(self) -> Site: ...
    @property
    def patience(self) -> int:
        """Seconds after which what has not happened will not happen."""
        ...

    def now(self) -> Micros: ...
    def pause(self) -> None:
        """Let a little time pass."""
        ...

    def breaks_resize(self) -> dict[str, str]: ...


class Bench:
    """A place and what a test made in it."""

    def __init__(self, place: Place, cloud: Cloud | None = None) -> None:
        self.place = place
        self.cloud = cloud or place.cloud
        self.site = place.site
        self._subjects: list[tuple[Cloud, str]] = []

    def subject(self, cloud: Cloud | None = None) -> str:
        """A new subject; what carries its identity is removed after the test."""
        subject = str(uuid.uuid4())
        self._subjects.append((cloud or self.place.cloud, subject))
        return subject

    def until(self, what: Callable[[], T | None]) -> T:
        """Wait for it; the last False, None or empty answer fails the test."""
        end = self.place.now() + self.place.patience * 1_000_000
        while not (found := what()):
            assert self.place.now() < end, f"it did not happen in {self.place.patience} s"
            self.place.pause()
        return found

    def let_a_second_pass(self) -> None:
        """The services tell times in whole seconds: what comes next has a later one."""
        end = self.place.now() + 1_000_000
        self.until(lambda: self.place.now() > end)

    # -- things to test on ----------------------------------------------------------------------

    def volume(self, subject: str, size: int = 1) -> Volume:
        """A volume that is available."""
        new = NewVolume(subject=subject, role="data", size=size)
        return self.volume_in("available", only(self.cloud.create_volume(new), Volume).id)

    def volume_in(self, status: str, volume: str) -> Volume:
        """The volume, when it has come to a status."""

        def look() -> Volume | None:
            found = self.one(Kind.VOLUME, volume)
            return found if isinstance(found, Volume) and found.status == status else None

        return self.until(look)

    def port(self, subject: str) -> str:
        """Id of a port."""
        new = NewPort(subject=subject, role="user-0", network=self.site.network)
        return self.cloud.create_port(new).resources[0].id

    def order(self, subject: str, **more: object) -> NewServer:
        """What a small server needs; it has a port of its own unless `ports` are given."""
        ports = more.pop("ports", None) or (self.port(subject),)
        order = NewServer(
            subject=subject,
            name="contract",
            flavor=self.site.flavor,
            image=self.site.image,
            ports=ports,  # type: ignore[arg-type]
        )
        return msgspec.structs.replace(order, **more)

    def server(self, subject: str, **more: object) -> Server:
        """A server that is ACTIVE."""
        made = only(self.cloud.create_server(self.order(subject, **more)), Server)
        return self.server_in("ACTIVE", made.id)

    def server_in(self, status: str, server: str) -> Server:
        """The server, when it has come to a status and nothing is under way."""

        def look() -> Server | None:
            found = self.one(Kind.SERVER, server)
            if not isinstance(found, Server) or found.task is not None:
                return None
            return found if found.status == status else None

        return self.until(look)

    def group(self, subject: str, *cidrs: str) -> str:
        """Id of a security group with one rule per CIDR."""
        group = self.cloud.create_security_group(subject, "security-group", "").resources[0].id
        if cidrs:
            self.cloud.create_rules(Rules(group, rules(*cidrs)))
        return group

    # -- looking --------------------------------------------------------------------------------

    def one(self, kind: Kind, thing: str) -> Resource | None:
        """The thing with this id, or None."""
        found = self.cloud.get(kind, [thing])
        return found[0] if found else None

    def gone(self, kind: Kind, thing: str) -> bool:
        """Wait until it is gone."""
        return self.until(lambda: self.one(kind, thing) is None)

    # -- cleaning up ----------------------------------------------------------------------------

    def clean(self) -> None:
        """Remove what the test left, with the true cloud, until nothing can be found."""
        for cloud, subject in self._subjects:
            self.until(lambda c=cloud, s=subject: _without_stack(c, s))  # type: ignore[misc]
            for kind in (Kind.SERVER, Kind.VOLUME, Kind.PORT, Kind.SECURITY_GROUP):
                self.until(lambda c=cloud, s=subject, k=kind: _removed(c, k, s))  # type: ignore[misc]

    def left(self) -> list[Resource]:
        """What carries a subject of this bench."""
        return [
            found
            for cloud, subject in self._subjects
            for kind in Kind
            for found in cloud.find(kind, [subject])
        ]


def _without_stack(cloud: Cloud, subject: str) -> bool:
    """Whether it has none; one that is at rest is deleted."""
    there = cloud.find(Kind.STACK, [subject])
    for each in there:
        if isinstance(each, Stack) and each.status != "DELETE_IN_PROGRESS":
            cloud.delete_stack(subject, each.id)
    return not there


def _removed(cloud: Cloud, kind: Kind, subject: str) -> bool:
    delete: dict[Kind, Callable[[str], Answer]] = {
        Kind.SERVER: cloud.delete_server,
        Kind.VOLUME: cloud.delete_volume,
        Kind.PORT: cloud.delete_port,
        Kind.SECURITY_GROUP: cloud.delete_security_group,
    }
    there = cloud.find(kind, [subject])
    for each in there:
        try:
            delete[kind](each.id)
        except Retryable:
            continue
    return not there


def rules(*cidrs: str) -> tuple[Rule, ...]:
    """One wanted rule per CIDR."""
    return tuple(Rule(MYSQL, cidr) for cidr in cidrs)


def only(answer: Answer, kind: type[T]) -> T:
    """The one resource that the answer describes."""
    (resource,) = answer.resources
    assert isinstance(resource, kind)
    return resource
