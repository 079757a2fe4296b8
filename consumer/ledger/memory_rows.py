"""The tables of the ledger in memory. Not safe for threads: the ledger holds its lock."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from consumer.ledger import rules
from consumer.ledger.base import Backlog, Worker
from consumer.ledger.memory_fleet import Fleets
from handlers.errors import Stale
from handlers.events import Event, News, event_id
from handlers.instance import Instance, State
from handlers.operation import Micros, Operation


@dataclass(slots=True)
class Row:
    """An operation. The cancel mark is a column of its own: saves do not touch it."""

    op: Operation
    seq: int
    fingerprint: str
    cancelled: str | None = None

    @property
    def value(self) -> Operation:
        if self.op.cancelled == self.cancelled:
            return self.op
        return replace(self.op, cancelled=self.cancelled)


@dataclass(slots=True)
class Record:
    """A subject's record and when it was written."""

    instance: Instance
    written: Micros


@dataclass(slots=True)
class Letter:
    """An event in the outbox; `sent` is the time at which it was, 0 before."""

    event: News
    sent: Micros = 0


@dataclass(slots=True)
class Station:
    """A worker's row; `gone` once it retired or was found silent."""

    host: str
    started: Micros
    seen: Micros
    gone: bool = False


@dataclass(slots=True)
class Tables:
    """What SQL keeps in tables. `queue` is in order of acceptance."""

    rows: dict[str, Row] = field(default_factory=dict)
    queue: dict[str, Row] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    outbox: dict[str, Letter] = field(default_factory=dict)
    workers: dict[str, Station] = field(default_factory=dict)
    fleets: Fleets = field(default_factory=Fleets)

    def silent(self) -> tuple[Worker, ...]:
        """All workers, the longest silent first."""
        return tuple(
            Worker(id=name, host=station.host, started=station.started, seen=station.seen)
            for name, station in sorted(self.workers.items(), key=lambda at: (at[1].seen, at[0]))
        )

    def take_over(self, worker: str, silent: Micros, limit: int) -> list[Row]:
        """Give open operations of those who were not seen after `silent` to the worker."""
        for name, station in self.workers.items():
            if name != worker and station.seen <= silent:
                station.gone = True
        alive = {worker, *(name for name, station in self.workers.items() if not station.gone)}
        left = [row for row in self.open_rows() if row.op.owner not in alive]
        for row in left[:limit]:
            row.op = replace(row.op, owner=worker, version=row.op.version + 1)
        still = {row.op.owner for row in left[limit:]}
        for name in [name for name in self.workers if name not in alive | still]:
            del self.workers[name]
        return left[:limit]

    def owned(self, op: Operation) -> Row | None:
        """The row of an open operation, None when `op` was written before; raises Stale."""
        row = self.rows.get(op.id)
        if row is None or row.op.owner != op.owner:
            raise Stale(f"operation {op.id} belongs to another worker")
        if row.op.version == op.version + 1:
            return None
        if row.op.version != op.version or not row.op.phase.is_open:
            raise Stale(f"operation {op.id} is at version {row.op.version}, not {op.version}")
        return row

    def written(self, after: Operation) -> Operation:
        """A write whose answer was lost is asked for again: the same value is no conflict."""
        now = self.rows[after.id].op
        if now is not after and replace(now, cancelled=None) != replace(after, cancelled=None):
            raise Stale(f"operation {after.id} was changed by somebody else")
        return after

    def named(self, operation: str) -> Row:
        """Raises LookupError when there is no such operation."""
        if operation not in self.rows:
            raise LookupError(f"there is no operation {operation}")
        return self.rows[operation]

    def open_rows(self) -> Iterator[Row]:
        """Open operations: those that hold a lock."""
        return (self.rows[name] for name in dict.fromkeys(self.locks.values()))

    def free(self) -> Iterator[Row]:
        """Queued operations whose subjects are not open, and none queued before, oldest first."""
        waiting = set(self.locks)
        for row in self.queue.values():
            subjects = row.op.command.subjects
            if waiting.isdisjoint(subjects):
                yield row
            waiting.update(subjects)

    def take_locks(self, op: Operation) -> None:
        for subject in op.command.subjects:
            self.locks[subject] = op.id

    def reopen(self, operation: str, worker: str, deadline: Micros, now: Micros) -> Row:
        """As Ledger.reopen promises."""
        row = self.named(operation)
        after = rules.resumed(row.value, worker, deadline, now)
        if not self.locks.keys().isdisjoint(after.command.subjects):
            raise ValueError(f"another operation of {after.subject} is open")
        if any(
            other.seq > row.seq and other.op.opened and other.op.subject == after.subject
            for other in self.rows.values()
        ):
            raise ValueError(f"a later operation of {after.subject} has run since")
        record = self.records.get(after.subject)
        found = (record.instance, record.written) if record else None
        after = rules.rebased(after, row.op.finished, found)
        self.take_locks(after)
        row.op, row.cancelled = after, after.cancelled
        return row

    def record(self, subject: str) -> Instance | None:
        record = self.records.get(subject)
        return record.instance if record else None

    def import_record(self, instance: Instance, now: Micros) -> bool:
        """Write the record of a subject that has none, unless an operation is open on it."""
        if instance.id in self.records or instance.id in self.locks:
            return False
        self.records[instance.id] = Record(instance, now)
        return True

    def pin(self, subject: str, *, pinned: bool) -> Instance:
        """As Ledger.pin promises."""
        if subject in self.locks:
            raise ValueError(f"an operation of {subject} is open")
        if subject not in self.records:
            raise LookupError(f"there is no record of {subject}")
        record = self.records[subject]
        record.instance = replace(record.instance, pinned=pinned)
        return record.instance

    def write_record(self, subject: str, instance: Instance | None, now: Micros) -> None:
        if instance is None:
            self.records.pop(subject, None)
        else:
            self.records[subject] = Record(instance, now)

    def tell(self, event: News) -> None:
        """A terminal event of a resumed operation takes the place of its first one."""
        self.outbox.pop(event.id, None)
        self.outbox[event.id] = Letter(event)

    def tell_again(self, op: Operation) -> None:
        """The operation's terminal event, if it has ended, goes out once more."""
        kind = rules.terminal_kind(op.phase)
        letter = self.outbox.get(event_id(op.id, kind)) if kind else None
        if letter is not None:
            letter.sent = 0

    def end(self, row: Row, after: Operation, event: Event) -> None:
        """The terminal save: outcome, release of the locks, event."""
        row.op = after
        self.queue.pop(after.id, None)
        for subject in [name for name, holder in self.locks.items() if holder == after.id]:
            del self.locks[subject]
        self.tell(event)

    def backlog(self, now: Micros) -> Backlog:
        ops = [row.op for row in (*self.queue.values(), *self.open_rows())]
        records = [record.instance for record in self.records.values()]
        unsent = [letter.event for letter in self.outbox.values() if not letter.sent]
        return Backlog(
            operations=dict(Counter((op.manager, op.command.name, str(op.phase)) for op in ops)),
            instances=dict(Counter((record.manager, str(record.state)) for record in records)),
            oldest_operation=max((0.0, *((now - op.accepted) / 1e6 for op in ops))),
            outbox=len(unsent),
            oldest_event=max((0.0, *((now - event.time) / 1e6 for event in unsent))),
            workers=len(self.workers),
        )

    def prune(self, before: Micros, limit: int) -> int:
        """As Ledger.prune promises."""
        removed = 0
        for drop, names in (
            (self.rows.pop, self._ended(before)),
            (self.outbox.pop, self._published(before)),
            (self.records.pop, self._tombstones(before)),
        ):
            removed += _drop(drop, names[: limit - removed])
        return removed + self.fleets.prune(before, limit - removed)

    def _ended(self, before: Micros) -> list[str]:
        return [
            name
            for name, row in self.rows.items()
            if row.op.phase.is_final and row.op.finished < before
        ]

    def _published(self, before: Micros) -> list[str]:
        return [name for name, letter in self.outbox.items() if 0 < letter.sent < before]

    def _tombstones(self, before: Micros) -> list[str]:
        return [
            name
            for name, record in self.records.items()
            if record.instance.state is State.DELETED and record.written < before
        ]


def _drop(drop: Callable[[str], object], names: list[str]) -> int:
    for name in names:
        drop(name)
    return len(names)
