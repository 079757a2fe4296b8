"""Saves: compare-and-set, one row count per row, so that a stale row drops only itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import Connection, Insert, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from consumer.ledger.base import Ending
from consumer.ledger.sql.codec import Codec, Values
from consumer.ledger.sql.schema import instances, locks, operations, outbox
from consumer.secrets import wipe
from handlers.errors import Stale
from handlers.events import News
from handlers.operation import Operation, Phase

OPEN = (Phase.FORWARD.value, Phase.UNDO.value)

#: Sets the columns that the values name. (An IN of phases would be expanded for every row.)
_FENCED = update(operations).where(
    operations.c.id == bindparam("name"),
    operations.c.owner == bindparam("holder"),
    operations.c.version == bindparam("before"),
    operations.c.opened > 0,
    operations.c.finished == 0,
)
_MARK = (
    update(operations)
    .where(
        operations.c.id == bindparam("name"),
        operations.c.cancelled.is_(None),
        operations.c.finished == 0,
    )
    .values(cancelled=bindparam("by"))
)
_NOW = select(
    operations.c.owner,
    operations.c.version,
    operations.c.phase,
    operations.c.finished,
    operations.c.state,
).where(operations.c.id == bindparam("name"))
_UNTELL = delete(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
_TELL = insert(outbox)
_FORGET = delete(instances).where(instances.c.id.in_(bindparam("ids", expanding=True)))
_RECORD = insert(instances)
_UNLOCK = delete(locks).where(
    locks.c.subject == bindparam("name"), locks.c.operation == bindparam("holder")
)

#: Takes a lock, or does nothing where it is taken.
LOCK: dict[str, Insert] = {
    "mysql": insert(locks).prefix_with("IGNORE"),
    "mariadb": insert(locks).prefix_with("IGNORE"),
    "postgresql": postgresql.insert(locks).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(locks).on_conflict_do_nothing(),
}


@dataclass(slots=True)
class Change:
    """One save, encoded; `ending` for the last one."""

    after: Operation
    values: Values
    ending: Ending | None = None

    @property
    def weight(self) -> int:
        return 1


class Saving:
    """Encodes and writes saves; the caller holds the transaction."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def save(self, op: Operation) -> Change:
        after = replace(op, version=op.version + 1)
        return Change(after, self._values(op, after))

    def finish(self, ending: Ending) -> Change:
        op = ending.op
        after = replace(op, version=op.version + 1, command=wipe(op.command))
        values = self._values(op, after)
        values["finished"] = after.finished
        values["request"] = self._codec.request(after.command, after.scope)
        return Change(after, values, ending)

    def _values(self, op: Operation, after: Operation) -> Values:
        values = self._codec.changes(after)
        values["name"] = op.id
        values["holder"] = op.owner
        values["before"] = op.version
        values["version"] = after.version
        return values

    def write(self, connection: Connection, change: Change) -> tuple[Operation | Stale, bool]:
        """The new value or Stale, and whether this call wrote it.

        A save whose answer was lost comes again: when the row holds what it says, it is done.
        """
        if connection.execute(_FENCED, change.values).rowcount == 1:
            return change.after, True
        row = connection.execute(_NOW, {"name": change.after.id}).first()
        after, state = change.after, change.values["state"]
        wanted = (after.owner, after.version, after.phase.value, after.finished, state)
        if row is not None and tuple(row) == wanted:
            return change.after, False
        return Stale(f"operation {change.after.id} is no longer this worker's"), False

    def end(self, connection: Connection, endings: Sequence[Ending]) -> None:
        """Records, events and locks of operations that just ended, in order of their subjects.

        Only the operation that holds a subject's lock writes its record.
        """
        if not endings:
            return
        ordered = sorted(endings, key=lambda ending: ending.op.subject)
        connection.execute(_FORGET, {"ids": [ending.op.subject for ending in ordered]})
        records = [
            self._codec.record(ending.record, ending.op.finished)
            for ending in ordered
            if ending.record is not None
        ]
        if records:
            connection.execute(_RECORD, records)
        self.tell(connection, [ending.event for ending in endings])
        held = [_held(name, end.op) for end in ordered for name in end.op.command.subjects]
        connection.execute(_UNLOCK, held)

    def tell(self, connection: Connection, events: Sequence[News]) -> None:
        """Put events into the outbox; the end of a resumed operation replaces its first one."""
        if events:
            connection.execute(_UNTELL, {"ids": sorted(event.id for event in events)})
            connection.execute(_TELL, [self._codec.letter(event) for event in events])


def hold(connection: Connection, op: Operation) -> bool:
    """Take the locks of all subjects, or none: the unique key decides between two workers."""
    taken = [name for name in op.command.subjects if _inserted(connection, name, op.id)]
    if len(taken) == len(op.command.subjects):
        return True
    for subject in taken:
        connection.execute(_UNLOCK, _held(subject, op))
    return False


def _inserted(connection: Connection, subject: str, operation: str) -> bool:
    lock = {"subject": subject, "operation": operation}
    statement = LOCK[connection.dialect.name]
    # SQLAlchemy keeps the count of an INSERT only when it is asked to
    result = connection.execute(statement, lock, execution_options={"preserve_rowcount": True})
    return result.rowcount == 1


def release(connection: Connection, op: Operation) -> None:
    """Give the locks of all subjects back."""
    for subject in op.command.subjects:
        connection.execute(_UNLOCK, _held(subject, op))


def _held(subject: str, op: Operation) -> Values:
    return {"name": subject, "holder": op.id}


def mark(connection: Connection, name: str, by: str) -> None:
    """Write the cancel mark on an operation that has not ended; the first mark stays."""
    connection.execute(_MARK, {"name": name, "by": by})
