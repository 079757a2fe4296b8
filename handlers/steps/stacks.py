"""Stacks: make one, change a parameter of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec.structs import replace

from handlers.base import Answer, Cloud, Next
from handlers.errors import Terminal
from handlers.identity import last_write
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.operation import Facts, Operation
from handlers.orders import NewStack, StackUpdate
from handlers.resources import (
    ById,
    ByIdentity,
    Kind,
    Query,
    Seen,
    Service,
    Stack,
)
from handlers.steps.recorded import size_seen
from handlers.steps.stack_state import (
    failure_of,
    is_made_by,
    is_stuck,
    left_of,
    minutes_of,
    not_ours,
    stack_of,
    stack_query,
    there,
    write_of,
)
from handlers.template import VOLUME_SIZE, Document

UPDATE = "update"

#: Failed attempts to put a stack back, before it is left to an operator.
TRIES = 3


@dataclass(frozen=True, slots=True)
class EnsureStack:
    """The subject's stack, complete. Its name can be had once, so there never are two.

    A stack of that name which another write made is not touched: the step fails.
    """

    subject: str
    document: Callable[[], Document]
    key: str = STACK
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known: str | None = op.fact(self.key)
        if known:
            return ById(Kind.STACK, known)
        return ByIdentity(Kind.STACK, self.subject) if op.touched(self.key) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None:
            if op.fact(self.key):
                raise Terminal("the stack vanished while it was made", service=self.service)
            return Next.ACT
        if not is_made_by(op, self.key, stack):
            return not_ours(stack)
        if stack.has_failed:
            raise failure_of(stack)
        is_made = stack.status.endswith("_COMPLETE") and not stack.status.startswith("DELETE")
        return Next.DONE if is_made else Next.WAIT  # also where somebody has it checked

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        document = self.document()
        return world.create_stack(
            NewStack(
                subject=self.subject,
                template=document.template,
                environment=document.environment,
                parameters=document.parameters,
                write=write_of(op, self.key),
                minutes=minutes_of(op),
            )
        )

    def learn(self, op: Operation, seen: Seen) -> Facts:
        stack = stack_of(seen)
        return {"id": stack.id} if stack and is_made_by(op, self.key, stack) else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class UpdateStack:
    """Give parameters of the stack these values: the whole of what may change, not a difference,
    because after a failed update Heat keeps the values that failed.

    Never while Heat works on the stack, whoever began that. `tells` is the step whose change of a
    resource Heat is told of: where it does not end that, it is stopped. A failure that is
    `explained` is left to a later step; one that was told is tried again: somebody resumed it.
    """

    subject: str
    parameters: Mapping[str, Any]
    tells: str = ""
    explained: bool = False
    key: str = UPDATE
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = there(seen)
        if stack.is_busy:
            return Next.ACT if self._hangs(op, stack, seen) else Next.WAIT
        if last_write(stack.tags) != write_of(op, self.key):
            return Next.ACT
        if not stack.has_failed or self.explained:
            return Next.DONE
        if op.fact(self.key, "status"):
            return Next.ACT
        raise failure_of(stack)

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = there(seen)
        if stack.is_busy:
            return world.cancel_stack_update(self.subject, stack.id)
        answer = update(op, self, stack, world)
        told = {"status": ""} if op.fact(self.key, "status") else {}
        return replace(answer, facts={**answer.facts, **told})

    def learn(self, op: Operation, seen: Seen) -> Facts:
        stack = stack_of(seen)
        return {"status": stack.status, "reason": stack.reason} if stack else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """The stack, unless neither it nor what it is to be told of was changed."""
        if not op.touched(self.key) and self.tells not in op.done:
            return ()
        return left_of(
            op, "its parameters may differ from what is there; the next update sets them"
        )

    def _hangs(self, op: Operation, stack: Stack, seen: Seen) -> bool:
        """Whether Heat does not end what it is only told, and has nothing to do for."""
        ours = last_write(stack.tags) == write_of(op, self.key)
        return bool(self.tells) and ours and is_stuck(op, seen)


class _Update(Protocol):
    """A step that gives parameters of a stack other values."""

    @property
    def key(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...


def update(op: Operation, step: _Update, stack: Stack, world: Cloud) -> Answer:
    """One PATCH. That it was called is kept, in case that somebody else's tags replace ours.

    A volume that somebody has extended behind our back keeps its size: told the recorded one, Heat
    would fail, and stop a resize on its way (measured on Heat 27: it never shrinks a volume).
    """
    answer = world.update_stack(
        StackUpdate(
            subject=step.subject,
            stack=stack.id,
            parameters=_true(op, step.parameters),
            write=write_of(op, step.key),
            minutes=minutes_of(op),
        )
    )
    tries = op.fact(step.key, "tries", 0) + 1
    return Answer(facts={"tries": tries}, request_id=answer.request_id)


def _true(op: Operation, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    size = parameters.get(VOLUME_SIZE, 0)
    return {**parameters, VOLUME_SIZE: max(size, size_seen(op))} if size else parameters
