"""Opening: a queued operation whose subjects are free gets its locks, its basis and an owner."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    exists,
    select,
    update,
)

from consumer.ledger import rules
from consumer.ledger.base import Opener
from consumer.ledger.sql.codec import OPERATION_COLUMNS, Codec
from consumer.ledger.sql.saving import Saving, hold, release
from consumer.ledger.sql.schema import instances, locks, operations
from handlers.events import Event
from handlers.operation import Micros, Operation, Phase

_EARLIER = operations.alias("earlier")


def _free(whose: ColumnElement[bool]) -> Select[Any]:
    """Queued operations whose subject is not locked and has none queued before, oldest first."""
    return (
        select(*OPERATION_COLUMNS)
        .where(
            operations.c.phase == Phase.QUEUED.value,
            whose,
            ~exists().where(locks.c.subject == operations.c.subject),
            ~exists().where(
                _EARLIER.c.subject == operations.c.subject,
                _EARLIER.c.seq < operations.c.seq,
                _EARLIER.c.phase == Phase.QUEUED.value,
            ),
        )
        .order_by(operations.c.accepted)
        .limit(bindparam("rows"))
    )


_OWN = _free(operations.c.owner == bindparam("worker"))
_OTHERS = _free(operations.c.owner != bindparam("worker"))
_BASES = select(instances.c.id, instances.c.record).where(
    instances.c.id.in_(bindparam("subjects", expanding=True))
)
#: Sets the columns that the values name.
_OPEN = update(operations).where(
    operations.c.id == bindparam("name"),
    operations.c.version == bindparam("before"),
    operations.c.phase == Phase.QUEUED.value,
)


class Opening:
    """Opens operations; the caller holds the transaction."""

    def __init__(self, codec: Codec, saving: Saving) -> None:
        self._codec = codec
        self._saving = saving

    def open(
        self, connection: Connection, worker: str, opener: Opener, limit: int, now: Micros
    ) -> tuple[Operation, ...]:
        """As Ledger.open promises. Locks are taken in the order of subjects: no deadlock."""
        queued = self._codec.operations(_candidates(connection, worker, limit))
        ours = [op for op in sorted(queued, key=_by_subject) if hold(connection, op)]
        bases = self._bases(connection, [op.subject for op in ours])
        opened: dict[str, tuple[Operation, Event]] = {}
        for op in ours:
            after, event = rules.opened(op, bases.get(op.subject), opener, worker, now)
            if self._write(connection, op, after):
                opened[op.id] = after, event
            else:
                release(connection, op)
        found = [opened[op.id] for op in queued if op.id in opened]
        self._saving.tell(connection, [event for _, event in found])
        return tuple(op for op, _ in found)

    def _bases(self, connection: Connection, subjects: list[str]) -> dict[str, Any]:
        """Read under the locks: nobody else writes these records now."""
        if not subjects:
            return {}
        rows = connection.execute(_BASES, {"subjects": subjects})
        return {name: self._codec.instance(record) for name, record in rows}

    def _write(self, connection: Connection, op: Operation, after: Operation) -> bool:
        values = {
            **self._codec.changes(after),
            "basis": self._codec.basis(after),
            "owner": after.owner,
            "version": after.version,
            "opened": after.opened,
            "name": op.id,
            "before": op.version,
        }
        return connection.execute(_OPEN, values).rowcount == 1


def _candidates(connection: Connection, worker: str, limit: int) -> list[RowMapping]:
    """What this worker accepted first, then what others did."""
    rows: list[RowMapping] = []
    statements: Sequence[Select[Any]] = (_OWN, _OTHERS)
    for statement in statements:
        if len(rows) < limit:
            found = connection.execute(statement, {"worker": worker, "rows": limit - len(rows)})
            rows += found.mappings().all()
    return rows


def _by_subject(op: Operation) -> str:
    return op.subject
