"""The tables of the ledger in memory. Not safe for threads: the ledger holds its lock."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from consumer.ledger import rules
from consumer.ledger.base import Backlog
from handlers.events import Event, event_id
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

    event: Event
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

    def named(self, operation: str) -> Row:
        """Raises LookupError when there is no such operation."""
        if operation not in self.rows:
            raise LookupError(f"there is no operation {operation}")
        return self.rows[operation]

    def open_rows(self) -> Iterator[Row]:
        """Open operations: those that hold a lock."""
        return (self.rows[name] for name in dict.fromkeys(self.locks.values()))

    def record(self, subject: str) -> Instance | None:
        record = self.records.get(subject)
        return record.instance if record else None

    def write_record(self, subject: str, instance: Instance | None, now: Micros) -> None:
        if instance is None:
            self.records.pop(subject, None)
        else:
            self.records[subject] = Record(instance, now)

    def tell(self, event: Event) -> None:
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
        """Forget up to `limit` rows that ended before `before`."""
        removed = 0
        for drop, names in (
            (self.rows.pop, self._ended(before)),
            (self.outbox.pop, self._published(before)),
            (self.records.pop, self._tombstones(before)),
        ):
            removed += _drop(drop, names[: limit - removed])
        return removed

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
