"""Looks at the resources of an instance that changes hands: before, and after."""

from collections.abc import Collection
from dataclasses import dataclass

from handlers.adoption import description_of, members_of, observed_key, signature
from handlers.base import Next
from handlers.commands import AdoptInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref
from handlers.keys import SERVER, VOLUME
from handlers.operation import Facts, Operation
from handlers.resources import (
    SERVICE_OF,
    Absent,
    InFull,
    Port,
    Query,
    Resource,
    Seen,
    Server,
    Service,
    Volume,
)
from handlers.steps.look import OnlyLooks

#: What Nova says of a server at rest. Others are on their way, or need somebody. Heat's check takes
#: a stopped server for a broken one, and its next update would want to replace that.
_AT_REST = ("ACTIVE", "SHUTOFF")
_RUNS = ("ACTIVE",)


@dataclass(frozen=True, slots=True)
class Observe(OnlyLooks):
    """The resource is there, at rest, and as it is recorded: what the ledger, Heat and the services
    hold of it agree, or nothing is begun.

    It learns what may not change (`same`), what a template has to say of it (`like`), and whether
    Nova would delete the data volume with the server (`doomed`).
    """

    member: str
    ref: Ref
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return observed_key(self.member)

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.ref.kind]

    def wants(self, op: Operation) -> Query | None:
        return InFull(self.ref.kind, self.ref.id)

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            raise Terminal(f"{self.ref.kind} {self.ref.id} does not exist", Reason.NOT_FOUND)
        resource = seen.matches[0]
        if not op.home or _is_moving(resource):
            return Next.WAIT
        if resource.project != op.home:
            text = f"lies in project {resource.project}: a stack can hold what is in {op.home} only"
            raise Terminal(f"{self.ref.kind} {self.ref.id} {text}", Reason.NOT_OWNED)
        if trouble := _others(op, resource) or _drift(op, resource):
            text = f"{self.ref.kind} {self.ref.id} {trouble}: nothing is changed"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        return Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        if isinstance(seen, Absent):
            return {}
        resource = seen.matches[0]
        facts: Facts = {"same": signature(resource), "like": description_of(resource)}
        if isinstance(resource, Server):
            facts["doomed"] = op.known_id(VOLUME) in resource.doomed
        return facts


@dataclass(frozen=True, slots=True)
class Unharmed(OnlyLooks):
    """The resource is what it was when it was observed: not restarted, detached or replaced."""

    member: str
    ref: Ref
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return f"unharmed/{self.member}"

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.ref.kind]

    def wants(self, op: Operation) -> Query | None:
        return InFull(self.ref.kind, self.ref.id)

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            text = f"{self.ref.kind} {self.ref.id} vanished while the instance changed hands"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        before = op.fact(observed_key(self.member), "same", {})
        now = signature(seen.matches[0])
        other = [f"{what} {was} is {now[what]}" for what, was in before.items() if was != now[what]]
        if other:
            text = f"{self.ref.kind} {self.ref.id} changed under way: {', '.join(other)}"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        return Next.DONE


def observe(basis: Instance | None, needs: frozenset[str] = frozenset()) -> tuple[Observe, ...]:
    """A look at everything recorded but the stack."""
    return tuple(Observe(key, ref, needs=needs) for key, ref in members_of(basis).items())


def unharmed(basis: Instance | None, needs: frozenset[str]) -> tuple[Unharmed, ...]:
    """Another look at all of it, at the end."""
    return tuple(Unharmed(key, ref, needs=needs) for key, ref in members_of(basis).items())


def _is_moving(resource: Resource) -> bool:
    return isinstance(resource, Server) and resource.task is not None


def _others(op: Operation, resource: Resource) -> str:
    """Whose it says to be; nothing where it says so of nobody else."""
    mine = resource.subject in (None, op.subject)
    return "" if mine else f"is of {resource.subject}, not of {op.subject}"


def _drift(op: Operation, resource: Resource) -> str:
    """How the resource differs from the record, or stands where it cannot change hands."""
    basis, server = op.basis, op.known_id(SERVER)
    if basis is None:
        return ""
    match resource:
        case Server():
            adopts = isinstance(op.command.body, AdoptInstance)
            return _server_drift(resource, basis, _RUNS if adopts else _AT_REST)
        case Volume() if resource.size != basis.volume_size:
            return f"has {resource.size} GiB, recorded are {basis.volume_size}"
        case Volume() if resource.servers != (server,):
            return f"is attached to {', '.join(resource.servers) or 'nothing'}, not to {server}"
        case Port() if resource.device != server:
            return f"is plugged into {resource.device or 'nothing'}, not into {server}"
    return ""


def _server_drift(server: Server, basis: Instance, allowed: Collection[str]) -> str:
    if server.status not in allowed:
        return f"is {server.status}, not {' or '.join(allowed)}"
    if server.flavor != basis.flavor:
        return f"has flavor {server.flavor}, recorded is {basis.flavor}"
    if server.details is not None and not server.details.get("image"):
        return "boots from a volume, which a stack cannot take over yet"
    return ""
