"""What became of a flavor that Heat was told to change."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.instance import Ref
from handlers.operation import Facts, Operation
from handlers.resources import Present, Query, Seen, Service, Stack
from handlers.steps.servers import HasFlavor
from handlers.steps.stack_state import failure_of
from handlers.steps.stacks import UPDATE


@dataclass(frozen=True, slots=True)
class Resized:
    """The server has the flavor that the update (`explained`) gave it, and rests.

    After a failure Nova's own fault is told, where the server has one: Heat knows its status only.
    """

    flavor: str
    needs: frozenset[str] = frozenset({UPDATE})
    key: str = "verify"
    service: Service = Service.COMPUTE
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return self._look.wants(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        status, reason = op.fact(UPDATE, "status", ""), op.fact(UPDATE, "reason", "")
        stack = Stack(id="", status=status, reason=reason)
        if stack.has_failed and not _is_in_error(seen):
            raise failure_of(stack)
        return self._look.check(op, seen)

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        return self._look.act(op, seen, world)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    @property
    def _look(self) -> HasFlavor:
        return HasFlavor(self.flavor, key=self.key)


def _is_in_error(seen: Seen) -> bool:
    return isinstance(seen, Present) and seen.matches[0].status == "ERROR"
