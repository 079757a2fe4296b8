"""The way back of a failed update: stop it, repair the server, give the old values again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.base import Answer, Cloud, Next, Step
from handlers.errors import Reason, Terminal
from handlers.identity import last_write
from handlers.instance import Ref
from handlers.keys import SERVER
from handlers.operation import Facts, Operation
from handlers.resources import Absent, ById, Kind, Query, Seen, Server, Service
from handlers.steps.stack_state import (
    failure_of,
    is_stuck,
    left_of,
    stack_of,
    stack_query,
    there,
    write_of,
)
from handlers.steps.stacks import TRIES, UPDATE, update

SETTLE = "settle"
RESTORE = "restore"
REALIGN = "realign"

#: Before an update: the server is given its recorded flavor again.
ALIGN = "align"

#: After one that did nothing: the server is given its new flavor.
FINISH = "finish"


@dataclass(frozen=True, slots=True)
class OnlyIf:
    """The step, where it is needed; otherwise it is done without a look.

    `tells` says what is left instead of the step itself.
    Where a deletion follows nothing is put right, and what is left is told: Heat deletes a stack in
    any state (measured on Heat 27), so there is nothing to wait for.
    """

    step: Step
    needed: Callable[[Operation], bool]
    tells: Callable[[Operation], tuple[Ref, ...]] | None = None

    @property
    def key(self) -> str:
        return self.step.key

    @property
    def needs(self) -> frozenset[str]:
        return self.step.needs

    @property
    def service(self) -> Service:
        return self.step.service

    @property
    def unique(self) -> bool:
        return self.step.unique

    @property
    def pivot(self) -> bool:
        return False

    def wants(self, op: Operation) -> Query | None:
        return self.step.wants(op) if self.needed(op) and not _is_superseded(op) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        if not self.needed(op):
            return Next.DONE
        if _is_superseded(op):
            raise Terminal("left to the deletion that follows", Reason.SUPERSEDED)
        return self.step.check(op, seen)

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        return self.step.act(op, seen, world)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return self.step.learn(op, seen) if self.needed(op) else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        left = self.tells or self.step.left
        return left(op) if self.needed(op) else ()


def is_updated(op: Operation) -> bool:
    """Whether an update of ours may have landed."""
    return op.touched(UPDATE)


def is_only_aligned(op: Operation) -> bool:
    """Whether the server was resized for an update that never came."""
    return op.touched(ALIGN) and not op.touched(UPDATE)


def is_complete(op: Operation) -> bool:
    """Whether Heat says that the update went well: one that was rolled back did not, and a check
    hides how it went."""
    return bool(op.fact(UPDATE, "status") == "UPDATE_COMPLETE")


def is_finishing(op: Operation) -> bool:
    """Whether the server was resized after an update that did nothing."""
    return op.touched(FINISH)


def is_to_restore(op: Operation) -> bool:
    """Whether an update of ours may have done something. It has not where Heat says that it went
    well and the server has settled with the recorded flavor."""
    recorded = op.basis.flavor if op.basis else ""
    did_nothing = is_complete(op) and op.fact(SETTLE, "flavor") == recorded
    return is_updated(op) and not did_nothing


def unaligned(op: Operation) -> tuple[Ref, ...]:
    """The server, where it settled with another flavor than the recorded one or was resized since,
    and nobody saw it with that one again."""
    known, recorded = op.known_id(SERVER), op.basis.flavor if op.basis else ""
    settled = op.fact(SETTLE, "flavor") if SETTLE in op.done else None
    if known is None or settled is None or (settled == recorded and not op.touched(REALIGN)):
        return ()
    note = f"it may not have flavor {recorded}, or wait for the verdict on a resize"
    return (Ref(kind=Kind.SERVER, id=known, role=SERVER, note=note),)


def _is_superseded(op: Operation) -> bool:
    return op.failure is not None and op.failure.reason is Reason.SUPERSEDED


@dataclass(frozen=True, slots=True)
class StopUpdate:
    """The update is over, and cannot land any more. A stack that says IN_PROGRESS for too long has
    perhaps lost its engine (nothing resumes it: measured on Heat 27), and is told to stop."""

    subject: str
    key: str = UPDATE
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None or not stack.is_busy:
            return Next.DONE
        return Next.ACT if is_stuck(op, seen) else Next.WAIT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        answer = world.cancel_stack_update(self.subject, there(seen).id)
        return Answer(request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class SettleServer:
    """The server is ACTIVE or SHUTOFF: in ERROR the next update would replace it, and a resize that
    nobody confirms any more is reverted (both measured on Heat 27)."""

    key: str = SETTLE
    needs: frozenset[str] = frozenset()
    service: Service = Service.COMPUTE
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known = op.known_id(SERVER)
        return ById(Kind.SERVER, known) if known else None

    def check(self, op: Operation, seen: Seen) -> Next:
        server = _server(seen)
        if server is None:
            return Next.DONE
        if server.status in ("ERROR", "VERIFY_RESIZE"):
            return Next.ACT
        return Next.WAIT if server.task or "RESIZE" in server.status else Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        server = _server(seen)
        if server and server.status == "VERIFY_RESIZE":
            return world.revert_resize(server.id)
        return world.reset_server(server.id if server else "")

    def learn(self, op: Operation, seen: Seen) -> Facts:
        server = _server(seen)
        return {"flavor": server.flavor} if server else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        known = op.known_id(SERVER)
        note = "a resize of it was cut short"
        return (Ref(kind=Kind.SERVER, id=known, role=SERVER, note=note),) if known else ()


@dataclass(frozen=True, slots=True)
class Restore:
    """The stack has its last good values again, by an update that names them all. One that Heat
    does not end is stopped, and tried again."""

    subject: str
    parameters: Mapping[str, Any]
    key: str = RESTORE
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None or stack.status.startswith("DELETE"):
            return Next.DONE
        if stack.is_busy:
            return Next.ACT if is_stuck(op, seen) else Next.WAIT
        write = last_write(stack.tags)
        if write == write_of(op, self.key):
            if not stack.has_failed:
                return Next.DONE
            if op.fact(self.key, "tries", 0) >= TRIES:
                raise failure_of(stack)
            return Next.ACT
        landed = write == write_of(op, UPDATE) or op.fact(UPDATE, "tries") is not None
        return Next.ACT if landed else Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = there(seen)
        if not stack.is_busy:
            return update(op, self, stack, world)
        answer = world.cancel_stack_update(self.subject, stack.id)
        return Answer(request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return left_of(op, "its last good values could not be given again")


def _server(seen: Seen) -> Server | None:
    if isinstance(seen, Absent):
        return None
    found = seen.matches[0]
    return found if isinstance(found, Server) else None
