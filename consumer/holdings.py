"""The operations that this worker owns, in memory: waits live here, without a write per poll."""

import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from handlers.base import Step
from handlers.operation import SECOND, Micros, Operation, Phase
from handlers.resources import Seen, Service

#: Enough for a look at each step of a deletion, one after the other.
_LOOK = 5 * SECOND


class Held:
    """One owned operation and what the worker needs to take it further.

    `op` is the newest value; `dirty` says that the ledger has to see it before the next wait,
    `sighted` that looks told something that it has to see before the next call. `since` is when
    this worker took it: nothing seen before counts. `waits` says when to look again, by service;
    `paused` holds steps back after a fault. `busy` keeps a second thread away, which then leaves
    `again` behind; while it is set, `waits` belong to the thread that set it.
    """

    __slots__ = (
        "again",
        "busy",
        "dirty",
        "op",
        "paused",
        "phase",
        "plan",
        "sighted",
        "since",
        "waits",
    )

    def __init__(self, op: Operation, since: Micros) -> None:
        self.op = op
        self.since = since
        self.dirty = False
        self.sighted = False
        self.plan: tuple[Step, ...] | None = None
        self.phase: Phase = op.phase
        self.waits: dict[Service, Micros] = {}
        self.paused: dict[str, Micros] = {}
        self.busy = False
        self.again = False

    @property
    def deadline(self) -> Micros:
        """The operation's. Who takes it when that is over has time for a look: what the last owner
        saw and did not write is not known any more, and the end has to be told as it is."""
        return max(self.op.deadline, self.since + _LOOK)

    def keep(self, op: Operation) -> None:
        """Take a new value; it is written with the next save, before the next call or wait."""
        self.op = op
        self.dirty = True

    def keep_sight(self, op: Operation) -> None:
        """Take a new value that a look told: while nothing is called, nobody needs it written, for
        whoever takes over looks again."""
        self.op = op
        self.sighted = True

    def written(self, op: Operation) -> None:
        """Take the value that the ledger has now."""
        self.op = op
        self.dirty = self.sighted = False

    def learn(self, step: Step, seen: Seen) -> None:
        """Keep how a thing stands that is not taken further: that is what is left behind.

        Not where nothing was done, unless that is in doubt, or the step could only guess.
        """
        left = step.left(self.op)
        guesses = left and (self.op.doubt or not all(ref.id for ref in left))
        if self.op.touched(step.key) or guesses:
            self.keep(self.op.found(step.key, step.learn(self.op, seen)))

    def wait(self, service: Service, until: Micros) -> None:
        """Look again at `until`, or earlier: when another step waits for the same service, or when
        the operation runs out of time."""
        until = min(until, self.deadline + 1)
        self.waits[service] = min(self.waits.get(service, until), until)

    def ready(self) -> Iterator[Step]:
        """Steps that may look or act now, in plan order."""
        settled = self.op.done | self.op.given_up
        for step in self.plan or ():
            if step.key not in settled and step.needs <= self.op.done:
                yield step


class Holdings:
    """All held operations; safe to use from several threads."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, operation: str) -> Held | None:
        return self._held.get(operation)

    def ids(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._held)

    def hold(self, op: Operation, now: Micros, first: Service) -> Held:
        """Take an operation, to be looked at at once in the lane of `first`."""
        held = Held(op, now)
        held.waits = {first: now}
        with self._lock:
            self._held[op.id] = held
        return held

    def drop(self, held: Held) -> None:
        """Let an operation go; one that was taken anew in the meantime stays."""
        with self._lock:
            if self._held.get(held.op.id) is held:
                del self._held[held.op.id]

    def clear(self) -> None:
        with self._lock:
            self._held.clear()

    def due(self, service: Service, now: Micros) -> list[Held]:
        """Take what waits for this service and is due, one project after the other. What a thread
        is busy with has its turn afterwards: without its waits it would look as if it had ended."""
        with self._lock:
            held = [each for each in self._idle() if each.waits.get(service, now + 1) <= now]
            for each in held:
                each.waits = {lane: at for lane, at in each.waits.items() if lane is not service}
        return list(_round_robin(held))

    def lanes_due(self, now: Micros) -> frozenset[Service]:
        """The services for which anything is due: one pass for all of them."""
        with self._lock:
            waits = (each.waits for each in self._idle())
            return frozenset(lane for wait in waits for lane, at in wait.items() if at <= now)

    def anything_due(self, service: Service, now: Micros) -> bool:
        with self._lock:
            return any(each.waits.get(service, now + 1) <= now for each in self._idle())

    def next_due(self, lanes: frozenset[Service]) -> Micros | None:
        """When the next wait for one of these services ends; None when nothing waits."""
        with self._lock:
            waits = (each.waits for each in self._idle())
            return min(
                (at for wait in waits for lane, at in wait.items() if lane in lanes), default=None
            )

    def enter(self, held: Held) -> bool:
        """Claim an operation for this thread; otherwise whoever has it goes round once more. One
        that was let go is nobody's any more."""
        with self._lock:
            if self._held.get(held.op.id) is not held:
                return False
            if held.busy:
                held.again = True
                return False
            held.busy = True
            held.again = False
            return True

    def leave(self, held: Held) -> bool:
        """Give it free; True when somebody came by in the meantime."""
        with self._lock:
            held.busy = False
            return held.again

    def _idle(self) -> Iterator[Held]:
        return (each for each in self._held.values() if not each.busy)


def _round_robin(held: Iterable[Held]) -> Iterator[Held]:
    """One of each project in turn, so that a busy tenant does not delay the others."""
    queues: dict[str, deque[Held]] = defaultdict(deque)
    for each in held:
        queues[each.op.scope.project].append(each)
    while queues:
        for project in list(queues):
            yield queues[project].popleft()
            if not queues[project]:
                del queues[project]
