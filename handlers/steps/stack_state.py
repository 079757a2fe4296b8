"""What a stack that was seen says: whose it is, how it ended, whether Heat still works on it."""

import re
from collections.abc import Mapping
from typing import Any

from handlers.base import Cloud, Next
from handlers.errors import Reason, Retryable, Terminal
from handlers.identity import last_write, write_name
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.operation import SECOND, Operation
from handlers.resources import Absent, ById, Kind, Query, Seen, Service, Stack

_MINUTE = 60 * SECOND

#: Heat is given up when it has worked for a quarter of the operation's time, but at least for:
_LEAST = _MINUTE

#: Until a stack shows that Heat has begun.
_BEGINS = 5 * SECOND

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
    """How long Heat may work on it: as long as the operation may still take."""
    return max(1, -(-(op.deadline - max(op.acted, op.opened)) // _MINUTE))


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


def is_made_by(op: Operation, key: str, stack: Stack) -> bool:
    """Whether the step `key` of this operation made it: by the id that Heat answered with, or by
    our mark, which somebody's update may take."""
    return stack.id == op.fact(key) or last_write(stack.tags) == write_of(op, key)


def not_ours(stack: Stack) -> Next:
    """What a step that makes a stack does about one of its name which it did not make."""
    if stack.status == "DELETE_IN_PROGRESS":
        return Next.WAIT  # an earlier one gives the name free
    text = f"stack {stack.name} ({stack.id}) exists, and this command did not make it"
    raise Terminal(text, Reason.EXISTS)


def is_just_asked(op: Operation, seen: Seen) -> bool:
    """Whether Heat may not yet show that it has begun with what was asked last: its answer comes
    before that (measured on Heat 27)."""
    return seen.at < max(op.acted, op.opened) + _BEGINS


def is_being_deleted(op: Operation, stack: Stack, asked: int, seen: Seen) -> bool:
    """Whether a deletion is under way, or was `asked` for so lately that it does not show yet."""
    if stack.status.startswith("DELETE"):
        return stack.status == "DELETE_IN_PROGRESS" and not is_stuck(op, seen)
    return asked > 0 and is_just_asked(op, seen)


def stored_template(world: Cloud, subject: str, stack: Stack) -> Mapping[str, Any]:
    """The template that Heat has of a stack; raises Retryable where it tells none."""
    template = world.stack_template(subject, stack.id)
    if template is None:
        raise Retryable("the stack's template could not be read", Reason.UNAVAILABLE)
    return template


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
