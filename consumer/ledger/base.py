"""What a ledger promises. tests/contract holds every implementation to it.

Correctness rests on unique keys and compare-and-set only, never on row locks. Every method may be
called from any thread and raises `Unavailable` when the database cannot be reached; the change has
then happened or not, and the caller asks again: all of them are idempotent or fenced.
"""

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Protocol

import msgspec

from consumer.ledger.fleet_base import FleetLedger
from handlers.commands import Command
from handlers.events import Event, News
from handlers.instance import Instance, Scope
from handlers.operation import Micros, Operation, Phase


class Unavailable(Exception):
    """The ledger cannot be reached, or did not answer in time."""


class Verdict(Enum):
    """What became of a command that was offered to `accept`."""

    NEW = "new"
    KNOWN = "known"  # same id, same content: the terminal event, if any, goes out once more
    CONFLICT = "conflict"  # same id, other content: refused


class Offer(msgspec.Struct, frozen=True):
    """A command to accept. `cancels` says that it supersedes what is open on its subject.

    The ledger makes the fingerprint itself: secrets count, but only their HMAC is kept.
    """

    command: Command
    scope: Scope
    cancels: bool = False


class Opener(Protocol):
    """Decides what an operation needs to know when it opens; pure, called inside the ledger.

    `op` comes FORWARD, owned, with its basis and time of opening; what the opener returns opens. It
    MUST NOT raise.
    """

    def __call__(self, op: Operation, basis: Instance | None, now: Micros) -> Operation: ...


class Ending(msgspec.Struct, frozen=True):
    """The last save of an operation: its outcome, the record after it and the event that tells.

    `record` None forgets the subject's record.
    """

    op: Operation
    event: Event
    record: Instance | None = None


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker process as the others see it; `seen` is its last heartbeat, in ledger time."""

    id: str
    host: str
    started: Micros
    seen: Micros


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Fleet-wide figures for the gauges; ages in seconds."""

    operations: dict[tuple[str, str, str], int] = {}  # (manager, command, phase) -> open or queued
    instances: dict[tuple[str, str], int] = {}  # (manager, state) -> records
    oldest_operation: float = 0.0
    outbox: int = 0
    oldest_event: float = 0.0
    workers: int = 0


class Ledger(FleetLedger, Protocol):
    """Operations, records, locks, outbox and workers; and fleet migrations (FleetLedger)."""

    # -- workers --------------------------------------------------------------------------------

    def register(self, worker: str, host: str) -> Micros:
        """Write a new worker's row; returns the database's time."""
        ...

    def heartbeat(self, worker: str) -> Micros:
        """Say that the worker lives; returns the database's time.

        Raises Stale when the row was taken over or retired: the worker MUST drop everything.
        """
        ...

    def retire(self, worker: str) -> None:
        """A worker stops: its rows may be taken at once."""
        ...

    def workers(self) -> tuple[Worker, ...]:
        """All workers that have not been taken over, the longest silent first."""
        ...

    def take_over(self, worker: str, ttl: Micros, limit: int) -> tuple[Operation, ...]:
        """Take up to `limit` open operations of workers that are retired or silent for `ttl`.

        Compare-and-set on the dead worker's row picks one taker; a dead worker whose rows are all
        taken disappears. What an owner without a row holds is taken too. What is returned is
        owned by `worker`, version raised.
        """
        ...

    def owned(self, worker: str) -> tuple[Operation, ...]:
        """The open operations of this worker.

        To ask for after `open`, `take_over` or `reopen` raised Unavailable: they may have given it
        operations that it was not told of.
        """
        ...

    # -- operations -----------------------------------------------------------------------------

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        """Write commands as queued operations owned by `worker`, in one commit, in this order.

        Order on a subject is the order of acceptance. A cancelling offer marks every operation of
        its subject and project that is queued or open as cancelled: the delete of one project
        cannot stop what another one began. An offer whose id is known changes nothing, but a
        terminal event that it has is published once more.
        """
        ...

    def open(self, worker: str, opener: Opener, limit: int) -> tuple[Operation, ...]:
        """Open up to `limit` queued operations whose subjects are free, oldest first.

        An operation is opened when no other one of its subjects is open and none is queued before
        it. Its lock rows (one per `command.subjects`, taken in sorted order, all or none), its
        basis (the subject's record) and what `opener` decides are written in one transaction with
        it, and the start event goes into the outbox. Operations of any worker may be opened: they
        are owned by `worker` then. Those that `worker` accepted come first.
        """
        ...

    def save(self, op: Operation) -> Operation:
        """Write the next value of an open operation; returns it with its new version.

        Raises Stale unless `op.owner` still owns the row and `op.version` is the row's.
        `op.cancelled` is not written: it belongs to `accept`.
        """
        ...

    def finish(self, ending: Ending) -> Operation:
        """Write outcome, record, lock release and event in one transaction; Stale as in `save`.

        Secrets of the command are wiped.
        """
        ...

    def cancelled(self, worker: str) -> dict[str, str]:
        """Open operations of this worker that were cancelled: their id -> the cancelling id."""
        ...

    def expire(self, before: Micros, now: Micros) -> int:
        """Fail what has been queued since `before` (reason queue_timeout), with its event."""
        ...

    def reopen(self, operation: str, worker: str, deadline: Micros) -> Operation:
        """Open a FAILED operation again in the phase it failed in, if its subject is free.

        It is no longer marked as cancelled, or it would end at once for the same reason.

        Not if a later operation of the subject has opened since or its record was imported, nor
        forward without the secrets that it needs: send a new command then. A pin that was set or
        taken away since holds: it goes into the basis. Given to a name that never registered (a
        tool), it goes to the next worker that calls `take_over`.

        Raises LookupError when there is no such operation, ValueError when it cannot be resumed.
        """
        ...

    def cancel(self, operation: str, by: str) -> None:
        """Mark a queued or open operation as cancelled, whoever owns it; errors as in `reopen`.

        `by` is what `handlers.admission.by_operator` makes. The owner sees the mark, undoes what
        was done and ends it as failed.
        """
        ...

    # -- records --------------------------------------------------------------------------------

    def import_records(self, records: Sequence[Instance]) -> tuple[bool, ...]:
        """Write records of instances that exist; says which ones were written now.

        Not where a subject has a record, be it a tombstone, nor where an operation is open on it:
        nothing is ever overwritten, and no operation's basis changes under it.
        """
        ...

    def pin(self, subject: str, pinned: bool) -> Instance:
        """Let the subject stay with its manager, or not; returns its record.

        Raises LookupError when there is no record, ValueError while an operation is open on it:
        its end would write the record that it began with.
        """
        ...

    # -- outbox ---------------------------------------------------------------------------------

    def unsent(self, limit: int) -> tuple[News, ...]:
        """The oldest events that were not published yet."""
        ...

    def sent(self, events: Collection[str]) -> None:
        """These events (ids) were published and confirmed."""
        ...

    # -- views ----------------------------------------------------------------------------------

    def operation(self, operation: str) -> Operation | None: ...

    def operations(
        self, phases: Collection[Phase] = (), subject: str = "", limit: int = 100
    ) -> tuple[Operation, ...]:
        """The newest operations first; all phases when none is named."""
        ...

    def operations_of(self, ids: Collection[str]) -> dict[str, Operation]:
        """Those of the operations that there are, by id; without their secrets."""
        ...

    def instance(self, subject: str) -> Instance | None: ...

    def instances(self, limit: int = 100, after: str = "") -> tuple[Instance, ...]:
        """Records by id, tombstones included."""
        ...

    def events(self, operation: str) -> tuple[Event, ...]:
        """What was told, or will be told, about an operation."""
        ...

    def backlog(self) -> Backlog: ...

    def prune(self, before: Micros, limit: int) -> int:
        """Forget what is older than `before`: finished operations, sent events, tombstones and
        migrations that have ended; how many rows were removed.

        No more than `limit` rows, but a migration goes with all its items: the last one may exceed
        it.
        """
        ...
