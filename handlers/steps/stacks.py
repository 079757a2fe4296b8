"""Stacks: make one, change a parameter of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec.structs import replace

from handlers.base import Answer, Cloud, NewStack, Next, StackUpdate
from handlers.errors import Reason, Terminal
from handlers.identity import last_write, write_name
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.operation import SECOND, Facts, Operation
from handlers.resources import (
    Absent,
    ById,
    ByIdentity,
    Kind,
    Query,
    Seen,
    Service,
    Stack,
)
from handlers.steps.recorded import size_seen
from handlers.template import VOLUME_SIZE, Document

UPDATE = "update"

#: Failed attempts to put a stack back, before it is left to an operator.
TRIES = 3

_MINUTE = 60 * SECOND

#: Heat is given up when it has worked for a quarter of the operation's time, but at least for:
_LEAST = _MINUTE

_QUOTA = re.compile(r"quota|exceeds allowed|maximum number of \w+ exceeded", re.IGNORECASE)

#: How the services' client libraries end their texts, of which Heat's reasons are made.
_STATUS = re.compile(r"\(HTTP (\d{3})\)")
_REQUEST = re.compile(r"\breq-[0-9a-f-]{36}\b")

#: Answers after which the same request will be refused again; after others it may go well.
_REASONS = {400: Reason.REFUSED, 403: Reason.REFUSED, 404: Reason.NOT_FOUND}


def write_of(op: Operation, key: str) -> str:
    """What a stack's tags say after this step's write: the proof that Heat has accepted it."""
    return write_name(op.id, key)


def minutes_of(op: Operation) -> int:
    """How long Heat may work on it: as long as the operation may take."""
    return max(1, -(-(op.deadline - op.opened) // _MINUTE))


def is_stuck(op: Operation, seen: Seen) -> bool:
    """Whether Heat has worked so long on what was asked last that perhaps no engine does any more.

    Heat's own limit is too late for this: it may be as long as the operation.
    """
    began = max(op.acted, op.opened)
    limit = max(_LEAST, (op.deadline - began) // 4)
    return not isinstance(seen, Absent) and seen.at > began + limit


def stack_of(seen: Seen) -> Stack | None:
    """The first stack that was seen."""
    if isinstance(seen, Absent):
        return None
    found = seen.matches[0]
    return found if isinstance(found, Stack) else None


def failure_of(stack: Stack) -> Terminal:
    """Heat's own text, and what it tells of the answer that another service gave to Heat."""
    text = stack.reason or "Heat gave no reason"
    status, request = _STATUS.search(text), _REQUEST.search(text)
    reason = _REASONS.get(int(status[1]) if status else 0, Reason.CLOUD_ERROR)
    return Terminal(
        f"stack {stack.status}: {text}",
        Reason.QUOTA if _QUOTA.search(text) else reason,
        service=Service.ORCHESTRATION,
        request_id=request[0] if request else None,
    )


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
        if not self._is_ours(op, stack):
            if stack.status == "DELETE_IN_PROGRESS":
                return Next.WAIT  # an earlier one gives the name free
            text = f"stack {stack.name} ({stack.id}) exists, and this command did not make it"
            raise Terminal(text, Reason.EXISTS)
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
        return {"id": stack.id} if stack and self._is_ours(op, stack) else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    def _is_ours(self, op: Operation, stack: Stack) -> bool:
        """By the id that Heat answered with, or by our mark, which somebody's update may take."""
        return stack.id == op.fact(self.key) or last_write(stack.tags) == write_of(op, self.key)


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


def stack_query(op: Operation) -> Query:
    """The recorded stack; Terminal where none is recorded."""
    known = op.known_id(STACK)
    if known is None:
        raise Terminal(f"{op.subject} has no stack", Reason.NOT_FOUND)
    return ById(Kind.STACK, known)


def there(seen: Seen) -> Stack:
    """The stack that was seen; Terminal when it is gone or going."""
    stack = stack_of(seen)
    if stack is None or stack.status.startswith("DELETE"):
        raise gone()
    return stack


def gone() -> Terminal:
    """The stack is not there any more. What it retained may be."""
    return Terminal(
        "the stack was deleted by somebody else: instance.release makes an instance native that is "
        "still there, and a deletion leaves nothing",
        Reason.NOT_FOUND,
        service=Service.ORCHESTRATION,
    )


def left_of(op: Operation, note: str) -> tuple[Ref, ...]:
    """The recorded stack, as something that an operator should look at."""
    known = op.known_id(STACK)
    return (Ref(kind=Kind.STACK, id=known, role=STACK, note=note),) if known else ()
