"""Recorded: a resource that Heat's view, and ours, rest on is still there."""

from dataclasses import dataclass

from handlers.base import Next
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref
from handlers.keys import SERVER, VOLUME
from handlers.operation import Facts, Operation
from handlers.resources import (
    SERVICE_OF,
    Absent,
    ById,
    Kind,
    Query,
    Seen,
    Server,
    Service,
    Volume,
)
from handlers.steps.look import OnlyLooks

_LOOK = "recorded/"


@dataclass(frozen=True, slots=True)
class Recorded(OnlyLooks):
    """Looks for drift before a stack is changed: Heat does not notice that a port or a group is
    gone, and a volume or server that is gone makes its update fail, like a server in ERROR, which
    it would replace (measured on Heat 27)."""

    ref: Ref
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return _LOOK + self.ref.role

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.ref.kind]

    def wants(self, op: Operation) -> Query | None:
        return ById(self.ref.kind, self.ref.id)

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            raise Terminal(
                f"{self.ref.kind} {self.ref.id} was deleted behind Heat's back: nothing is changed",
                Reason.NOT_FOUND,
                service=self.service,
            )
        if any(isinstance(each, Server) and each.status == "ERROR" for each in seen.matches):
            text = f"server {self.ref.id} is in ERROR: Heat would want to replace it"
            raise Terminal(text, Reason.CLOUD_ERROR, service=self.service)
        return Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        """What somebody has changed, by the service or by Heat: a volume's size, a flavor."""
        if isinstance(seen, Absent) or op.basis is None:
            return {}
        found = seen.matches[0]
        if isinstance(found, Volume) and found.size != op.basis.volume_size:
            return {"size": found.size}
        if isinstance(found, Server) and found.flavor != op.basis.flavor:
            return {"flavor": found.flavor}
        return {}


def recorded(basis: Instance | None, needs: frozenset[str]) -> tuple[Recorded, ...]:
    """A look at each recorded resource but the stack."""
    refs = basis.resources.values() if basis else ()
    return tuple(
        Recorded(ref, needs=needs) for ref in refs if ref.kind is not Kind.STACK and ref.id
    )


def size_seen(op: Operation) -> int:
    """What the recorded data volume was seen to have, in GiB, where it is not what is recorded;
    otherwise 0."""
    size: int = op.fact(_LOOK + VOLUME, "size", 0)
    return size


def has_recorded_flavor(op: Operation) -> bool:
    """Whether the server was not seen with another flavor than the recorded one."""
    return not op.fact(_LOOK + SERVER, "flavor")
