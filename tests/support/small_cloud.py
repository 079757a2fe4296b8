"""A small cloud in virtual time, with short ways to make things in it and to let time pass."""

from collections.abc import Iterable
from typing import TypeVar

from handlers.clouds.memory import CloudState, MemoryCloud, Times
from handlers.clouds.memory.attachments import Attachments
from handlers.clouds.memory.faults import Call, FaultRule, Outcome, Spoil
from handlers.operation import SECOND, Micros
from handlers.orders import NewPort, NewServer, NewVolume, Rules
from handlers.resources import (
    Kind,
    Port,
    PortRange,
    Resource,
    Rule,
    SecurityGroup,
    Server,
    Service,
    Volume,
)

T = TypeVar("T", Server, Volume, Port, SecurityGroup)

SUBJECT = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"

MYSQL = PortRange("tcp", 3306, 3306)
OFFICE = Rule(MYSQL, "10.0.0.0/8")

#: Times without a range, so that tests can say when things happen.
EXACT = Times(
    server_bind=(1.0, 1.0),
    server_build=(3.0, 3.0),
    server_resize=(3.0, 3.0),
    server_reboot=(2.0, 2.0),
    server_delete=(1.0, 1.0),
    volume_create=(1.0, 1.0),
    volume_attach=(1.0, 1.0),
    volume_extend=(1.0, 1.0),
    volume_delete=(1.0, 1.0),
)


class SmallCloud:
    """A state, a cloud on it and the clock of both."""

    def __init__(
        self, faults: Iterable[FaultRule] = (), times: Times = EXACT, seed: int = 1
    ) -> None:
        self.time: Micros = 1_700_000_000 * SECOND
        self.state = CloudState(
            now=lambda: self.time, seed=seed, times=times, faults=faults, sleep=self.wait
        )
        self.cloud = MemoryCloud(self.state)
        catalogue = self.state.catalogue
        self.network = catalogue.networks[0].id
        self.image = catalogue.images[0].id

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time += int(seconds * SECOND)

    def spoil(self, verb: str, outcome: Outcome, text: str = "it broke") -> None:
        """What the next call of `verb` began comes out like this."""
        self.state.inject(FaultRule(verb=verb, times=1, effect=Spoil(outcome, text)))

    # -- things ---------------------------------------------------------------------------------

    def group(self, subject: str = SUBJECT) -> str:
        return self.cloud.create_security_group(subject, "security-group", "").resources[0].id

    def rules(self, group: str, *rules: Rule) -> None:
        self.cloud.create_rules(Rules(group, rules))

    def port(self, subject: str = SUBJECT, *groups: str) -> str:
        new = NewPort(subject=subject, role="port/user-0", network=self.network, groups=groups)
        return self.cloud.create_port(new).resources[0].id

    def volume(self, subject: str = SUBJECT, size: int = 1) -> str:
        """A volume that is available."""
        new = NewVolume(subject=subject, role="volume/data", size=size)
        made = self.cloud.create_volume(new).resources[0].id
        self.wait(1)
        return made

    def server(self, *, ports: Iterable[str] = (), volumes: Iterable[str] = ()) -> str:
        """A server that has just begun to build."""
        return self.cloud.create_server(self.new_server(ports, volumes)).resources[0].id

    def new_server(self, ports: Iterable[str] = (), volumes: Iterable[str] = ()) -> NewServer:
        return NewServer(
            subject=SUBJECT,
            name="db",
            flavor="1",
            image=self.image,
            ports=tuple(ports),
            volumes=tuple(volumes),
        )

    def active(self, *, ports: Iterable[str] = (), volumes: Iterable[str] = ()) -> str:
        """A server that is ACTIVE."""
        made = self.server(ports=ports, volumes=volumes)
        self.wait(3)
        return made

    def attach(self, server: str, volume: str) -> None:
        """Attach a volume to a living server, as Nova's API does it."""
        state = self.state
        attachments = Attachments(state.core, state.storage, state.compute)
        call = Call(Service.COMPUTE, "attach_volume")
        state.gate.call(call, lambda doing: attachments.attach(doing, server, volume))

    def detach(self, server: str, volume: str) -> None:
        """Detach a volume from a living server."""
        state = self.state
        attachments = Attachments(state.core, state.storage, state.compute)
        call = Call(Service.COMPUTE, "detach_volume")
        state.gate.call(call, lambda doing: attachments.detach(doing, server, volume))

    def resized(self, flavor: str = "2", *, volumes: Iterable[str] = ()) -> str:
        """A server that waits in VERIFY_RESIZE."""
        made = self.active(volumes=volumes)
        self.cloud.resize_server(made, flavor)
        self.wait(3)
        return made

    # -- what is seen ---------------------------------------------------------------------------

    def see_server(self, server: str) -> Server:
        return _only(self.cloud.get(Kind.SERVER, [server]), Server)

    def see_volume(self, volume: str) -> Volume:
        return _only(self.cloud.get(Kind.VOLUME, [volume]), Volume)

    def see_port(self, port: str) -> Port:
        return _only(self.cloud.get(Kind.PORT, [port]), Port)

    def see_group(self, group: str) -> SecurityGroup:
        return _only(self.cloud.get(Kind.SECURITY_GROUP, [group]), SecurityGroup)

    def has(self, kind: Kind, thing: str) -> bool:
        return bool(self.cloud.get(kind, [thing]))

    def statuses(self, kind: Kind, thing: str, seconds: float, step: float = 0.1) -> list[str]:
        """The statuses that somebody sees who looks every `step` seconds, without repeats."""
        seen: list[str] = []
        for _ in range(round(seconds / step) + 1):
            found = self.cloud.get(kind, [thing])
            status = _status(found[0]) if found else "gone"
            if seen[-1:] != [status]:
                seen.append(status)
            self.wait(step)
        return seen


def _status(found: Resource) -> str:
    task = found.task if isinstance(found, Server) else None
    return f"{found.status}/{task}" if task else found.status


def _only(found: tuple[Resource, ...], kind: type[T]) -> T:
    (one,) = found
    assert isinstance(one, kind)
    return one
