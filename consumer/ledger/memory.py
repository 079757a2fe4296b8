"""A ledger in memory: the behaviour of the SQL one, without its durability.

For tests in virtual time and for reading: what SQL does with unique keys and compare-and-set is
plain here. Values are frozen structs, so rows are shared and never copied.
"""

from collections.abc import Callable, Collection, Sequence
from threading import Lock

from msgspec.structs import replace

from consumer.ledger import rules
from consumer.ledger.base import Backlog, Ending, Offer, Opener, Verdict, Worker
from consumer.ledger.memory_rows import Row, Station, Tables
from consumer.secrets import Vault, wipe
from handlers.errors import Stale
from handlers.events import Event
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
            stations = self._tables.workers.items()
            return tuple(
                Worker(id=name, host=station.host, started=station.started, seen=station.seen)
                for name, station in sorted(stations, key=lambda item: (item[1].seen, item[0]))
            )

    def take_over(self, worker: str, ttl: Micros, limit: int) -> tuple[Operation, ...]:
        with self._lock:
            stations = self._tables.workers
            silent = self._now() - ttl
            for name, station in stations.items():
                if name != worker and station.seen <= silent:
                    station.gone = True
            alive = {worker, *(name for name, station in stations.items() if not station.gone)}
            left = [row for row in self._tables.open_rows() if row.op.owner not in alive]
            for row in left[:limit]:
                row.op = replace(row.op, owner=worker, version=row.op.version + 1)
            still = {row.op.owner for row in left[limit:]}
            for name in [name for name in stations if name not in alive | still]:
                del stations[name]
            return tuple(row.value for row in left[:limit])

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
            free: list[Row] = []
            waiting = set(self._tables.locks)
            for row in self._tables.queue.values():
                subjects = row.op.command.subjects
                if waiting.isdisjoint(subjects):
                    free.append(row)
                waiting.update(subjects)
            free.sort(key=lambda row: row.op.owner != worker)
            return tuple(self._open(row, worker, opener) for row in free[:limit])

    def _open(self, row: Row, worker: str, opener: Opener) -> Operation:
        basis = self._tables.record(row.op.subject)
        row.op, event = rules.opened(row.value, basis, opener, worker, self._now())
        self._take_locks(row.op)
        del self._tables.queue[row.op.id]
        self._tables.tell(event)
        return row.value

    def _take_locks(self, op: Operation) -> None:
        for subject in op.command.subjects:
            self._tables.locks[subject] = op.id

    def save(self, op: Operation) -> Operation:
        with self._lock:
            row = self._owned(op)
            after = replace(op, version=op.version + 1)
            if row is not None:
                row.op = after
            return self._written(after)

    def finish(self, ending: Ending) -> Operation:
        with self._lock:
            op = ending.op
            row = self._owned(op)
            after = replace(op, version=op.version + 1, command=wipe(op.command))
            if row is not None:
                self._tables.write_record(op.subject, ending.record, op.finished)
                self._tables.end(row, after, ending.event)
            return self._written(after)

    def _owned(self, op: Operation) -> Row | None:
        """The row of an open operation, None when `op` was written before; raises Stale."""
        row = self._tables.rows.get(op.id)
        if row is None or row.op.owner != op.owner:
            raise Stale(f"operation {op.id} belongs to another worker")
        if row.op.version == op.version + 1:
            return None
        if row.op.version != op.version or not row.op.phase.is_open:
            raise Stale(f"operation {op.id} is at version {row.op.version}, not {op.version}")
        return row

    def _written(self, after: Operation) -> Operation:
        """A write whose answer was lost is asked for again: the same value is no conflict."""
        now = self._tables.rows[after.id].op
        if now is not after and replace(now, cancelled=None) != replace(after, cancelled=None):
            raise Stale(f"operation {after.id} was changed by somebody else")
        return after

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
            row = self._tables.named(operation)
            after = rules.resumed(row.value, worker, deadline, self._now())
            if not self._tables.locks.keys().isdisjoint(after.command.subjects):
                raise ValueError(f"another operation of {after.subject} is open")
            if any(
                other.seq > row.seq and other.op.opened and other.op.subject == after.subject
                for other in self._tables.rows.values()
            ):
                raise ValueError(f"a later operation of {after.subject} has run since")
            self._take_locks(after)
            row.op, row.cancelled = after, after.cancelled
            return row.value

    def cancel(self, operation: str, by: str) -> None:
        with self._lock:
            row = self._tables.named(operation)
            if row.op.phase.is_final:
                raise ValueError(f"operation {operation} has {row.op.phase} already")
            row.cancelled = row.cancelled or by

    # -- outbox ---------------------------------------------------------------------------------

    def unsent(self, limit: int) -> tuple[Event, ...]:
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
            return tuple(event for event in told if event.data.operation == operation)

    def backlog(self) -> Backlog:
        with self._lock:
            return self._tables.backlog(self._now())

    def prune(self, before: Micros, limit: int) -> int:
        with self._lock:
            return self._tables.prune(before, limit)


def _whose(op: Operation) -> tuple[str, str]:
    return op.subject, op.scope.project
