"""What a cloud has to offer so that the suite can run on it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from consumer.ledger.base import Ledger
from handlers.base import Cloud
from handlers.commands import Command, CreateInstance
from handlers.instance import Scope
from tests.contract.managers.inventory import Inventory, SeenStack, Stored
from tests.support.traffic import Traffic


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What is there before anybody makes anything; ids, except for volume type and zone."""

    image: str
    small: str
    large: str
    huge: str
    management: str
    user: str
    volume_type: str
    zone: str


class Deployment(Protocol):
    """Workers of one manager on one cloud, with a ledger."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def scope(self) -> Scope:
        """Where commands are carried out; the project is the tenant of the tests."""
        ...

    @property
    def cloud(self) -> Cloud:
        """What the workers act on, for tools beside them."""
        ...

    def seconds(self) -> float:
        """Time, as the deployment lives it."""
        ...

    def traffic(self) -> Traffic:
        """Requests of the workers to the cloud so far."""
        ...

    def deliver(self, command: Command) -> None: ...
    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until it is so; False when it is not after so many seconds."""
        ...


class Watch(Protocol):
    """An eye on the access that a security group gives."""

    def gaps(self) -> tuple[str, ...]:
        """Ports that nobody could reach for a moment, and rules that stayed but were away."""
        ...


class Trove(Protocol):
    """Makes resources as Trove did before us: its names, and nothing else of ours."""

    def security_group(self, subject: str, cidr: str) -> str: ...
    def port(self, subject: str, group: str) -> str: ...
    def volume(self, subject: str, size: int) -> str: ...
    def server(self, subject: str, port: str, volume: str, *, doomed: bool = False) -> str:
        """With a `doomed` volume: one that Nova deletes with the server."""
        ...

    def elsewhere(self, subject: str) -> str:
        """A volume of the subject's name in a project that is nobody's business."""
        ...


class Somebody(Protocol):
    """Somebody with an operator's rights, who changes things behind the manager's back.

    Every method waits until what it began is over, but for `begins_update`.
    """

    def deletes_server(self, server: str) -> None: ...
    def resizes_server(self, server: str, flavor: str) -> None:
        """And confirms it."""
        ...

    def extends_volume(self, volume: str, size: int) -> None: ...
    def makes_stack(self, name: str) -> str:
        """A stack of their own, with one security group in it; its id."""
        ...

    def begins_update(self, stack: SeenStack, **parameters: str) -> None:
        """Give parameters of the stack other values, and leave the others."""
        ...

    def updates_stack(self, stack: SeenStack, **parameters: str) -> str:
        """The same, until it is over; the status that the stack has then."""
        ...

    def deletes_stack(self, stack: SeenStack) -> None: ...
    def abandons_stack(self, stack: SeenStack) -> None:
        """Take the stack away, and leave what is in it."""
        ...


class Faults(Protocol):
    """Breaks the cloud. What is returned is a text of the cloud's that must reach the event.

    `quotas` are the kinds that a create can be over quota with here.
    """

    @property
    def quotas(self) -> tuple[str, ...]: ...

    def spawn(self, body: CreateInstance) -> tuple[CreateInstance, str]:
        """The server of this command goes to ERROR."""
        ...

    def volume(self, body: CreateInstance) -> CreateInstance:
        """The volume of this command goes to error (Cinder gives no reason)."""
        ...

    def resize(self, server: str) -> str:
        """Resizes of the server fail on the host."""
        ...

    def extend(self, volume: str) -> None:
        """Extensions of the volume fail in Cinder (which gives no reason)."""
        ...

    def delete(self, volume: str) -> None:
        """The volume's deletion fails in Cinder (which gives no reason)."""
        ...

    def heal(self, *things: str) -> None:
        """Resizes, extensions and deletions of these servers and volumes work again."""
        ...

    def quota(self, kind: str) -> None:
        """No more `instances`, `volumes`, `ports`, `security_groups` or `rules` until `lift`."""
        ...

    def lift(self) -> None: ...


class Place(Protocol):
    """One cloud, with a project that nobody else uses.

    `patience` is how many seconds the slowest command may take.
    """

    @property
    def name(self) -> str: ...
    @property
    def site(self) -> Site: ...
    @property
    def patience(self) -> float: ...
    @property
    def trove(self) -> Trove: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def somebody(self) -> Somebody: ...
    def deployment(self, manager: str) -> Deployment:
        """Workers with this manager as their default; the same ones for every test."""
        ...

    def look(self) -> Inventory: ...
    def done_to(self, server: str) -> tuple[str, ...]:
        """What was begun with a server since it was made, as Nova notes it: resizes, reboots and
        detached volumes stand there, whoever asked for them."""
        ...

    def stored(self, stack: SeenStack) -> Stored:
        """What Heat keeps of a stack."""
        ...

    def watch(self, group: str) -> AbstractContextManager[Watch]: ...

    def sweep(self) -> None:
        """Remove everything in the project, by another way than the one that is tested."""
        ...
