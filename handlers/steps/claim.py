"""Claim: a resource that a command names is checked before anything touches it."""

from dataclasses import dataclass

from handlers.base import Next
from handlers.commands import Command, DeleteInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Instance
from handlers.keys import GROUP, NAMED_PORT, SERVER, VOLUME
from handlers.operation import Facts, Operation
from handlers.resources import (
    SERVICE_OF,
    Absent,
    ById,
    Kind,
    Query,
    Resource,
    SecurityGroup,
    Seen,
    Server,
    Service,
    Volume,
)
from handlers.steps.look import OnlyLooks
from handlers.steps.security_groups import told_rules


@dataclass(frozen=True, slots=True)
class Claim(OnlyLooks):
    """The resource exists, lies in the project and carries the subject's identity.

    A port or volume that carries no name of ours is the subject's when it is plugged into the
    server that was claimed before it. Never calls anything; a resource that fails is refused, and
    so is one that is not there unless it `may_be_gone`.
    """

    key: str
    kind: Kind
    id: str
    subject: str
    needs: frozenset[str] = frozenset()
    may_be_gone: bool = False

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.kind]

    def wants(self, op: Operation) -> Query | None:
        return ById(self.kind, self.id)

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            if self.may_be_gone:
                return Next.DONE
            raise Terminal(f"{self.kind} {self.id} does not exist", Reason.NOT_FOUND)
        resource = seen.matches[0]
        if resource.project not in (op.scope.project, op.home):
            if not op.home:
                return Next.WAIT  # nobody could say yet in which project resources are made
            raise Terminal(f"{self.kind} {self.id} belongs to another project", Reason.NOT_OWNED)
        if resource.subject != self.subject and not self._plugged(op, resource):
            raise Terminal(
                f"{self.kind} {self.id} does not carry the identity of {self.subject}",
                Reason.NOT_OWNED,
            )
        return Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        if isinstance(seen, Absent):
            return {}
        resource = seen.matches[0]
        facts: Facts = {"id": resource.id, "kind": str(self.kind)}
        if isinstance(resource, Server):
            facts["flavor"] = resource.flavor
        if isinstance(resource, Volume):
            facts["size"] = resource.size
        if isinstance(resource, SecurityGroup):
            facts["rules"] = told_rules(resource.rules)
        return facts

    def _plugged(self, op: Operation, resource: Resource) -> bool:
        """Claimed nothing else's: unnamed, and plugged into the claimed server."""
        if resource.subject is not None:
            return False
        server = op.known_id(SERVER)
        plugged = (getattr(resource, "device", ""), *getattr(resource, "servers", ()))
        return server is not None and server in plugged


def claims_of(command: Command, basis: Instance | None) -> tuple[Claim, ...]:
    """Claims of what the command names and the record does not have.

    The server comes first, the rest may lean on it. What is recorded is not claimed again, and
    nothing that a command names takes its place. A deletion of what is recorded may find a
    thing gone already: an earlier one may have got so far.
    """
    named, recorded = command.resources, basis.resources if basis else {}
    if named is None:
        return ()
    known = {ref.id for ref in recorded.values()}
    ports = [port for port in named.ports if port not in known]
    first = sum(key.startswith(NAMED_PORT) for key in recorded)
    wanted = [
        (SERVER, Kind.SERVER, named.server),
        (VOLUME, Kind.VOLUME, named.volume),
        *((f"{NAMED_PORT}{first + n}", Kind.PORT, port) for n, port in enumerate(ports)),
        (GROUP, Kind.SECURITY_GROUP, named.security_group),
    ]
    new = [(key, kind, each) for key, kind, each in wanted if each and key not in recorded]
    server = frozenset({SERVER}) if any(key == SERVER for key, _, _ in new) else frozenset()
    gone = basis is not None and isinstance(command.body, DeleteInstance)
    return tuple(
        Claim(key, kind, each, command.subject, needs=server - {key}, may_be_gone=gone)
        for key, kind, each in new
    )
