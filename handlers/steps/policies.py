"""What becomes of the resources of a stack that is deleted: retained, or deleted with it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from msgspec.structs import replace

from handlers.adoption import retaining
from handlers.base import Answer, Cloud, Next
from handlers.identity import last_write
from handlers.instance import Ref
from handlers.operation import TRIES as TRIED
from handlers.operation import Facts, Operation
from handlers.orders import StackUpdate
from handlers.resources import Query, Seen, Service, Stack
from handlers.steps.stack_state import (
    failure_of,
    gone,
    is_just_asked,
    is_stuck,
    left_of,
    minutes_of,
    stack_of,
    stack_query,
    stored_template,
    there,
    write_of,
)
from handlers.steps.stacks import TRIES
from handlers.template import values_of


def always(op: Operation) -> bool:
    """Whatever happened."""
    return True


@dataclass(frozen=True, slots=True)
class SetPolicies:
    """The stack retains the resources with these names (all of them for None), and no others.

    The template that Heat stores is given back to it with other policies. Its values stay, whatever
    they are, or Heat would resize a live server; only after a failure they are the recorded ones,
    because Heat keeps those that failed. It ends only when Heat
    has said UPDATE_COMPLETE to this very write: a resource that an update did not reach would keep
    its old policy. On the way back it has the key of the step whose `write` it takes back, because
    that one may still land; what Heat never accepted needs no taking back.

    A resource that Heat once held for ill it would replace, which is forbidden, until it has looked
    again (measured on Heat 27): so it is asked to, before an update that would fail for that.
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
            if self.retained is None or self.write:
                return Next.DONE  # what is gone deletes nothing
            raise gone()
        stack = there(seen)
        last = last_write(stack.tags)
        known = (self._write(op), write_of(op, self.key))
        if stack.is_busy:
            ours = last in known or op.fact(self.key, self._checked, 0)
            return Next.ACT if ours and is_stuck(op, seen) else Next.WAIT
        if self.write and last is not None and last not in known:
            return Next.DONE
        if last == self._write(op) and stack.status == "UPDATE_COMPLETE":
            return Next.DONE
        return self._after_failure(op, stack, seen)

    def _after_failure(self, op: Operation, stack: Stack, seen: Seen) -> Next:
        """Another try, after Heat has ended the check that it was asked for."""
        if op.fact(self.key, self._checked, 0):
            if stack.status == "CHECK_FAILED":
                raise failure_of(stack)
            begun = stack.status.startswith("CHECK_")
            return Next.ACT if begun or not is_just_asked(op, seen) else Next.WAIT
        if stack.status == "UPDATE_FAILED" and op.fact(self.key, self._tries, 0) >= TRIES:
            raise failure_of(stack)
        return Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = there(seen)
        tries = op.fact(self.key, self._tries, 0)
        if self._is_to_be_checked(op, stack, tries):
            checked = world.check_stack(self.subject, stack.id)
            return replace(checked, facts={self._checked: 1})
        if stack.is_busy:
            return world.cancel_stack_update(self.subject, stack.id)
        template = stored_template(world, self.subject, stack)
        answer = world.update_stack(
            StackUpdate(
                subject=self.subject,
                stack=stack.id,
                parameters=values_of(op.basis) if tries or _has_failed(stack) else {},
                write=self._write(op),
                minutes=minutes_of(op),
                template=retaining(template, self.retained),
            )
        )
        facts: Facts = {self._tries: tries + 1, self._checked: 0}
        return Answer(facts=facts, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        if not op.touched(self.key) or not self.needed(op):
            return ()
        return left_of(op, "what is deleted with it may not be what it should be")

    def _is_to_be_checked(self, op: Operation, stack: Stack, tries: int) -> bool:
        """Where the next update would fail because of an old check, or perhaps does: the last of
        its tries."""
        if stack.status == "CHECK_IN_PROGRESS":
            return True  # no engine ends it any more, and a check cannot be cancelled
        if op.fact(self.key, self._checked, 0):
            return False
        last = tries == TRIES - 1 and stack.has_failed
        return last or stack.status == "CHECK_FAILED"

    @property
    def _tries(self) -> str:
        return f"{TRIED} {self.write or self.key}"

    @property
    def _checked(self) -> str:
        return f"{TRIED} check {self.write or self.key}"

    def _write(self, op: Operation) -> str:
        return write_of(op, self.write or self.key)


def _has_failed(stack: Stack) -> bool:
    """Whether Heat may keep values that its resources do not have."""
    return stack.has_failed or stack.status.startswith("ROLLBACK")
