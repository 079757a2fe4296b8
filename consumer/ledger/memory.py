"""A ledger in memory: the behaviour of the SQL one, without its durability.

For tests in virtual time and for reading: what SQL does with unique keys and compare-and-set is
plain here. Values are frozen structs, so rows are shared and never copied.
"""

from collections.abc import Callable, Collection, Sequence
from threading import Lock

from msgspec.structs import replace

from consumer.ledger import rules
from consumer.ledger.base import Backlog, Ending, Offer, Opener, Verdict, Worker
from consumer.ledger.fleet import Item, Migration, Stage
from consumer.ledger.memory_rows import Row, Station, Tables
from consumer.secrets import Vault, wipe
from handlers.errors import Stale
from handlers.events import Event, MigrationEvent, News
from handlers.instance import Instance
from handlers.operation import Micros, Operation, Phase


class MemoryLedger:
    """Implements Ledger; `now` is the database's clock."""

    def __init__(self, now: Callable[[], Micros], vault: Vault | None = None) -> None:
        self._now = now
        self._vault = vault or Vault([Vault.new_key()])
        self._lock = Lock()
        self._tables = Tables()
        self._accepted = 0

    # -- workers --------------------------------------------------------------------------------

    def register(self, worker: str, host: str) -> Micros:
        with self._lock:
            now = self._now()
            self._tables.workers.setdefault(worker, Station(host, now, now))
            return self._beat(worker, now)

    def heartbeat(self, worker: str) -> Micros:
        with self._lock:
            return self._beat(worker, self._now())

    def _beat(self, worker: str, now: Micros) -> Micros:
        station = self._tables.workers.get(worker)
        if station is None or station.gone:
            raise Stale(f"worker {worker} was taken over or retired")
        station.seen = now
        return now

    def retire(self, worker: str) -> None:
        with self._lock:
            if worker in self._tables.workers:
                self._tables.workers[worker].gone = True

    def workers(self) -> tuple[Worker, ...]:
        with self._lock:
            return self._tables.silent()

    def take_over(self, worker: str, ttl: Micros, limit: int) -> tuple[Operation, ...]:
        with self._lock:
            taken = self._tables.take_over(worker, self._now() - ttl, limit)
            return tuple(row.value for row in taken)

    def owned(self, worker: str) -> tuple[Operation, ...]:
        with self._lock:
            rows = self._tables.open_rows()
            return tuple(row.value for row in rows if row.op.owner == worker)

    # -- operations -----------------------------------------------------------------------------

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        with self._lock:
            now = self._now()
            return tuple(self._accept(o, worker, now + place) for place, o in enumerate(offers))

    def _accept(self, offer: Offer, worker: str, now: Micros) -> Verdict:
        command = offer.command
        row = self._tables.rows.get(command.id)
        if row is not None:
            if not self._vault.matches(command, row.fingerprint):
                return Verdict.CONFLICT
            self._tables.tell_again(row.op)
            return Verdict.KNOWN
        if offer.cancels:
            for other in (*self._tables.queue.values(), *self._tables.open_rows()):
                if _whose(other.op) == (command.subject, offer.scope.project):
                    other.cancelled = other.cancelled or command.id
        self._accepted += 1
        op = Operation(command=command, scope=offer.scope, accepted=now, owner=worker)
        row = Row(op, self._accepted, self._vault.fingerprint(command))
        self._tables.rows[op.id] = self._tables.queue[op.id] = row
        return Verdict.NEW

    def open(self, worker: str, opener: Opener, limit: int) -> tuple[Operation, ...]:
        with self._lock:
            free = sorted(self._tables.free(), key=lambda row: row.op.owner != worker)
            return tuple(self._open(row, worker, opener) for row in free[:limit])

    def _open(self, row: Row, worker: str, opener: Opener) -> Operation:
        basis = self._tables.record(row.op.subject)
        row.op, event = rules.opened(row.value, basis, opener, worker, self._now())
        self._tables.take_locks(row.op)
        del self._tables.queue[row.op.id]
        self._tables.tell(event)
        return row.value

    def save(self, op: Operation) -> Operation:
        with self._lock:
            row = self._tables.owned(op)
            after = replace(op, version=op.version + 1)
            if row is not None:
                row.op = after
            return self._tables.written(after)

    def finish(self, ending: Ending) -> Operation:
        with self._lock:
            op = ending.op
            row = self._tables.owned(op)
            after = replace(op, version=op.version + 1, command=wipe(op.command))
            if row is not None:
                self._tables.write_record(op.subject, ending.record, op.finished)
                self._tables.end(row, after, ending.event)
            return self._tables.written(after)

    def cancelled(self, worker: str) -> dict[str, str]:
        with self._lock:
            mine = (row for row in self._tables.open_rows() if row.op.owner == worker)
            return {row.op.id: row.cancelled for row in mine if row.cancelled}

    def expire(self, before: Micros, now: Micros) -> int:
        with self._lock:
            late = [row for row in self._tables.queue.values() if row.op.accepted < before]
            for row in late:
                self._tables.end(row, *rules.expired(row.value, now))
            return len(late)

    def reopen(self, operation: str, worker: str, deadline: Micros) -> Operation:
        with self._lock:
            return self._tables.reopen(operation, worker, deadline, self._now()).value

    def cancel(self, operation: str, by: str) -> None:
        with self._lock:
            row = self._tables.named(operation)
            if row.op.phase.is_final:
                raise ValueError(f"operation {operation} has {row.op.phase} already")
            row.cancelled = row.cancelled or by

    # -- records --------------------------------------------------------------------------------

    def import_records(self, records: Sequence[Instance]) -> tuple[bool, ...]:
        with self._lock:
            return tuple(self._tables.import_record(one, self._now()) for one in records)

    def pin(self, subject: str, pinned: bool) -> Instance:
        with self._lock:
            return self._tables.pin(subject, pinned=pinned)

    # -- migrations -----------------------------------------------------------------------------

    def start_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> bool:
        with self._lock:
            started = self._tables.fleets.start(migration, items)
            for event in events if started else ():
                self._tables.tell(event)
            return started

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Migration:
        with self._lock:
            after = self._tables.fleets.save(migration, items)
            for event in events:
                self._tables.tell(event)
            return after

    def migration(self, migration: str) -> Migration | None:
        with self._lock:
            return self._tables.fleets.migrations.get(migration)

    def migrations(self, active_only: bool = False, limit: int = 100) -> tuple[Migration, ...]:
        with self._lock:
            return self._tables.fleets.newest(limit, active_only=active_only)

    def items(
        self, migration: str, stages: Collection[Stage] = (), limit: int = 1000, after: int = -1
    ) -> tuple[Item, ...]:
        with self._lock:
            return self._tables.fleets.page(migration, stages, limit, after)

    def stages(self, migration: str) -> dict[Stage, int]:
        with self._lock:
            return self._tables.fleets.stages(migration)

    def failures(self, migration: str) -> dict[str, int]:
        with self._lock:
            return self._tables.fleets.failures(migration)

    # -- outbox ---------------------------------------------------------------------------------

    def unsent(self, limit: int) -> tuple[News, ...]:
        with self._lock:
            waiting = [letter.event for letter in self._tables.outbox.values() if not letter.sent]
            return tuple(waiting[:limit])

    def sent(self, events: Collection[str]) -> None:
        with self._lock:
            for name in events:
                if name in self._tables.outbox:
                    self._tables.outbox[name].sent = self._now()

    # -- views ----------------------------------------------------------------------------------

    def operation(self, operation: str) -> Operation | None:
        with self._lock:
            row = self._tables.rows.get(operation)
            return row.value if row else None

    def operations(
        self, phases: Collection[Phase] = (), subject: str = "", limit: int = 100
    ) -> tuple[Operation, ...]:
        with self._lock:
            return tuple(
                row.value
                for row in reversed(self._tables.rows.values())
                if (not phases or row.op.phase in phases)
                and (not subject or row.op.subject == subject)
            )[:limit]

    def operations_of(self, ids: Collection[str]) -> dict[str, Operation]:
        with self._lock:
            rows = self._tables.rows
            return {name: rows[name].value for name in ids if name in rows}

    def instance(self, subject: str) -> Instance | None:
        with self._lock:
            return self._tables.record(subject)

    def instances(self, limit: int = 100, after: str = "") -> tuple[Instance, ...]:
        with self._lock:
            records = self._tables.records
            names = sorted(name for name in records if name > after)
            return tuple(records[name].instance for name in names[:limit])

    def events(self, operation: str) -> tuple[Event, ...]:
        with self._lock:
            told = (letter.event for letter in self._tables.outbox.values())
            return tuple(
                event
                for event in told
                if isinstance(event, Event) and event.data.operation == operation
            )

    def backlog(self) -> Backlog:
        with self._lock:
            return self._tables.backlog(self._now())

    def prune(self, before: Micros, limit: int) -> int:
        with self._lock:
            return self._tables.prune(before, limit)


def _whose(op: Operation) -> tuple[str, str]:
    return op.subject, op.scope.project
