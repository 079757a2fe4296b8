"""Ensure: there is exactly one resource of a kind in a role, and it is ready."""

from collections.abc import Callable
from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.operation import Facts, Operation
from handlers.resources import (
    SERVICE_OF,
    Absent,
    ById,
    ByIdentity,
    Kind,
    Query,
    Resource,
    Seen,
    Service,
)
from handlers.steps.delete import delete_duplicate


@dataclass(frozen=True, slots=True)
class Ensure:
    """Make a resource once, find it again after a lost call, wait until it is ready.

    `make` is the one mutating call; `ready` judges a resource that is there and raises Terminal
    for one that never will be; `facts` says what to keep of it. Several matches (two calls landed
    after all): the recorded one stays, the others go, one per act.
    """

    key: str
    kind: Kind
    subject: str
    make: Callable[[Operation, Cloud], Answer]
    ready: Callable[[Resource], Next]
    facts: Callable[[Resource], Facts]
    needs: frozenset[str] = frozenset()
    unique: bool = True
    pivot: bool = False

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.kind]

    def wants(self, op: Operation) -> Query | None:
        known: str | None = op.fact(self.key)
        if known:
            return ById(self.kind, known)
        return ByIdentity(self.kind, self.subject) if op.touched(self.key) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        matches = self._mine(seen)
        if not matches:
            if op.fact(self.key):
                raise Terminal(
                    f"{self.kind} {op.fact(self.key)} vanished while it was being made",
                    Reason.CLOUD_ERROR,
                    service=self.service,
                )
            return Next.ACT
        return Next.ACT if len(matches) > 1 else self.ready(matches[0])

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        matches = self._mine(seen)
        if len(matches) > 1:
            return delete_duplicate(world, matches[-1])
        return self.make(op, world)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        matches = self._mine(seen)
        return {"id": matches[0].id, **self.facts(matches[0])} if matches else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    def _mine(self, seen: Seen) -> list[Resource]:
        """The matches in this role, the one to keep first: in use before idle, then by id."""
        if isinstance(seen, Absent):
            return []
        mine = [each for each in seen.matches if each.role == self.key]
        return sorted(mine, key=lambda each: (not in_use(each), each.id))


def in_use(resource: Resource) -> bool:
    """Whether the resource is plugged into another one, or serves."""
    return bool(
        getattr(resource, "device", "")
        or getattr(resource, "servers", ())
        or (resource.kind is Kind.SERVER and resource.status == "ACTIVE")
    )
