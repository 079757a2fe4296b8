"""Before an update that does not name every value: the values that it leaves out are those of the
resources."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.operation import Facts, Operation
from handlers.resources import Query, Seen, Service
from handlers.steps.recorded import has_recorded_flavor
from handlers.steps.stacks import stack_query, there

#: After all else Heat may keep values that failed (measured on Heat 27).
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True, slots=True)
class Trusted:
    """The stack's last update went well."""

    key: str = "trusted"
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = there(seen)
        if stack.is_busy:
            return Next.WAIT
        if stack.status in _GOOD:
            return Next.DONE
        raise Terminal(
            f"stack {stack.status}, and the server does not have its recorded flavor: "
            "resize the instance first",
            Reason.REFUSED,
            service=self.service,
        )

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        raise Terminal(f"{self.key} only looks", Reason.INTERNAL)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


def is_drifted(op: Operation) -> bool:
    """Whether the server was seen with another flavor than the recorded one."""
    return not has_recorded_flavor(op)
