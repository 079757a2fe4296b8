"""Recorded: a resource that Heat's view, and ours, rest on is still there."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref
from handlers.operation import Facts, Operation
from handlers.resources import SERVICE_OF, Absent, ById, Kind, Query, Seen, Service


@dataclass(frozen=True, slots=True)
class Recorded:
    """Looks for drift before a stack is changed: Heat does not notice that a port or a group is
    gone, and a volume or server that is gone makes its update fail (measured on Heat 27)."""

    ref: Ref
    needs: frozenset[str] = frozenset()
    unique: bool = False
    pivot: bool = False

    @property
    def key(self) -> str:
        return f"recorded/{self.ref.role}"

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
        return Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        raise Terminal(f"{self.key} only looks", Reason.INTERNAL)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


def recorded(basis: Instance | None, needs: frozenset[str]) -> tuple[Recorded, ...]:
    """A look at each recorded resource but the stack."""
    refs = basis.resources.values() if basis else ()
    return tuple(
        Recorded(ref, needs=needs) for ref in refs if ref.kind is not Kind.STACK and ref.id
    )
