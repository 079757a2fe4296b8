"""Upkeep and operators: what waited too long, what is resumed or cancelled, what is forgotten."""

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, delete, select, update

from consumer.ledger import rules
from consumer.ledger.sql.accepting import PENDING
from consumer.ledger.sql.codec import OPERATION_COLUMNS, Codec, Unreadable
from consumer.ledger.sql.saving import Saving, hold, mark
from consumer.ledger.sql.schema import instances, operations, outbox
from handlers.events import Event
from handlers.instance import State
from handlers.operation import Micros, Operation, Phase

_ROW = select(*OPERATION_COLUMNS, operations.c.seq).where(operations.c.id == bindparam("name"))
_LATE = (
    select(*OPERATION_COLUMNS)
    .where(operations.c.phase == Phase.QUEUED.value, operations.c.accepted < bindparam("before"))
    .order_by(operations.c.accepted)
    .limit(bindparam("rows"))
)
#: Sets the columns that the values name.
_TURN = update(operations).where(
    operations.c.id == bindparam("name"),
    operations.c.version == bindparam("before"),
    operations.c.phase == bindparam("was"),
)
_LATER = (
    select(operations.c.id)
    .where(
        operations.c.subject == bindparam("name"),
        operations.c.seq > bindparam("after"),
        operations.c.opened > 0,
    )
    .limit(1)
)
_RECORD = select(instances.c.record, instances.c.written).where(instances.c.id == bindparam("name"))
_PHASE = select(operations.c.phase).where(operations.c.id == bindparam("name"))


class Keeping:
    """Changes outside of the owners' saves; the caller holds the transaction."""

    def __init__(self, codec: Codec, saving: Saving) -> None:
        self._codec = codec
        self._saving = saving

    def expire(self, connection: Connection, before: Micros, now: Micros, limit: int) -> int:
        """Fail up to `limit` operations that have been queued since `before`."""
        rows = connection.execute(_LATE, {"before": before, "rows": limit}).mappings().all()
        late = self._codec.operations(rows, secrets=False)
        events: dict[str, Event] = {}
        for op in sorted(late, key=lambda op: op.id):
            after, event = rules.expired(op, now)
            if self._turn(connection, op, after):
                events[op.id] = event
        self._saving.tell(connection, [events[op.id] for op in late if op.id in events])
        return len(events)

    def reopen(
        self, connection: Connection, operation: str, worker: str, deadline: Micros, now: Micros
    ) -> Operation:
        """As Ledger.reopen promises."""
        row = connection.execute(_ROW, {"name": operation}).mappings().first()
        if row is None:
            raise LookupError(f"there is no operation {operation}")
        try:
            op = self._codec.operation(row)
        except Unreadable as error:
            raise ValueError(str(error)) from None
        after = rules.resumed(op, worker, deadline, now)
        if not hold(connection, op):
            raise ValueError(f"another operation of {op.subject} is open")
        if connection.execute(_LATER, {"name": op.subject, "after": row["seq"]}).first():
            raise ValueError(f"a later operation of {op.subject} has run since")
        after = self._rebased(connection, op, after)
        basis = self._codec.basis(after)
        if not self._turn(connection, op, after, cancelled=after.cancelled, basis=basis):
            raise ValueError(f"operation {operation} was changed by somebody else")
        return after

    def _rebased(self, connection: Connection, op: Operation, after: Operation) -> Operation:
        """On the record of now, which the lock keeps as it is."""
        row = connection.execute(_RECORD, {"name": op.subject}).first()
        found = (self._codec.instance(row.record), row.written) if row else None
        return rules.rebased(after, op.finished, found)

    def _turn(
        self, connection: Connection, op: Operation, after: Operation, **more: str | None
    ) -> bool:
        values = {
            **more,
            **self._codec.changes(after),
            "version": after.version,
            "owner": after.owner,
            "finished": after.finished,
            "request": self._codec.request(after.command, after.scope),
            "name": op.id,
            "before": op.version,
            "was": op.phase.value,
        }
        return connection.execute(_TURN, values).rowcount == 1


def cancel(connection: Connection, operation: str, by: str) -> None:
    """As Ledger.cancel promises."""
    phase = connection.execute(_PHASE, {"name": operation}).scalar()
    if phase is None:
        raise LookupError(f"there is no operation {operation}")
    if phase not in PENDING:
        raise ValueError(f"operation {operation} has {phase} already")
    mark(connection, operation, by)


def prune(connection: Connection, before: Micros, limit: int) -> int:
    """Forget up to `limit` rows that ended before `before`, the oldest of each table first.

    Migrations are forgotten one by one: fleets.py.
    """
    deleted = instances.c.state == State.DELETED.value
    old: tuple[tuple[Table, Column[int], ColumnElement[bool]], ...] = (
        (operations, operations.c.finished, operations.c.finished > 0),
        (outbox, outbox.c.sent, outbox.c.sent > 0),
        (instances, instances.c.written, deleted),
    )
    removed = 0
    for table, ended, condition in old:
        if removed < limit:
            conditions = (condition, ended < before)
            chosen = select(table.c.id).where(*conditions).order_by(ended).limit(limit - removed)
            names = sorted(connection.execute(chosen).scalars())
            if names:
                gone = delete(table).where(table.c.id.in_(names), *conditions)
                removed += connection.execute(gone).rowcount
    return removed
