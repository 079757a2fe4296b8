"""Before an update: the stack is at rest, and the values that it does not name are those of the
resources."""

from dataclasses import dataclass

from handlers.base import Next
from handlers.errors import Reason, Terminal
from handlers.instance import State
from handlers.operation import Facts, Operation
from handlers.resources import Query, Seen, Service
from handlers.steps.look import OnlyLooks
from handlers.steps.recorded import has_recorded_flavor
from handlers.steps.stack_state import stack_of, stack_query, there

SOUND = "sound-stack"

#: After all else Heat may keep values that failed (measured on Heat 27).
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True, slots=True)
class SoundStack(OnlyLooks):
    """The stack is there and at rest: looked at before anything is changed."""

    key: str = SOUND
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = there(seen)
        if stack.status == "SUSPEND_COMPLETE":  # Heat would refuse the update (400 NotSupported)
            raise Terminal("the stack is suspended: resume it first", Reason.REFUSED)
        return Next.WAIT if stack.is_busy else Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        """Whether what Heat stores may be other than what its resources have."""
        stack = stack_of(seen)
        return {"status": stack.status} if stack and stack.status not in GOOD else {}


@dataclass(frozen=True, slots=True)
class Trusted(OnlyLooks):
    """The stack's last update went well."""

    key: str = "trusted"
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = there(seen)
        if stack.is_busy:
            return Next.WAIT
        if stack.status in GOOD:
            return Next.DONE
        raise Terminal(
            f"stack {stack.status}, and the server does not have its recorded flavor: "
            "resize the instance first",
            Reason.REFUSED,
            service=self.service,
        )


def is_drifted(op: Operation) -> bool:
    """Whether the server was seen with another flavor than the recorded one."""
    return not has_recorded_flavor(op)


def is_told_all(op: Operation) -> bool:
    """Whether Heat is given every value: where it may keep some that failed. Where all is well it
    needs none that do not change: they may not be what it has, if somebody else updated the stack,
    and then it would resize a server that has that flavor (400, measured on Heat 27)."""
    recorded = op.basis is not None and op.basis.state is State.ACTIVE
    return not is_drifted(op) and not (recorded and SOUND not in op.learned)


def is_told_little(op: Operation) -> bool:
    """Whether Heat is given only what changes."""
    return not is_told_all(op)
