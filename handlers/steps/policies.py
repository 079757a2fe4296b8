"""What becomes of the resources of a stack that is deleted: retained, or deleted with it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from handlers.adoption import retaining, values_of
from handlers.base import Answer, Cloud, Next, StackUpdate
from handlers.errors import Reason, Retryable
from handlers.identity import last_write
from handlers.instance import Ref
from handlers.operation import Facts, Operation
from handlers.resources import Query, Seen, Service
from handlers.steps.stacks import (
    TRIES,
    failure_of,
    is_stuck,
    left_of,
    minutes_of,
    stack_of,
    stack_query,
    there,
    write_of,
)


def always(op: Operation) -> bool:
    """Whatever happened."""
    return True


@dataclass(frozen=True, slots=True)
class SetPolicies:
    """The stack retains the resources with these names (all of them for None), and no others.

    The template that Heat stores is given back to it with other policies, and the recorded values
    of what may change: after a failed update Heat keeps those that failed. It ends only when Heat
    has said UPDATE_COMPLETE to this very write: a resource that an update did not reach would keep
    its old policy. On the way back it has the key of the step whose `write` it takes back, because
    that one may still land.
    """

    subject: str
    key: str
    retained: Collection[str] | None = None
    write: str = ""
    needed: Callable[[Operation], bool] = always
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op) if self.needed(op) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        if stack_of(seen) is None:
            return Next.DONE  # what is gone deletes nothing
        stack = there(seen)
        last = last_write(stack.tags)
        if stack.is_busy:
            ours = last in (self._write(op), write_of(op, self.key))
            return Next.ACT if ours and is_stuck(op, seen) else Next.WAIT
        if last != self._write(op):
            return Next.ACT
        if stack.status == "UPDATE_COMPLETE":
            return Next.DONE
        if stack.has_failed and op.fact(self.key, self._tries, 0) >= TRIES:
            raise failure_of(stack)
        return Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = there(seen)
        if stack.is_busy:
            return world.cancel_stack_update(self.subject, stack.id)
        template = world.stack_template(self.subject, stack.id)
        if template is None:
            raise Retryable("the stack's template could not be read", Reason.UNAVAILABLE)
        answer = world.update_stack(
            StackUpdate(
                subject=self.subject,
                stack=stack.id,
                parameters=values_of(op.basis) if op.basis else {},
                write=self._write(op),
                minutes=minutes_of(op),
                template=retaining(template, self.retained),
            )
        )
        tries = op.fact(self.key, self._tries, 0) + 1
        return Answer(facts={self._tries: tries}, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        if not op.touched(self.key) or not self.needed(op):
            return ()
        return left_of(op, "what is deleted with it may not be what it should be")

    @property
    def _tries(self) -> str:
        return f"tries {self.write or self.key}"

    def _write(self, op: Operation) -> str:
        return write_of(op, self.write or self.key)
