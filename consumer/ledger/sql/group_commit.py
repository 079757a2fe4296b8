"""Group commits: what arrives while a commit runs goes together in the next one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from consumer.ledger.base import Unavailable
from consumer.telemetry.base import Telemetry


class Job(Protocol):
    """One caller's share of a commit; `weight` is its number of rows."""

    @property
    def weight(self) -> int: ...


J = TypeVar("J", bound=Job)

#: What became of a job: its result, or the error that its caller gets.
Outcome = Any

#: Rows in one commit, unless a single job has more.
_ROWS = 200

#: A commit that follows another one within the first of these seconds waits the second ones for
#: company: each commit costs as much as several rows (PostgreSQL's commit_delay is for the same).
_BUSY, _GATHER = 0.03, 0.005


class _Ticket(Generic[J]):
    """A caller that waits. `turn` is released once: the job is done, or its caller is to lead."""

    __slots__ = ("done", "job", "leads", "outcome", "turn")

    def __init__(self, job: J) -> None:
        self.job = job
        self.done = False
        self.leads = False
        self.outcome: Outcome = None
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit(Generic[J]):
    """The first caller that finds nobody writing writes for all who wait; no thread of its own.

    `write` commits jobs in one transaction and returns an outcome for each, in their order. When it
    raises anything but Unavailable each job is written alone, so that one bad row spoils no other.
    """

    def __init__(
        self,
        write: Callable[[Sequence[J]], Sequence[Outcome]],
        telemetry: Telemetry,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._write = write
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._queue: deque[_Ticket[J]] = deque()
        self._writing = False
        self._ended = -_BUSY
        self._sleep = sleep

    @property
    def waiting(self) -> int:
        """Jobs that nobody has begun to write."""
        return len(self._queue)

    def submit(self, job: J) -> Outcome:
        """Returns when the job is committed; raises its error."""
        ticket = _Ticket(job)
        with self._lock:
            self._queue.append(ticket)
            leads, self._writing = not self._writing, True
        if not leads:
            self._wait(ticket)
        if not ticket.done:
            self._lead(ticket)
        if isinstance(ticket.outcome, BaseException):
            raise ticket.outcome
        return ticket.outcome

    def _wait(self, ticket: _Ticket[J]) -> None:
        """Until it is written, or is to lead. Who is interrupted (Ctrl-C) leaves the queue, and
        the lead to the next one."""
        try:
            ticket.turn.acquire()
        except BaseException:
            with self._lock:
                if ticket in self._queue:
                    self._queue.remove(ticket)
                    if ticket.leads:
                        self._hand_over()
            raise

    def _hand_over(self) -> None:
        """Let the next in the queue lead; the caller holds the lock."""
        self._writing = bool(self._queue)
        if self._queue:
            self._queue[0].leads = True
            self._queue[0].turn.release()

    def _lead(self, ticket: _Ticket[J]) -> None:
        """Write groups until `ticket` is done, then let the next in the queue lead.

        Each caller is woken once, alone: waking all for every commit costs more than the commit.
        """
        try:
            if time.monotonic() - self._ended < _BUSY:
                self._sleep(_GATHER)
            while not ticket.done:
                with self._lock:
                    group = self._take()
                self._settle(group)
        finally:
            self._ended = time.monotonic()
            with self._lock:
                self._hand_over()

    def _take(self) -> list[_Ticket[J]]:
        group: list[_Ticket[J]] = []
        rows = 0
        while self._queue and (not group or rows + self._queue[0].job.weight <= _ROWS):
            group.append(self._queue.popleft())
            rows += group[-1].job.weight
        return group

    def _settle(self, group: list[_Ticket[J]]) -> None:
        """Write a group and wake its callers, come what may."""
        outcomes: Sequence[Outcome] = [Unavailable("interrupted") for _ in group]
        try:
            outcomes = self._outcomes([ticket.job for ticket in group])
        finally:
            for ticket, outcome in zip(group, outcomes, strict=True):
                ticket.outcome = outcome
                ticket.done = True
                ticket.turn.release()

    def _outcomes(self, jobs: list[J]) -> Sequence[Outcome]:
        start = time.monotonic()
        try:
            outcomes = self._write(jobs)
        except Unavailable as error:
            return [Unavailable(str(error)) for _ in jobs]
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            return self._one_by_one(jobs)
        self._telemetry.committed(sum(job.weight for job in jobs), time.monotonic() - start)
        return outcomes

    def _one_by_one(self, jobs: list[J]) -> list[Outcome]:
        """Each job alone, until the database goes away."""
        outcomes: list[Outcome] = []
        for job in jobs:
            last = outcomes[-1] if outcomes else None
            outcomes += [last] if isinstance(last, Unavailable) else self._outcomes([job])
        return outcomes
