"""What steps that only look have in common."""

from handlers.base import Answer, Cloud, Step
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.operation import Facts, Operation
from handlers.resources import Seen


class OnlyLooks:
    """A step that calls nothing: it is done, waits, or ends the operation. It keeps nothing of what
    it saw, and leaves nothing behind, unless it says otherwise."""

    __slots__ = ()

    @property
    def unique(self) -> bool:
        return False

    @property
    def pivot(self) -> bool:
        return False

    def act(self: Step, op: Operation, seen: Seen, world: Cloud) -> Answer:
        raise Terminal(f"{self.key} only looks", Reason.INTERNAL)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()
